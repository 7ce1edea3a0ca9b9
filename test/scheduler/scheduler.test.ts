import { describe, expect, test } from '@jest/globals';
import { BlockPlan, type BlockPlanOptions } from '../../lib/blocks/plan.js';
import { codeOf, messageOf } from '../../lib/errors.js';
import { Roi } from '../../lib/geometry/roi.js';
import { BlockState, type ScheduledTask, Scheduler, type SchedulerOptions } from '../../lib/scheduler/scheduler.js';

/** A row of blocks of one world unit each. */
function row(count: number, options: Partial<BlockPlanOptions> = {}): BlockPlan {
  return new BlockPlan({ totalWriteRoi: new Roi([0], [count]), blockShape: [1], ...options });
}

const task = (plan: BlockPlan, rest: Partial<ScheduledTask> = {}): ScheduledTask => ({
  name: 'task',
  plan,
  upstream: [],
  ...rest,
});

function statesOf(scheduler: Scheduler, place: number): string {
  const names = Object.keys(BlockState);
  const { total } = scheduler.counts(place);
  return Array.from({ length: total }, (_, block) => names[scheduler.state(place, block)]).join(' ');
}

/** Takes the next block and fails it until it has failed for good. */
function failNext(scheduler: Scheduler): void {
  let answer = 'retry';
  while (answer === 'retry') {
    const { task, block, attempt } = scheduler.acquire()!;
    answer = scheduler.fail(task, block, attempt);
  }
}

/** Completes blocks in the order in which they are handed out; the blocks as `task:block`. */
function runAll(scheduler: Scheduler): string[] {
  const order: string[] = [];
  for (let next = scheduler.acquire(); next !== undefined; next = scheduler.acquire()) {
    order.push(`${next.task}:${next.block}`);
    if (!scheduler.complete(next.task, next.block, next.attempt, 'done')) throw new Error('stale');
  }
  return order;
}

function refusal(tasks: readonly ScheduledTask[], options: SchedulerOptions = {}): string {
  try {
    new Scheduler(tasks, options);
  } catch (error) {
    return `${codeOf(error)}: ${messageOf(error)}`;
  }
  throw new Error('expected an error');
}

describe('order', () => {
  test('raster order within a task, what is downstream first', () => {
    const scheduler = new Scheduler([task(row(4)), task(row(4), { upstream: [0] }), task(row(2), { upstream: [1] })]);
    expect(runAll(scheduler)).toEqual(['0:0', '1:0', '2:0', '0:1', '1:1', '2:1', '0:2', '1:2', '0:3', '1:3']);
    expect(scheduler.finished).toBe(true);
  });

  test('blocks that conflict wait for each other', () => {
    const scheduler = new Scheduler([task(row(5, { contextLow: [1], readWriteConflict: true }))]);
    expect(statesOf(scheduler, 0)).toBe('waiting ready waiting ready waiting');
    const [first, second] = [scheduler.acquire()!, scheduler.acquire()!];
    expect([first.block, second.block]).toEqual([1, 3]);
    expect(scheduler.acquire()).toBeUndefined();
    expect(scheduler.idleReason()).toBe('dependencies');
    scheduler.complete(0, 3, 1, 'done');
    expect(statesOf(scheduler, 0)).toBe('waiting running waiting done ready');
    scheduler.complete(0, 1, 1, 'skipped');
    expect(statesOf(scheduler, 0)).toBe('ready skipped ready done ready');
  });

  test('a block that comes back stands behind the others', () => {
    const scheduler = new Scheduler([task(row(3))]);
    scheduler.acquire();
    scheduler.fail(0, 0, 1);
    expect(runAll(scheduler)).toEqual(['0:1', '0:2', '0:0']);
    expect(scheduler.attempts(0, 0)).toBe(2);
    expect(scheduler.attempts(0, 1)).toBe(1);
  });
});

describe('dependencies with many or few blocks', () => {
  test('one block that waits for more blocks than 16 bits count', () => {
    const scheduler = new Scheduler([
      task(row(70_000)),
      task(new BlockPlan({ totalWriteRoi: new Roi([0], [70_000]), blockShape: [70_000] }), { upstream: [0] }),
      task(row(70_000), { upstream: [1] }),
    ]);
    for (let block = 0; block < 70_000; block++) {
      if (scheduler.state(1, 0) !== BlockState.waiting) throw new Error(`task 1 did not wait for block ${block}`);
      scheduler.acquire();
      scheduler.complete(0, block, 1, 'done');
    }
    expect(scheduler.counts(1).ready).toBe(1);
    expect(scheduler.counts(2).waiting).toBe(70_000);
    expect(runAll(scheduler)).toHaveLength(70_001);
    expect(scheduler.counts(2).done).toBe(70_000);
  });

  test.each([300, 66_000])('two blocks that wait for nearly all of %d', (count) => {
    const half = new BlockPlan({ totalWriteRoi: new Roi([0], [count]), blockShape: [count - 10] });
    const scheduler = new Scheduler([task(row(count)), task(half, { upstream: [0] })]);
    for (let block = 0; block < count; block++) {
      const ready = scheduler.state(1, 0) === BlockState.ready;
      if (ready !== block >= count - 10) throw new Error(`after ${block} blocks: ready is ${ready}`);
      if (ready) break;
      scheduler.acquire();
      scheduler.complete(0, block, 1, 'done');
    }
    expect(scheduler.counts(0).done).toBe(count - 10);
    expect(runAll(scheduler)).toHaveLength(12);
    expect(scheduler.finished).toBe(true);
  });

  test('a barrier holds whatever the Rois and the dimensions', () => {
    const flat = new BlockPlan({ totalWriteRoi: new Roi([500, 500], [4, 2]), blockShape: [2, 2] });
    const scheduler = new Scheduler([task(row(2)), task(flat, { barriers: [0], upstream: [0] })]);
    expect(runAll(scheduler)).toEqual(['0:0', '0:1', '1:0', '1:1']);
  });

  test('a block that reads nothing of an upstream task does not wait for it', () => {
    const scheduler = new Scheduler([task(row(2)), task(row(4), { upstream: [0] })]);
    expect(statesOf(scheduler, 1)).toBe('waiting waiting ready ready');
  });

  test('a task without blocks holds nothing up', () => {
    const none = row(2, { fit: 'valid', blockShape: [3], readWriteConflict: true });
    const scheduler = new Scheduler([task(none), task(row(2), { upstream: [0] }), task(row(1), { barriers: [0] })]);
    expect(scheduler.counts(0).total).toBe(0);
    expect(runAll(scheduler)).toHaveLength(3);
    expect(new Scheduler([task(none)]).finished).toBe(true);
    expect(new Scheduler([]).idleReason()).toBe('finished');
  });
});

describe('failures', () => {
  test('a block is tried three times, then what waits for it is orphaned, each once', () => {
    const scheduler = new Scheduler([
      task(row(3)),
      task(row(3, { contextLow: [1], contextHigh: [1] }), { upstream: [0] }),
      task(row(3), { upstream: [1] }),
      task(row(1), { barriers: [0, 1] }),
    ]);
    scheduler.acquire();
    expect(scheduler.fail(0, 0, 1)).toBe('retry');
    runAll(scheduler);
    expect(statesOf(scheduler, 0)).toBe('done done done');

    const again = new Scheduler([
      task(row(3)),
      task(row(3, { contextLow: [1], contextHigh: [1] }), { upstream: [0] }),
      task(row(3), { upstream: [1] }),
      task(row(1), { barriers: [0, 1] }),
    ]);
    const blocks = [again.acquire()!, again.acquire()!, again.acquire()!];
    for (const { block } of blocks.slice(1)) again.complete(0, block, 1, 'done');
    expect(again.fail(0, 0, 1)).toBe('retry');
    expect([again.acquire()?.task, again.acquire()?.task]).toEqual([1, 0]); // block 2 of task 1 waits for nothing lost
    expect(again.fail(0, 0, 2)).toBe('retry');
    again.acquire();
    expect(again.fail(0, 0, 3)).toBe('failed');
    expect([0, 1, 2, 3].map((place) => statesOf(again, place))).toEqual([
      'failed done done',
      'orphaned orphaned running',
      'orphaned orphaned waiting',
      'orphaned',
    ]);
    expect(again.counts(1)).toEqual({
      total: 3,
      waiting: 0,
      ready: 0,
      running: 1,
      done: 0,
      skipped: 0,
      failed: 0,
      orphaned: 2,
      unwanted: 0,
    });
    again.complete(1, 2, 1, 'done');
    expect(runAll(again)).toEqual(['2:2']);
    expect(again.finished).toBe(true);
    expect(again.failedBlocks(0)).toEqual([0]);
    expect([...again.blocksIn(1, BlockState.orphaned)]).toEqual([0, 1]);
  });

  test('a failure orphans down the levels of its own task', () => {
    const scheduler = new Scheduler([task(row(5, { contextLow: [2], readWriteConflict: true }), { maxRetries: 0 })]);
    // levels of 3: blocks 2, then 1 and 4, then 0 and 3
    failNext(scheduler);
    expect(statesOf(scheduler, 0)).toBe('orphaned orphaned failed orphaned orphaned');
    expect(scheduler.finished).toBe(true);
  });

  test('a lost worker is not the fault of a block until it happens again and again', () => {
    const scheduler = new Scheduler([task(row(1), { maxRetries: 0 })]);
    for (const attempt of [1, 2]) {
      expect(scheduler.acquire()).toEqual({ task: 0, block: 0, attempt });
      expect(scheduler.lose(0, 0, attempt)).toBe('retry');
    }
    scheduler.acquire();
    expect(scheduler.giveBack(0, 0, 3)).toBe(true);
    scheduler.acquire();
    expect(scheduler.lose(0, 0, 4)).toBe('failed');
    expect(scheduler.failedBlocks(0)).toEqual([0]);
  });

  test('a stale attempt changes nothing', () => {
    const scheduler = new Scheduler([task(row(1))]);
    scheduler.acquire();
    scheduler.lose(0, 0, 1);
    expect(scheduler.complete(0, 0, 1, 'done')).toBe(false); // ready again
    scheduler.acquire();
    expect(scheduler.isCurrent(0, 0, 1)).toBe(false);
    expect(scheduler.complete(0, 0, 1, 'done')).toBe(false);
    expect(scheduler.fail(0, 0, 1)).toBe('stale');
    expect(scheduler.complete(0, 0, 2, 'done')).toBe(true);
    expect(scheduler.complete(0, 0, 2, 'done')).toBe(false);
    expect(scheduler.lose(0, 0, 2)).toBe('stale');
    const nowhere: [number, number, number][] = [
      [1, 0, 1],
      [0, 1, 1],
      [-1, 0, 1],
      [0, -1, 1],
      [0, 0.5, 1],
      [Number.NaN, 0, 1],
    ];
    for (const place of nowhere) {
      expect(scheduler.complete(...place, 'done')).toBe(false);
    }
  });
});

describe('budget and resources', () => {
  test('limit what runs at once, and say so', () => {
    const scheduler = new Scheduler(
      [task(row(9), { resources: { gpu: 2 } }), task(row(2), { resources: { database: 1 } })],
      { workers: 3, resources: { gpu: 3, database: 1 } },
    );
    expect(scheduler.idleReason()).toBeUndefined();
    expect(scheduler.acquire()).toEqual({ task: 0, block: 0, attempt: 1 });
    expect(scheduler.acquire()).toEqual({ task: 1, block: 0, attempt: 1 });
    expect(scheduler.acquire()).toBeUndefined();
    expect(scheduler.idleReason()).toBe('resource gpu');
    scheduler.complete(0, 0, 1, 'done');
    expect(scheduler.acquire()).toEqual({ task: 0, block: 1, attempt: 1 });
    scheduler.lose(0, 1, 1);
    expect(scheduler.acquire()?.block).toBe(2);

    const narrow = new Scheduler([task(row(9))], { workers: 2 });
    expect([narrow.acquire()?.block, narrow.acquire()?.block, narrow.acquire()?.block]).toEqual([0, 1, undefined]);
    expect(narrow.idleReason()).toBe('budget');
  });
});

describe('what an earlier run left', () => {
  test('stays, and is not waited for', () => {
    const scheduler = new Scheduler([
      task(row(4), { recorded: Uint8Array.of(1, 2, 0, 0) }),
      task(row(4), { upstream: [0], recorded: Uint8Array.of(0, 0, 0, 1) }),
    ]);
    expect(statesOf(scheduler, 0)).toBe('done skipped ready ready');
    expect(statesOf(scheduler, 1)).toBe('ready ready waiting done');
    expect(runAll(scheduler)).toEqual(['1:0', '1:1', '0:2', '1:2', '0:3']);
    expect(scheduler.counts(0)).toMatchObject({ done: 3, skipped: 1 });
  });

  test('all of it: nothing is left to do', () => {
    const plan = row(3, { contextLow: [1], readWriteConflict: true });
    const recorded = Uint8Array.of(1, 1, 1);
    const scheduler = new Scheduler([task(plan, { recorded }), task(row(3), { barriers: [0] })]);
    recorded.fill(0);
    expect(statesOf(scheduler, 0)).toBe('done done done');
    expect(statesOf(scheduler, 1)).toBe('ready ready ready');
  });

  test('keeps blocks on both sides of it apart, which may conflict', () => {
    // levels 2, 1, 0 of one block each: 0 reads what 2 writes, and they know of each other only through 1
    const plan = row(3, { contextHigh: [2], readWriteConflict: true });
    const recorded = Uint8Array.of(0, 1, 0);
    const scheduler = new Scheduler([task(plan, { recorded, maxRetries: 0 })]);
    expect(statesOf(scheduler, 0)).toBe('waiting done ready');
    const failing = new Scheduler([task(plan, { recorded, maxRetries: 0 })]);
    expect(runAll(scheduler)).toEqual(['0:2', '0:0']);
    failNext(failing);
    expect(statesOf(failing, 0)).toBe('ready done failed');
    expect(runAll(failing)).toEqual(['0:0']);
    expect(failing.finished).toBe(true);
  });

  test('a million blocks are taken over, and the rest runs', () => {
    const plan = new BlockPlan({
      totalWriteRoi: new Roi([0, 0, 0], [100, 100, 100]),
      blockShape: [1, 1, 1],
      contextLow: [1, 1, 1],
      contextHigh: [1, 1, 1],
      readWriteConflict: true,
    });
    const recorded = new Uint8Array(plan.count).fill(1);
    const left = [0, 12_345, 12_346, plan.count - 1];
    for (const block of left) recorded[block] = 0;
    const scheduler = new Scheduler([task(plan, { recorded }), task(plan, { upstream: [0], recorded })]);
    const order = runAll(scheduler);
    expect(order).toHaveLength(8);
    expect(scheduler.finished).toBe(true);
    expect(order.indexOf('0:12345')).toBeLessThan(order.indexOf('1:12346'));
  });
});

describe('revival', () => {
  const twice = { maxRetries: 1 };

  test('a failed block and what it orphaned wait again, its attempts go on counting, its retries begin anew', () => {
    const scheduler = new Scheduler([task(row(2), twice), task(row(2), { upstream: [0] })]);
    failNext(scheduler);
    failNext(scheduler);
    expect(scheduler.finished).toBe(true);
    expect(scheduler.revive(0, [1, 1])).toEqual({ failed: 1, orphaned: 1 });
    expect(statesOf(scheduler, 0)).toBe('failed ready');
    expect(statesOf(scheduler, 1)).toBe('orphaned waiting');
    expect(scheduler.finished).toBe(false);
    expect(scheduler.acquire()).toEqual({ task: 0, block: 1, attempt: 3 });
    expect(scheduler.complete(0, 1, 2, 'done')).toBe(false);
    expect(scheduler.fail(0, 1, 3)).toBe('retry');
    expect(scheduler.troubles(0, 1)).toEqual({ attempts: 3, failures: 1, losses: 0 });
    expect(runAll(scheduler)).toEqual(['0:1', '1:1']);
    expect(scheduler.revive(0, [0, 1])).toEqual({ failed: 1, orphaned: 1 });
    expect(runAll(scheduler)).toEqual(['0:0', '1:0']);
  });

  test('behind a barrier everything waits again once nothing is lost', () => {
    const scheduler = new Scheduler([task(row(2), { maxRetries: 0 }), task(row(3), { barriers: [0] })]);
    failNext(scheduler);
    failNext(scheduler);
    expect(scheduler.revive(0, [0])).toEqual({ failed: 1, orphaned: 0 });
    expect(scheduler.revive(0, [1])).toEqual({ failed: 1, orphaned: 3 });
    expect(runAll(scheduler)).toEqual(['0:0', '0:1', '1:0', '1:1', '1:2']);
  });
});

describe('refuses', () => {
  test.each<[string, readonly ScheduledTask[], SchedulerOptions, string]>([
    [
      'an upstream task that is not there',
      [task(row(1), { upstream: [1] })],
      {},
      'places of other tasks, 0 to 0, found 1',
    ],
    ['a task upstream of itself', [task(row(1), { barriers: [0] })], {}, 'found 0'],
    [
      'a circle',
      [task(row(1), { name: 'a', upstream: [1] }), task(row(1), { name: 'b', barriers: [0] })],
      {},
      'found one among the tasks a, b',
    ],
    [
      'other dimensions upstream',
      [
        task(new BlockPlan({ totalWriteRoi: new Roi([0, 0], [1, 1]), blockShape: [1, 1] })),
        task(row(1), { upstream: [0] }),
      ],
      {},
      'expected 1 dimensions, found 2',
    ],
    [
      'a record of another length',
      [task(row(3), { recorded: new Uint8Array(2) })],
      {},
      'expected 3 bytes, one a block, found 2',
    ],
    [
      'part of a retry',
      [task(row(3), { maxRetries: 1.5 })],
      {},
      'maxRetries: expected a whole number of at least 0, found 1.5',
    ],
    [
      'a resource that nobody has',
      [task(row(3), { resources: { gpu: 1 } })],
      {},
      'expected at least 1 of resource gpu, found no such resource (known: none)',
    ],
    [
      'more of a resource than there is',
      [task(row(3), { resources: { gpu: 3 } })],
      { resources: { gpu: 2 } },
      'expected at least 3 of resource gpu, found 2',
    ],
    ['part of a resource', [task(row(3), { resources: { gpu: 0.5 } })], { resources: { gpu: 2 } }, 'found 0.5'],
    ['no workers', [task(row(3))], { workers: 0 }, 'workers: expected a number of at least 1, found 0'],
    ['a blame before any loss', [task(row(3))], { maxLosses: Number.NaN }, 'maxLosses'],
  ])('%s', (_, tasks, options, message) => {
    expect(refusal(tasks, options)).toContain('ERR_PLAN');
    expect(refusal(tasks, options)).toContain(message);
  });
});
