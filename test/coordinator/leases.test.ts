import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { AttentiveClock } from '../../lib/coordinator/attentive-clock.js';
import type { LeasedBlock } from '../../lib/coordinator/messages.js';
import { runCoordinator } from '../../lib/coordinator/run.js';
import { fakeExecutor } from '../support/fake-workers.js';
import { journalOf, toyFolder, toyOptions, toyPlan, toyRun } from '../support/toy-run.js';

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

describe('blocks that a worker holds ahead', () => {
  const work = (more: object) => ({ type: 'work', results: [], acquire: false, ...more });
  const done = (lease: number) => ({ lease, outcome: 'done', seconds: 10 });

  test('come while it is at work, one lease at most, and none behind a block that was tried before', async () => {
    const executor = fakeExecutor(async (worker, started) => {
      const [first] = await worker.acquire();
      if (started === 1) {
        // block 0 again, and last: what it holds now is all it gets
        expect(first).toMatchObject({ block: 1, attempt: 1 });
        worker.connection.send(work({ acquire: true, held: 1 }));
        const [second] = (await worker.next('lease')).blocks as LeasedBlock[];
        expect(second).toMatchObject({ block: 2, attempt: 1 });
        worker.connection.send(work({ results: [done(first.lease)], acquire: true, held: 1 }));
        const [third] = (await worker.next('lease')).blocks as LeasedBlock[];
        expect(third).toMatchObject({ block: 0, attempt: 2 });
        worker.connection.send(work({ results: [done(second.lease)], acquire: true, held: 1 }));
        worker.connection.send(work({ results: [done(third.lease)] }));
        await worker.next('stop');
      }
    });
    const options = toyOptions(place, [{ name: 'first', plan: toyPlan([3]) }], { workers: 1, leaseSeconds: 3600 });
    expect(await runCoordinator({ ...options, executor })).toMatchObject({ complete: true, tasks: [{ retried: 1 }] });
  });

  test('go to one that has nothing to do, and keep the number of their attempt', async () => {
    let give: () => void = () => undefined;
    const holding = new Promise<void>((resolve) => {
      give = resolve;
    });
    const attempts: number[][] = [];
    const executor = fakeExecutor(async (worker, started) => {
      if (started === 1) {
        await holding;
        const [leased] = await worker.acquire();
        attempts.push([leased.block, leased.attempt]);
        worker.connection.send(work({ results: [done(leased.lease)], acquire: true }));
        await worker.next('stop');
        return;
      }
      const [first] = await worker.acquire();
      worker.connection.send(work({ acquire: true, held: 1 }));
      const [second] = (await worker.next('lease')).blocks as LeasedBlock[];
      expect([first.block, second.block]).toEqual([0, 1]);
      give();
      expect(await worker.next('return')).toEqual({ type: 'return', count: 1 });
      worker.connection.send(work({ returned: [second.lease] }));
      // it holds it no more
      worker.connection.send(work({ results: [done(second.lease)] }));
      worker.connection.send(work({ results: [done(first.lease)], acquire: true }));
      await worker.next('stop');
    });
    const options = toyOptions(place, [{ name: 'first', plan: toyPlan([2]) }], { workers: 2, leaseSeconds: 3600 });
    const result = await runCoordinator({ ...options, executor });
    expect(result).toMatchObject({ complete: true, tasks: [{ done: 2, retried: 0 }] });
    expect(attempts).toEqual([[1, 1]]);
    const events = journalOf(place.run).map(({ event }) => event);
    expect(events.filter((event) => event === 'result-refused')).toHaveLength(1);
    expect(events).not.toContain('block-lost');
    expect(events).not.toContain('block-given-back');
  });

  test('go back in order: anything else ends that worker', async () => {
    const nonsense = [
      (leases: number[]) => work({ results: [done(leases[1])] }),
      (leases: number[]) => work({ returned: [leases[0]] }),
      (leases: number[]) => work({ begun: leases[1], returned: [leases[1]] }),
      () => work({ acquire: true, held: 1 }),
      () => work({ returned: [99] }),
    ];
    let left = nonsense.length;
    const executor = fakeExecutor(async (worker, started) => {
      let [{ lease }] = await worker.acquire();
      // a result first: so it is replaced without delay
      worker.connection.send(work({ results: [done(lease)], acquire: true }));
      [{ lease }] = (await worker.next('lease')).blocks as LeasedBlock[];
      if (started < nonsense.length) {
        worker.connection.send(work({ acquire: true, held: 1 }));
        const ahead = (await worker.next('lease')).blocks as LeasedBlock[];
        worker.connection.send(nonsense[started]([lease, ahead[0].lease]) as { type: string });
        await worker.connection.closed;
        left--;
        return;
      }
      for (;;) {
        worker.connection.send(work({ results: [done(lease)], acquire: true }));
        const { message } = await worker.connection.next();
        if (message.type === 'stop') return;
        [{ lease }] = message.blocks as LeasedBlock[];
      }
    });
    const plan = toyPlan([3 * nonsense.length + 2]);
    const options = toyOptions(place, [{ name: 'first', plan }], { workers: 1, leaseSeconds: 3600, maxLosses: 20 });
    expect((await runCoordinator({ ...options, executor })).complete).toBe(true);
    expect(left).toBe(0);
    const ends = journalOf(place.run).filter(({ event }) => event === 'worker-end');
    expect(ends.slice(0, -1).every(({ reason }) => String(reason).startsWith('it broke the protocol'))).toBe(true);
  });

  test('are shared when quick blocks turn slow', async () => {
    const pids = new Set<unknown>();
    const slow = Array.from({ length: 12 }, (_, i) => 200 + i);
    const plan = toyPlan([212]);
    // the last twelve take 120 ms each; before they begin, one lease would have held them all
    const toys = [{ name: 'first', plan, act: 'slow', on: slow } as const];
    const result = await toyRun(place, toys, {
      workers: 2,
      heartbeatSeconds: 0.1,
      onEvent: (event) => {
        if (event.type === 'block-done' && event.block >= 200) pids.add(event.worker);
      },
    });
    expect(result).toMatchObject({ complete: true, tasks: [{ done: 212, retried: 0 }] });
    expect(pids.size).toBe(2);
  });

  test('a death is the fault of the block at work, and costs the others nothing', async () => {
    // the first dies with several held: the block that was named as begun is to blame, whatever else there was
    const plan = toyPlan([40]);
    const toys = [{ name: 'first', plan, act: 'exit', on: [20], maxRetries: 0 } as const];
    const result = await toyRun(place, toys, { workers: 1, maxLosses: 2, leaseBlocks: 1 });
    expect(result.tasks[0]).toMatchObject({ done: 39, failed: 1 });
    const lost = journalOf(place.run).filter(({ event }) => event === 'block-lost');
    expect(lost.map(({ block }) => block)).toEqual([20, 20]);
    const back = journalOf(place.run).filter(({ event }) => event === 'block-given-back');
    expect(back.map(({ block }) => block)).toEqual([21]);
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
