import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { RunResult } from '../../lib/coordinator/run.js';
import { readRunStatus } from '../../lib/coordinator/run-status.js';
import { amount, chaosSeed, isLong } from '../chaos/scale.js';
import { buildShim } from '../chaos/shim.js';
import { processesOf, until } from '../support/processes.js';
import { seededRandom } from '../support/seeded-random.js';
import type { ToyCoordinator } from '../support/toy-coordinator.js';
import { computations, journalOf, outputHash, toyChain, toyFolder, toyRun } from '../support/toy-run.js';

let place: ReturnType<typeof toyFolder>;
let child: ChildProcess | undefined;
beforeEach(() => {
  place = toyFolder();
});
afterEach(async () => {
  if (child?.exitCode === null) child.kill('SIGKILL');
  await until('all processes have ended', () => processesOf(place.run).length === 0);
  place.remove();
});

function start(
  toy: ToyCoordinator,
  environment: Record<string, string> = {},
): { child: ChildProcess; output: Promise<string> } {
  const script = join(import.meta.dirname, '../support/toy-coordinator.js');
  child = spawn(process.execPath, [script, place.run, place.output, JSON.stringify(toy)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...environment },
  });
  let text = '';
  child.stdout!.on('data', (bytes) => {
    text += bytes;
  });
  const { stdout } = child;
  const output = new Promise<string>((resolve) => stdout!.on('close', () => resolve(text)));
  return { child, output };
}

const acknowledged = () =>
  existsSync(join(place.run, 'journal.jsonl'))
    ? journalOf(place.run)
        .filter(({ event }) => event === 'block-done')
        .map(({ task, block }) => `${task} ${block}`)
    : [];

/** Milliseconds; the long form takes minutes. */
const PATIENCE = amount(120_000, 3_600_000);

describe('a coordinator', () => {
  const seed = chaosSeed(1122);
  const wanted = amount(5, 50);

  test(
    `killed ${wanted} times at random and started again ends with the same result (seed ${seed})`,
    async () => {
      const random = seededRandom(seed);
      const shape = isLong ? [6, 6, 6] : [3, 3, 3];
      const toys = toyChain(shape);
      for (let kill = 0; kill < wanted; kill++) {
        // anywhere from its start to some blocks later
        const killed = { blocks: Math.floor(random() * 6), milliseconds: random() * 60 };
        await start({ shape, milliseconds: 30, killed }).output;
        // its workers notice
        await until('the workers have ended', () => processesOf(place.run).length === 0);
        await until('it is seen to be gone', () => (readRunStatus(place.run)?.state ?? 'killed') === 'killed');
        // what was acknowledged is not computed again
        const known = acknowledged();
        expect(new Set(known).size).toBe(known.length);
      }
      const counts = computations(place.output);
      const known = acknowledged();
      expect(known.length).toBeGreaterThan(0);

      const { output } = start({ shape, milliseconds: 1 });
      const result = JSON.parse(await output) as RunResult;
      expect(result).toMatchObject({ complete: true, failures: [] });
      expect(result.tasks[0].alreadyDone + result.tasks[1].alreadyDone).toBeGreaterThanOrEqual(known.length);
      const after = computations(place.output);
      for (const block of known) expect(after.get(block)).toBe(counts.get(block));

      const other = toyFolder();
      await toyRun(other, toys);
      expect(outputHash(place.output, toys)).toBe(outputHash(other.output, toys));
      other.remove();
      const names = readdirSync(place.run).map((name) => name.replace(/^lock\.\d+$/, 'lock'));
      expect(names.sort()).toEqual(['journal.jsonl', 'lock', 'logs', 'run.json', 'statistics.json', 'tasks']);
    },
    PATIENCE,
  );

  test('that was stopped for longer than a lease holds it against nobody', async () => {
    const { child, output } = start({ milliseconds: 60, leaseSeconds: 2 });
    await until('some blocks are done', () => acknowledged().length >= 4);
    await until('all workers are there', () => processesOf(place.run).length === 4);
    child.kill('SIGSTOP');
    await delay(amount(3000, 60_000));
    expect(processesOf(place.run).length).toBe(4);
    child.kill('SIGCONT');
    expect(JSON.parse(await output)).toMatchObject({ complete: true, tasks: [{ retried: 0 }, { retried: 0 }] });
    const ends = journalOf(place.run).filter(({ event }) => event === 'worker-end');
    expect(ends).toHaveLength(3);
    for (const end of ends) expect(end).toMatchObject({ status: 0 });
  });

  test('whose clock is set forth and back holds it against nobody', async () => {
    const shim = join(place.folder, 'clock-shim.so');
    const reason = buildShim('clock-shim', shim);
    if (reason !== undefined) return console.warn(`skipped: ${reason}`);
    const clock = join(place.folder, 'clock');
    const { output } = start({ milliseconds: 60, leaseSeconds: 2 }, { LD_PRELOAD: shim, CLOCK_FILE: clock });
    await until('some blocks are done', () => acknowledged().length >= 4);
    const day = 24 * 3600;
    writeFileSync(clock, String(day));
    await until('more blocks are done', () => acknowledged().length >= 14);
    writeFileSync(clock, String(-day));
    expect(JSON.parse(await output)).toMatchObject({ complete: true, tasks: [{ retried: 0 }, { retried: 0 }] });
    const entries = journalOf(place.run);
    const times = entries.map(({ time }) => Date.parse(String(time)));
    expect(Math.max(...times) - Date.now()).toBeGreaterThan((day * 1000) / 2);
    expect(Math.min(...times) - Date.now()).toBeLessThan((-day * 1000) / 2);
    const ends = entries.filter(({ event }) => event === 'worker-end');
    expect(ends).toHaveLength(3);
    for (const end of ends) expect(end).toMatchObject({ status: 0 });
  });

  test('that was killed leaves no worker, even one that computes without end', async () => {
    const { child, output } = start({ milliseconds: 0, act: 'busy' });
    await until('one is busy', () => existsSync(join(place.run, 'tasks/first/logs')));
    await until('they are there', () => processesOf(place.run).length === 4);
    child.kill('SIGKILL');
    await output;
    await until('the workers have ended', () => processesOf(place.run).length === 0);
  });

  test('is stopped by a signal of its caller, with all workers', async () => {
    const { child, output } = start({ milliseconds: 60 });
    await until('some blocks are done', () => acknowledged().length >= 4);
    child.kill('SIGINT');
    expect(JSON.parse(await output)).toMatchObject({ complete: false, interrupted: true });
    expect(processesOf(place.run)).toEqual([]);
    expect(readRunStatus(place.run)?.state).toBe('interrupted');
  });
});
