import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { RunEvent } from '../../lib/coordinator/events.js';
import { endedOutOfMemory, threwOutOfMemory } from '../../lib/coordinator/out-of-memory.js';
import { LocalExecutor } from '../../lib/workers/local-executor.js';
import { MemoryKills } from '../../lib/workers/memory-kills.js';
import { processesOf, until } from '../support/processes.js';
import { journalOf, type Toy, toyFolder, toyPlan, toyRun, toyWorker } from '../support/toy-run.js';

let place: ReturnType<typeof toyFolder>;
beforeEach(() => {
  place = toyFolder();
});
afterEach(async () => {
  await until('all processes have ended', () => processesOf(place.run).length === 0);
  place.remove();
});

/** What the journal says of limits. */
const limits = () => journalOf(place.run).filter(({ event }) => event === 'task-limited');

describe('out of memory', () => {
  test('is told from other errors', () => {
    expect(threwOutOfMemory({ code: 'ERR_OUT_OF_MEMORY', message: 'x' })).toBe(true);
    expect(threwOutOfMemory({ code: 'ERR_IO', message: 'spawn: ENOMEM, cannot allocate' })).toBe(true);
    expect(threwOutOfMemory({ message: 'Array buffer allocation failed' })).toBe(true);
    expect(threwOutOfMemory({ message: 'std::bad_alloc' })).toBe(true);
    expect(threwOutOfMemory({ message: 'Invalid array length' })).toBe(false);
    expect(threwOutOfMemory({ code: 'ENOSPC', message: 'out of paper' })).toBe(false);
  });

  test('is told from other ends of workers', () => {
    const end = { status: null, signal: 'SIGABRT', lastLines: '' };
    expect(endedOutOfMemory({ ...end, lastLines: 'FATAL ERROR: ... JavaScript heap out of memory' })).toBe(true);
    expect(endedOutOfMemory({ ...end, lastLines: '# Fatal process out of memory: Zone' })).toBe(true);
    expect(endedOutOfMemory({ ...end, lastLines: 'terminate: what():  std::bad_alloc' })).toBe(true);
    expect(endedOutOfMemory({ ...end, lastLines: 'assertion failed' })).toBe(false);
    expect(endedOutOfMemory({ ...end, signal: 'SIGKILL' })).toBe(false);
    expect(endedOutOfMemory({ ...end, cause: 'out-of-memory' })).toBe(true);
    expect(endedOutOfMemory({ status: 0, signal: null, lastLines: 'JavaScript heap out of memory' })).toBe(false);
  });

  test('of a process that the kernel killed is claimed once for each that it counts', () => {
    let count: number | undefined = 5;
    const kills = new MemoryKills(() => count);
    expect(kills.claim()).toBe(false);
    count = 7;
    expect([kills.claim(), kills.claim(), kills.claim()]).toEqual([true, true, false]);
    count = undefined;
    expect(kills.claim()).toBe(false);
  });

  test('of blocks at once: fewer run at once, and nothing counts against them', async () => {
    const toys: Toy[] = [{ name: 'first', plan: toyPlan([8]), act: 'crowd', maxRetries: 0 }];
    const events: RunEvent[] = [];
    const result = await toyRun(place, toys, { workers: 3, onEvent: (event) => events.push(event) });
    expect(result).toMatchObject({ complete: true, failures: [] });
    expect(limits()).toMatchObject([{ task: 'first', blocks: 1, reason: 'out of memory' }]);
    expect(events).toContainEqual({ type: 'task-limited', task: 'first', blocks: 1 });
    const failed = journalOf(place.run).filter(({ event }) => event === 'block-failed');
    expect(failed).toContainEqual(
      expect.objectContaining({ code: 'ERR_OUT_OF_MEMORY', counts: false, willRetry: true }),
    );
    const [{ attempts, errors, lost, givenBack }] = result.tasks;
    expect({ errors, lost, givenBack }).toEqual({ errors: failed.length, lost: 0, givenBack: 0 });
    expect(attempts).toBe(8 + errors);
  });

  test('of one block alone, under a limit of the system: that block fails with the reason, the others are done', async () => {
    const toys: Toy[] = [{ name: 'first', plan: toyPlan([4]), act: 'allocate', on: [2], maxRetries: 0 }];
    const limited = ['-c', 'ulimit -v 33554432; exec "$0" "$@"', process.execPath, toyWorker];
    const executor = new LocalExecutor({ command: 'sh', args: limited });
    const result = await toyRun(place, toys, { workers: 2, executor });
    expect(result.tasks).toMatchObject([{ done: 3, failed: 1, errors: 2, lost: 0 }]);
    expect(result.failures).toMatchObject([{ block: 2, attempt: 2, code: 'ERR_OUT_OF_MEMORY' }]);
    expect(result.failures[0].message).toMatch(
      /^out of memory, with no other block of its task at work; its worker was seen to hold \d+ MiB: Array buffer allocation failed$/,
    );
    expect(limits()).toMatchObject([{ blocks: 1 }]);
  });

  test("of V8's heap, which ends the worker", async () => {
    const toys: Toy[] = [{ name: 'first', plan: toyPlan([4]), act: 'heap', on: [1], maxRetries: 0 }];
    const result = await toyRun(place, toys, { workers: 1, env: { NODE_OPTIONS: '--max-old-space-size=40' } });
    expect(result.tasks).toMatchObject([{ done: 3, failed: 1 }]);
    expect(result.failures).toMatchObject([{ block: 1, code: 'ERR_OUT_OF_MEMORY' }]);
    expect(result.failures[0].message).toMatch(
      /^out of memory, with no other block of its task at work; .*SIGABRT|134/,
    );
    expect(readFileSync(result.failures[0].logFile, 'utf8')).toContain('out of memory');
    expect(journalOf(place.run)).toContainEqual(
      expect.objectContaining({ event: 'worker-end', cause: 'out-of-memory' }),
    );
  });

  test('of the machine, for which the kernel kills a worker', async () => {
    const toys: Toy[] = [{ name: 'first', plan: toyPlan([4]), act: 'print-and-die', on: [1], maxRetries: 1 }];
    // as the kernel would count: the workers that said their last words
    const logs = join(place.run, 'logs');
    const countMemoryKills = () => {
      const workers = existsSync(logs) ? readdirSync(logs).filter((name) => name.startsWith('worker-')) : [];
      return workers.filter((name) => readFileSync(join(logs, name), 'utf8').includes('last words')).length;
    };
    const executor = new LocalExecutor({ command: process.execPath, args: [toyWorker], countMemoryKills });
    const result = await toyRun(place, toys, { workers: 1, executor });
    expect(result.failures).toMatchObject([{ block: 1, code: 'ERR_OUT_OF_MEMORY' }]);
    expect(result.failures[0].message).toContain('ended by SIGKILL');
    expect(result.tasks).toMatchObject([{ done: 3, failed: 1 }]);
  });
});
