import { existsSync, mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { RunEvent } from '../../lib/coordinator/events.js';
import { FreeSpace, type SpaceFacts } from '../../lib/coordinator/free-space.js';
import { processesOf, until } from '../support/processes.js';
import { journalOf, type Toy, toyFolder, toyPlan, toyRun } from '../support/toy-run.js';

const GIB = 2 ** 30;
const ENOUGH: SpaceFacts = { freeBytes: 50 * GIB, totalBytes: 100 * GIB, freeFiles: 5000, totalFiles: 10_000 };

/** What is found short with these facts. */
async function shortage(facts: Partial<SpaceFacts>, minimumBytes?: number): Promise<string | undefined> {
  const measure = async () => ({ ...ENOUGH, ...facts });
  const space = new FreeSpace({ paths: ['/data'], minimumBytes, measure }, () => undefined);
  await space.start();
  space.stop();
  return space.shortage;
}

describe('free space', () => {
  test('is short below 1 GiB or a share of a small disk, or where files cannot be made', async () => {
    expect(await shortage({})).toBeUndefined();
    expect(await shortage({ freeBytes: GIB })).toBeUndefined();
    expect(await shortage({ freeBytes: GIB - 1 })).toBe('1024.0 MiB free at /data, expected 1.0 GiB');
    expect(await shortage({ totalBytes: GIB, freeBytes: 0.06 * GIB })).toBeUndefined();
    expect(await shortage({ totalBytes: GIB, freeBytes: 0.04 * GIB })).toBe(
      '41.0 MiB free at /data, expected 51.2 MiB',
    );
    expect(await shortage({ freeFiles: 3 })).toBe('room for 3 files at /data, expected 500');
    expect(await shortage({ freeFiles: 0, totalFiles: 0 })).toBeUndefined();
  });

  test('is what the option says; 0 watches nothing', async () => {
    expect(await shortage({ freeBytes: 10 * GIB }, 20 * GIB)).toContain('expected 20.0 GiB');
    expect(await shortage({ freeBytes: 0 }, 0)).toBeUndefined();
  });

  test('is that of the nearest folder that exists; a file system that cannot be asked is not full', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'space-'));
    const space = new FreeSpace({ paths: [join(folder, 'not', 'there')], minimumBytes: 1e18 }, () => undefined);
    await space.start();
    space.stop();
    expect(space.shortage).toContain(`free at ${join(folder, 'not', 'there')}`);
    rmdirSync(folder);
    const failing = new FreeSpace(
      { paths: ['/data'], measure: () => Promise.reject(new Error('stale')) },
      () => undefined,
    );
    await failing.start();
    failing.stop();
    expect(failing.shortage).toBeUndefined();
  });

  test('is waited for as long as all pauses together may last', async () => {
    let now = 0;
    let freeBytes = 0;
    const measure = async () => ({ ...ENOUGH, freeBytes });
    const space = new FreeSpace(
      { paths: ['/data'], patienceSeconds: 10, measure },
      () => undefined,
      () => now,
    );
    await space.start();
    now = 6000;
    expect(space.spent).toBe(false);
    freeBytes = 50 * GIB;
    await space.check();
    expect(space.shortage).toBeUndefined();
    now = 100_000;
    expect(space.spent).toBe(false);
    freeBytes = 0;
    await space.check();
    now += 3999;
    expect(space.spent).toBe(false);
    now += 2;
    expect(space.spent).toBe(true);
    space.stop();
  });
});

describe('a run', () => {
  let place: ReturnType<typeof toyFolder>;
  beforeEach(() => {
    place = toyFolder();
  });
  afterEach(async () => {
    await until('all processes have ended', () => processesOf(place.run).length === 0);
    place.remove();
  });

  test('pauses while a disk is full, goes on by itself, and blocks that met the end of it are not blamed', async () => {
    const toys: Toy[] = [{ name: 'first', plan: toyPlan([20]), act: 'throw', on: [3], until: 1, maxRetries: 0 }];
    const events: RunEvent[] = [];
    let freed = false;
    const onEvent = (event: RunEvent) => {
      events.push(event);
      if (event.type === 'block-failed') freed = true;
    };
    // full from the moment on at which block 3 finds it so, until that was told
    const measure = async () => {
      const full = existsSync(join(place.run, 'tasks', 'first', 'logs', 'block-3.log')) && !freed;
      return { ...ENOUGH, freeBytes: full ? 0 : 50 * GIB };
    };
    const result = await toyRun(place, toys, { freeSpace: { measure, intervalSeconds: 0.05 }, onEvent });
    expect(result).toMatchObject({ complete: true, failures: [], tasks: [{ errors: 1 }] });
    const told = events.map(({ type }) => type).filter((type) => type === 'paused' || type === 'resumed');
    expect(told).toEqual(['paused', 'resumed']);
    const journal = journalOf(place.run);
    expect(journal).toContainEqual(expect.objectContaining({ event: 'block-failed', block: 3, counts: false }));
    expect(journal.map(({ event }) => event)).toEqual(expect.arrayContaining(['paused', 'resumed']));
    // nothing was handed out in between
    const paused = journal.findIndex(({ event }) => event === 'paused');
    const resumed = journal.findIndex(({ event }) => event === 'resumed');
    expect(journal.slice(paused, resumed).filter(({ event }) => event === 'worker-start')).toEqual([]);
  });

  test('counts the same error where the disk is not full', async () => {
    const toys: Toy[] = [{ name: 'first', plan: toyPlan([4]), act: 'throw', on: [3], maxRetries: 0 }];
    const result = await toyRun(place, toys, { freeSpace: { measure: async () => ENOUGH } });
    expect(result.failures).toMatchObject([{ block: 3, code: 'ENOSPC', attempt: 1 }]);
  });

  test('stops in order when its patience with a full disk is at an end', async () => {
    const toys: Toy[] = [{ name: 'first', plan: toyPlan([4]) }];
    const measure = async () => ({ ...ENOUGH, freeBytes: 0 });
    const result = await toyRun(place, toys, { freeSpace: { measure, patienceSeconds: 0.2 } });
    expect(result).toMatchObject({ complete: false, interrupted: true, stopReason: 'space', tasks: [{ attempts: 0 }] });
    expect(await toyRun(place, toys)).toMatchObject({ complete: true, stopReason: undefined });
  });

  test('stops in order at its deadline, with the reason', async () => {
    const toys: Toy[] = [{ name: 'first', plan: toyPlan([4]), act: 'hang', on: [2], until: 1 }];
    const result = await toyRun(place, toys, { workers: 1, deadlineSeconds: 1, graceSeconds: 0 });
    expect(result).toMatchObject({ complete: false, interrupted: true, stopReason: 'deadline', failures: [] });
    expect(journalOf(place.run)).toContainEqual(expect.objectContaining({ event: 'stop', reason: 'deadline' }));
    expect(journalOf(place.run).at(-1)).toMatchObject({
      event: 'run-end',
      state: 'interrupted',
      stopReason: 'deadline',
    });
  });
});
