import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { AttentiveClock } from '../../lib/coordinator/attentive-clock.js';
import type { LeasedBlock } from '../../lib/coordinator/messages.js';
import { runCoordinator } from '../../lib/coordinator/run.js';
import { fakeExecutor } from '../support/fake-workers.js';
import { toyFolder, toyOptions, toyPlan } from '../support/toy-run.js';

let place: ReturnType<typeof toyFolder>;
beforeEach(() => {
  place = toyFolder();
});
afterEach(() => place.remove());

/** Runs all blocks on one worker whose blocks take so long; gives the leases as they came. */
async function leasesOf(blocks: number, seconds: (block: LeasedBlock) => number, failing: readonly number[] = []) {
  const leases: (readonly LeasedBlock[])[] = [];
  const executor = fakeExecutor(async (worker) => {
    let leased = await worker.acquire();
    for (;;) {
      leases.push(leased);
      const results = leased.map((block) => {
        const { lease, attempt } = block;
        const fails = attempt === 1 && failing.includes(block.block);
        const error = { message: 'm', stack: 's' };
        return fails
          ? { lease, outcome: 'error', seconds: 0, error }
          : { lease, outcome: 'done', seconds: seconds(block) };
      });
      worker.connection.send({ type: 'work', results, acquire: true });
      const { message } = await worker.connection.next();
      if (message.type === 'stop') return;
      leased = message.blocks as LeasedBlock[];
    }
  });
  const options = toyOptions(place, [{ name: 'first', plan: toyPlan([blocks]) }], { workers: 1, leaseSeconds: 3600 });
  expect((await runCoordinator({ ...options, executor })).complete).toBe(true);
  return leases;
}

describe('a lease', () => {
  test('holds about 50 ms of work, one block while nothing is known', async () => {
    const sizes = (await leasesOf(200, () => 0.0125)).map(({ length }) => length);
    expect(sizes[0]).toBe(1);
    expect(new Set(sizes.slice(1, -1))).toEqual(new Set([4]));
  });

  test('holds one long block, and at most 1024 short ones', async () => {
    expect((await leasesOf(10, () => 3)).every(({ length }) => length === 1)).toBe(true);
    place.remove();
    place = toyFolder();
    const sizes = (await leasesOf(3000, () => 0)).map(({ length }) => length);
    expect(Math.max(...sizes)).toBe(1024);
  });

  test('ends with a block that was tried before', async () => {
    const leases = await leasesOf(100, () => 0, [7, 8, 50]);
    const again = leases.flatMap((blocks) => blocks.map((block, at) => ({ ...block, last: at === blocks.length - 1 })));
    const retried = again.filter(({ attempt }) => attempt > 1);
    expect(retried.map(({ block }) => block).sort((a, b) => a - b)).toEqual([7, 8, 50]);
    expect(retried.every(({ last }) => last)).toBe(true);
    // leases are numbered in the order in which they are to run
    expect(again.map(({ lease }) => lease)).toEqual(again.map((_, at) => at + 1));
  });
});

test('a clock counts only while its process is awake', () => {
  jest.useFakeTimers();
  let time = 1000;
  let ticks = 0;
  const clock = new AttentiveClock(
    10,
    () => ticks++,
    () => time,
  );
  const pass = (milliseconds: number) => {
    time += milliseconds;
    jest.advanceTimersByTime(10);
  };
  for (let i = 0; i < 5; i++) pass(10);
  expect(clock.now()).toBe(50);
  time += 7;
  expect(clock.now()).toBe(57);
  // five minutes without a turn of the event loop
  pass(300_000);
  expect(clock.now()).toBe(90);
  pass(10);
  expect(clock.now()).toBe(100);
  expect(ticks).toBe(7);
  clock.stop();
  pass(10);
  expect(ticks).toBe(7);
  jest.useRealTimers();
});
