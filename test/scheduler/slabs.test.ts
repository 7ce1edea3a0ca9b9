import { describe, expect, test } from '@jest/globals';
import { BlockPlan, type BlockPlanOptions } from '../../lib/blocks/plan.js';
import { Roi } from '../../lib/geometry/roi.js';
import { type ScheduledTask, Scheduler } from '../../lib/scheduler/scheduler.js';

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

describe('plans of many slabs', () => {
  const conflicts = { readWriteConflict: true, contextLow: [1], contextHigh: [1] };

  test('10^9 blocks are counted without being made, the lowest ready one comes first', () => {
    const plan = row(1e9, conflicts);
    const ready = Math.floor(1e9 / plan.levels);
    const before = process.memoryUsage().arrayBuffers;
    const scheduler = new Scheduler([task(plan), task(row(1e9), { barriers: [0] })]);
    expect(scheduler.counts(0)).toMatchObject({ total: 1e9, ready, waiting: 1e9 - ready });
    expect(scheduler.counts(1)).toMatchObject({ ready: 0, waiting: 1e9 });
    expect(scheduler.acquire()).toEqual({ task: 0, block: plan.levels - 1, attempt: 1 });
    expect(scheduler.counts(0)).toMatchObject({ running: 1, ready: ready - 1, waiting: 1e9 - ready });
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16e6);
  });

  test.each([false, true])('every block runs once and after those it waits for; in pieces resumed: %s', (resumed) => {
    const plan = row(150_000, conflicts);
    const recorded = resumed
      ? [
          { first: 100, states: new Uint8Array(70_000).fill(1) },
          { first: 140_000, states: Uint8Array.of(0, 2, 1) },
        ]
      : undefined;
    const scheduler = new Scheduler([task(plan, { recorded }), task(row(150_000), { barriers: [0] })]);
    const left = resumed ? 150_000 - 70_002 : 150_000;
    expect(scheduler.counts(0)).toMatchObject({ done: resumed ? 70_001 : 0, skipped: resumed ? 1 : 0 });
    const finished = Uint8Array.from({ length: 150_000 }, (_, block) => (scheduler.state(0, block) >= 3 ? 1 : 0));
    const before = new Float64Array(plan.maxNeighbours);
    for (let i = 0; i < left; i++) {
      const { task: of, block, attempt } = scheduler.acquire()!;
      const length = plan.upstream(block, before);
      if (of !== 0 || before.subarray(0, length).some((one) => finished[one] === 0)) {
        throw new Error(`block ${block} of task ${of} came too early`);
      }
      finished[block] = 1;
      scheduler.complete(of, block, attempt, 'done');
    }
    expect(finished).not.toContain(0);
    expect(scheduler.counts(1)).toMatchObject({ ready: 150_000, waiting: 0 });
    expect(scheduler.acquire()).toEqual({ task: 1, block: 0, attempt: 1 });
  });
});
