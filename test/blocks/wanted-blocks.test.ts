import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { emptyGridRange, fillInside, type GridRange, visitRows } from '../../lib/blocks/grid-range.js';
import { BlockPlan } from '../../lib/blocks/plan.js';
import { allBlocks, blocksIn, wantedBlocks } from '../../lib/blocks/wanted-blocks.js';
import { Roi } from '../../lib/geometry/roi.js';

const row = (blocks: number, size: number, more = {}) =>
  new BlockPlan({ totalWriteRoi: new Roi([0], [blocks * size]), blockShape: [size], ...more });
const range = (begin: number[], end: number[]): GridRange => ({
  begin: Float64Array.from(begin),
  end: Float64Array.from(end),
});

describe('blocks that are wanted', () => {
  test('are those of a Roi and what they read, through all tasks', () => {
    const tasks = [
      { plan: row(20, 5), upstream: [], barriers: [] },
      { plan: row(10, 10, { contextLow: [10], contextHigh: [1] }), upstream: [0], barriers: [] },
      { plan: row(10, 10, { contextLow: [1] }), upstream: [1], barriers: [] },
    ];
    const asked = new Map([[2, blocksIn(tasks[2].plan, new Roi([42], [10]))]]);
    // [42, 52) is in the blocks 4 and 5, which read [39, 60), which blocks 3 to 5 write, which read [20, 61)
    expect(wantedBlocks(tasks, asked)).toEqual([range([4], [13]), range([3], [6]), range([4], [6])]);
  });

  test('are all of a task that is waited for as a whole, and none of one that nobody needs', () => {
    const tasks = [
      { plan: row(3, 1), upstream: [], barriers: [] },
      { plan: row(4, 1), upstream: [], barriers: [0] },
      { plan: row(5, 1), upstream: [], barriers: [] },
    ];
    const wanted = wantedBlocks(tasks, new Map([[1, range([2], [3])]]));
    expect(wanted).toEqual([allBlocks(tasks[0].plan), range([2], [3]), emptyGridRange(1)]);
  });

  test('hold, with conflicts, every block whose results can come to them', () => {
    const plans = fc.record({
      counts: fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 2 }),
      step: fc.integer({ min: 1, max: 3 }),
      low: fc.integer({ min: 0, max: 4 }),
      high: fc.integer({ min: 0, max: 4 }),
    });
    fc.assert(
      fc.property(plans, fc.nat(100), ({ counts, step, low, high }, pick) => {
        const plan = new BlockPlan({
          totalWriteRoi: new Roi(
            counts.map(() => 0),
            counts.map((count) => count * step),
          ),
          blockShape: counts.map(() => step),
          contextLow: counts.map(() => low),
          contextHigh: counts.map(() => high),
          readWriteConflict: true,
        });
        const block = pick % plan.count;
        const position = plan.gridPosition(block).values;
        const asked = range(
          [...position],
          position.map((one) => one + 1),
        );
        const [wanted] = wantedBlocks([{ plan, upstream: [], barriers: [] }], new Map([[0, asked]]));
        const inside = new Set<number>();
        visitRows(wanted, plan.gridShape.values, (first, count) => {
          for (let i = 0; i < count; i++) inside.add(first + i);
        });
        const needed = new Set([block]);
        for (const one of needed) {
          const { readRoi } = plan.block(one);
          for (let other = 0; other < plan.count; other++) {
            if (plan.levelOf(other) < plan.levelOf(one) && plan.block(other).writeRoi.overlaps(readRoi))
              needed.add(other);
          }
        }
        expect([...needed].filter((one) => !inside.has(one))).toEqual([]);
      }),
    );
  });
});

test('fillInside marks the blocks of a range, from any first block on', () => {
  const axis = fc.record({ size: fc.integer({ min: 1, max: 5 }), a: fc.nat(5), b: fc.nat(5) });
  fc.assert(
    fc.property(fc.array(axis, { minLength: 1, maxLength: 3 }), fc.nat(50), fc.nat(50), (axes, from, count) => {
      const shape = axes.map(({ size }) => size);
      const total = shape.reduce((product, size) => product * size, 1);
      const box = range(
        axes.map(({ a, b, size }) => Math.min(a, b, size)),
        axes.map(({ a, b, size }) => Math.min(Math.max(a, b), size)),
      );
      const expected = new Uint8Array(total);
      visitRows(box, shape, (first, length) => expected.fill(1, first, first + length));
      const first = from % total;
      const into = new Uint8Array(Math.min(count, total - first));
      fillInside(box, shape, first, into);
      expect([...into]).toEqual([...expected.subarray(first, first + into.length)]);
    }),
  );
});
