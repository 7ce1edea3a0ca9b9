import { existsSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { RunEvent } from '../../lib/coordinator/events.js';
import { RunFolder } from '../../lib/coordinator/run-folder.js';
import { LocalExecutor } from '../../lib/workers/local-executor.js';
import { processesOf, until } from '../support/processes.js';
import { seededRandom } from '../support/seeded-random.js';
import { journalOf, outputHash, type Toy, toyChain, toyFolder, toyRun, toyWorker } from '../support/toy-run.js';

let place: ReturnType<typeof toyFolder>;
beforeEach(() => {
  place = toyFolder();
});
afterEach(async () => {
  await until('all processes have ended', () => processesOf(place.run).length === 0);
  place.remove();
});

const pidOf = (description: string) => Number(description.split(' ')[1]);
const ends = () => journalOf(place.run).filter(({ event }) => event === 'worker-end');

test.each(['SIGUSR1', 'SIGTERM'] as const)(
  'workers warned by %s end by themselves; no block is lost or fails',
  async (signal) => {
    const toys = toyChain([4, 4, 4], 10);
    const random = seededRandom(7);
    const alive = new Map<string, number>();
    let warned = 0;
    const onEvent = (event: RunEvent) => {
      if (event.type === 'worker-start') alive.set(event.worker, pidOf(event.description));
      if (event.type === 'worker-end') alive.delete(event.worker);
      if (event.type === 'block-done' && warned < 8 && random() < 0.3) {
        // the one that has just sent a result listens already
        const pid = alive.get(event.worker);
        alive.delete(event.worker);
        if (pid === undefined) return;
        warned++;
        process.kill(pid, signal);
      }
    };
    const result = await toyRun(place, toys, { onEvent });
    expect(result).toMatchObject({ complete: true, failures: [] });
    expect(warned).toBe(8);
    const events = journalOf(place.run).map(({ event }) => event);
    expect(events.filter((event) => event === 'block-lost' || event === 'block-failed')).toEqual([]);
    expect(ends().every(({ status }) => status === 0)).toBe(true);
    expect(ends().length).toBeGreaterThanOrEqual(8);
    const other = toyFolder();
    await toyRun(other, toys);
    expect(outputHash(place.output, toys)).toBe(outputHash(other.output, toys));
    other.remove();
  },
);

test('a block that does not end in time is given back, which is no failure', async () => {
  const [first, second] = toyChain([2, 2, 1]);
  const toys: Toy[] = [{ ...first, act: 'wait', on: [2], until: 1, maxRetries: 0 }, second];
  const log = new RunFolder(place.run).blockLog('first', 2);
  const pids: number[] = [];
  const run = toyRun(place, toys, {
    workers: 1,
    executor: new LocalExecutor({ command: process.execPath, args: [toyWorker, '--drain-seconds', '0.1'] }),
    onEvent: (event) => {
      if (event.type === 'worker-start') pids.push(pidOf(event.description));
    },
  });
  await until('the block waits', () => existsSync(log));
  process.kill(pids[0], 'SIGUSR1');
  expect(await run).toMatchObject({ complete: true, failures: [] });
  expect(journalOf(place.run)).toContainEqual(
    expect.objectContaining({ event: 'block-given-back', task: 'first', block: 2, worker: '1.0' }),
  );
  expect(ends().map(({ status }) => status)).toEqual([0, 0]);
});
