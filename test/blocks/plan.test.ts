import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Fit } from '../../lib/blocks/block.js';
import { gridRangeCount, visitRows } from '../../lib/blocks/grid-range.js';
import { BlockPlan, type BlockPlanJson, type BlockPlanOptions } from '../../lib/blocks/plan.js';
import { codeOf, messageOf } from '../../lib/errors.js';
import { Coordinate } from '../../lib/geometry/coordinate.js';
import { Roi } from '../../lib/geometry/roi.js';
import { goldens, readJson } from '../support/goldens.js';
import { anyPlan, neighboursOf } from './plans.js';

type Box = [number[], number[]];

interface GoldenPlan {
  name: string;
  total: Box;
  read: Box;
  write: Box;
  fit: Fit;
  conflict: boolean;
  levels: number;
  numBlocks: number;
  blocks: { write: Box; read: Box; upstream: number[][] }[];
}

const { plans } = readJson<{ plans: GoldenPlan[] }>(join(goldens, 'daisy', 'plans.json.gz'));
const asBox = (roi: Roi): Box => [[...roi.offset], [...roi.shape]];

/** The error of a call that must throw, as `code: message`. */
function refusal(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    return `${codeOf(error)}: ${messageOf(error)}`;
  }
  throw new Error('expected an error');
}

function everyIndex(plan: BlockPlan): number[] {
  return Array.from({ length: plan.count }, (_, index) => index);
}

describe('goldens of daisy', () => {
  test('all are here', () => expect(plans).toHaveLength(63));

  test.each(plans.map((plan, i) => [`${plan.name} (${i})`, plan] as const))('%s', (_, golden) => {
    const plan = BlockPlan.fromRois({
      totalReadRoi: new Roi(...golden.total),
      blockReadRoi: new Roi(...golden.read),
      blockWriteRoi: new Roi(...golden.write),
      fit: golden.fit,
      readWriteConflict: golden.conflict,
    });
    expect(plan.count).toBe(golden.numBlocks);
    expect(plan.levels).toBe(golden.levels);
    expect(asBox(plan.totalReadRoi)).toEqual(golden.total);
    const found = everyIndex(plan).map((index) => ({
      write: asBox(plan.writeRoi(index)),
      read: asBox(plan.readRoi(index)),
      upstream: neighboursOf(plan, 'upstream', index)
        .sort((a, b) => a - b)
        .map((upstream) => [...plan.writeRoi(upstream).offset]),
    }));
    // upstream blocks in raster order of their offsets, on both sides
    const byOffset = (a: number[], b: number[]) =>
      a.find((value, axis) => value !== b[axis])! - b.find((value, axis) => value !== a[axis])!;
    expect(found).toEqual(golden.blocks.map((block) => ({ ...block, upstream: [...block.upstream].sort(byOffset) })));
  });
});

describe('a plan', () => {
  const options: BlockPlanOptions = {
    totalWriteRoi: new Roi([-5, 3], [25, 18]),
    blockShape: [10, 6],
    contextLow: [2, 0],
    contextHigh: [3, 1],
  };

  test('numbers its blocks in raster order from the total write Roi', () => {
    const plan = new BlockPlan(options);
    expect(plan.fit).toBe('shrink');
    expect(plan.readWriteConflict).toBe(false);
    expect([...plan.gridShape]).toEqual([3, 3]);
    expect(plan.count).toBe(9);
    expect(asBox(plan.writeRoi(0))).toEqual([
      [-5, 3],
      [10, 6],
    ]);
    expect(asBox(plan.readRoi(0))).toEqual([
      [-7, 3],
      [15, 7],
    ]);
    expect(asBox(plan.writeRoi(5))).toEqual([
      [5, 15],
      [10, 6],
    ]);
    expect(plan.block(5)).toEqual({ index: 5, writeRoi: plan.writeRoi(5), readRoi: plan.readRoi(5) });
    expect([...plan.gridPosition(5)]).toEqual([1, 2]);
    expect(plan.indexOf([1, 2])).toBe(5);
  });

  test.each([
    [
      'valid',
      [2, 3],
      [
        [5, 15],
        [10, 6],
      ],
      [
        [3, 15],
        [15, 7],
      ],
    ],
    [
      'overhang',
      [3, 3],
      [
        [15, 15],
        [10, 6],
      ],
      [
        [13, 15],
        [15, 7],
      ],
    ],
    [
      'shrink',
      [3, 3],
      [
        [15, 15],
        [5, 6],
      ],
      [
        [13, 15],
        [10, 7],
      ],
    ],
  ] as const)('ends with a block that fits: %s', (fit, grid, write, read) => {
    const plan = new BlockPlan({ ...options, fit });
    expect([...plan.gridShape]).toEqual(grid);
    expect(asBox(plan.writeRoi(plan.count - 1))).toEqual(write);
    expect(asBox(plan.readRoi(plan.count - 1))).toEqual(read);
  });

  test('orders eight levels in three dimensions, the one farthest along first', () => {
    const plan = new BlockPlan({
      totalWriteRoi: new Roi([0, 0, 0], [40, 40, 40]),
      blockShape: [10, 10, 10],
      contextLow: [1, 1, 1],
      contextHigh: [1, 1, 1],
      readWriteConflict: true,
    });
    expect(plan.levels).toBe(8);
    expect(plan.levelOf(plan.indexOf([1, 1, 1]))).toBe(0);
    expect(plan.levelOf(plan.indexOf([3, 3, 2]))).toBe(1);
    expect(plan.levelOf(plan.indexOf([0, 2, 0]))).toBe(7);
    expect([...plan.roots()].map((index) => [...plan.gridPosition(index)])).toEqual([
      [1, 1, 1],
      [1, 1, 3],
      [1, 3, 1],
      [1, 3, 3],
      [3, 1, 1],
      [3, 1, 3],
      [3, 3, 1],
      [3, 3, 3],
    ]);
    // level 6 is (0, 0, 1); before it comes level 5, (0, 1, 0)
    const block = plan.indexOf([2, 2, 1]);
    const upstream = neighboursOf(plan, 'upstream', block).map((index) => [...plan.gridPosition(index)]);
    expect(upstream.sort()).toEqual([
      [2, 1, 0],
      [2, 1, 2],
      [2, 3, 0],
      [2, 3, 2],
    ]);
  });

  test('holds more blocks than 32 bits can count', () => {
    const plan = new BlockPlan({
      totalWriteRoi: new Roi([0, 0, 0], [320_000, 320_000, 320_000]),
      blockShape: [100, 100, 100],
      contextLow: [1, 1, 1],
      contextHigh: [1, 1, 1],
      readWriteConflict: true,
    });
    expect(plan.count).toBe(3200 ** 3);
    const last = plan.count - 1;
    expect([...plan.gridPosition(last)]).toEqual([3199, 3199, 3199]);
    expect(plan.levelOf(last)).toBe(0);
    expect(neighboursOf(plan, 'downstream', last)).toEqual([last - 1]);
    const middle = plan.indexOf([2000, 2000, 2000]);
    expect([...plan.writeRoi(middle).offset]).toEqual([200_000, 200_000, 200_000]);
    expect(neighboursOf(plan, 'upstream', middle)).toEqual([middle - 1, middle + 1].reverse());
    expect(neighboursOf(plan, 'upstream', middle + 1)).toHaveLength(4);
  });

  test('has no blocks where valid leaves none', () => {
    const plan = new BlockPlan({ ...options, fit: 'valid', blockShape: [26, 6], readWriteConflict: true });
    expect(plan.count).toBe(0);
    expect(plan.levels).toBe(0);
    expect([...plan.gridShape]).toEqual([0, 3]);
    expect(gridRangeCount(plan.blocksMeeting(plan.totalReadRoi, 'write'))).toBe(0);
    expect(refusal(() => plan.block(0))).toContain('ERR_PLAN: index');
  });

  test('goes to JSON and back', () => {
    fc.assert(
      fc.property(anyPlan(), (plan) => {
        const json = JSON.stringify(plan);
        const again = BlockPlan.fromJSON(JSON.parse(json) as BlockPlanJson);
        expect(JSON.stringify(again)).toBe(json);
        expect(again).toEqual(plan);
      }),
      { seed: 1, numRuns: 50 },
    );
    expect(JSON.stringify(new BlockPlan(options))).toBe(
      '{"totalWriteRoi":{"offset":[-5,3],"shape":[25,18]},"blockShape":[10,6],"contextLow":[2,0],"contextHigh":[3,1],"fit":"shrink","readWriteConflict":false}',
    );
  });

  test.each<[string, Partial<BlockPlanOptions>, string]>([
    [
      'an empty total',
      { totalWriteRoi: new Roi([0, 0], [5, 0]) },
      'totalWriteRoi: expected a box that is not empty, found',
    ],
    [
      'a block without extent',
      { blockShape: [10, 0] },
      'blockShape: expected entries of at least 1 world unit, found [10, 0]',
    ],
    [
      'negative context',
      { contextHigh: [0, -1] },
      'contextHigh: expected entries of at least 0 world units, found [0, -1]',
    ],
    ['other dimensions', { contextLow: [1] }, 'contextLow: expected 2 dimensions as in totalWriteRoi, found [1]'],
    ['an unknown fit', { fit: 'loose' as Fit }, 'fit: expected valid, overhang, shrink, found "loose"'],
    [
      'too many blocks',
      { totalWriteRoi: new Roi([0, 0], [2 ** 40, 2 ** 40]), blockShape: [1, 1] },
      'at most 2^53 - 1 blocks',
    ],
  ])('refuses %s', (_, change, message) => {
    expect(refusal(() => new BlockPlan({ ...options, ...change }))).toContain(message);
    expect(refusal(() => new BlockPlan({ ...options, ...change }))).toContain('ERR_PLAN');
  });

  test.each<[string, Roi, Roi, Roi, string]>([
    [
      'a read Roi that misses part of the write Roi',
      new Roi([0], [50]),
      new Roi([0], [10]),
      new Roi([5], [10]),
      'blockReadRoi: expected a box that contains',
    ],
    [
      'a total no larger than the context',
      new Roi([0], [4]),
      new Roi([0], [14]),
      new Roi([2], [10]),
      'totalReadRoi: expected a box larger than',
    ],
    [
      'other dimensions',
      new Roi([0], [40]),
      new Roi([0, 0], [14, 14]),
      new Roi([2], [10]),
      'blockReadRoi: expected 1 dimensions',
    ],
  ])('refuses %s', (_, totalReadRoi, blockReadRoi, blockWriteRoi, message) => {
    expect(refusal(() => BlockPlan.fromRois({ totalReadRoi, blockReadRoi, blockWriteRoi }))).toContain(
      `ERR_PLAN: ${message}`,
    );
  });

  test('refuses indices, positions and levels that it does not have', () => {
    const plan = new BlockPlan(options);
    for (const index of [-1, 9, 0.5, Number.NaN])
      expect(refusal(() => plan.writeRoi(index))).toContain('0 to 8, found');
    for (const position of [
      [3, 0],
      [0, -1],
    ])
      expect(refusal(() => plan.indexOf(position))).toContain('ERR_PLAN');
    expect(refusal(() => [...plan.blocksOfLevel(1)])).toContain('level: expected 0 to 0, found 1');
  });
});

describe('for any plan', () => {
  test('index and position, level and lattice agree', () => {
    fc.assert(
      fc.property(anyPlan(), (plan) => {
        const levels = Array.from({ length: plan.levels }, (_, level) => [...plan.blocksOfLevel(level)]);
        expect(levels.flat().sort((a, b) => a - b)).toEqual(everyIndex(plan));
        levels.forEach((blocks, level) => {
          for (const index of blocks) expect(plan.levelOf(index)).toBe(level);
        });
        for (const index of everyIndex(plan)) expect(plan.indexOf(plan.gridPosition(index))).toBe(index);
      }),
      { seed: 2, numRuns: 100 },
    );
  });

  test('writeRois are disjoint and cover the total as the fit says', () => {
    fc.assert(
      fc.property(anyPlan(), (plan) => {
        const blocks = everyIndex(plan).map((index) => plan.block(index));
        for (const { writeRoi, readRoi } of blocks) {
          expect(writeRoi.empty).toBe(false);
          expect(readRoi.contains(writeRoi)).toBe(true);
          if (plan.fit !== 'overhang') expect(plan.totalReadRoi.contains(readRoi)).toBe(true);
        }
        for (let a = 0; a < blocks.length; a++) {
          for (let b = a + 1; b < blocks.length; b++) {
            expect(blocks[a].writeRoi.overlaps(blocks[b].writeRoi)).toBe(false);
          }
        }
        const covered = blocks.reduce((sum, { writeRoi }) => sum + writeRoi.intersect(plan.totalWriteRoi).size, 0);
        const left = plan.axes.map((axis, i) => plan.totalWriteRoi.shape.at(i) - axis.count * plan.blockShape.at(i));
        const expected =
          plan.fit === 'valid' ? plan.totalWriteRoi.shape.subtract(left).product() : plan.totalWriteRoi.size;
        expect(covered).toBe(expected);
        if (plan.fit === 'valid') for (const rest of left) expect(rest).toBeGreaterThanOrEqual(0);
      }),
      { seed: 3, numRuns: 60 },
    );
  });

  test('upstream and downstream are each other reversed, one level apart', () => {
    fc.assert(
      fc.property(anyPlan(), (plan) => {
        const edges = (of: 'upstream' | 'downstream') =>
          everyIndex(plan).flatMap((index) => neighboursOf(plan, of, index).map((other) => [index, other]));
        const up = edges('upstream');
        for (const [block, before] of up) {
          expect(before >= 0 && before < plan.count).toBe(true);
          expect(plan.levelOf(before)).toBe(plan.levelOf(block) - 1);
        }
        const reversed = edges('downstream').map(([block, after]) => `${after} ${block}`);
        expect(new Set(reversed)).toEqual(new Set(up.map(([block, before]) => `${block} ${before}`)));
        expect(reversed).toHaveLength(new Set(reversed).size);
      }),
      { seed: 4, numRuns: 100 },
    );
  });

  test('blocks that conflict are ordered, directly or through others', () => {
    fc.assert(
      fc.property(anyPlan({ readWriteConflict: true }), (plan) => {
        const blocks = everyIndex(plan).map((index) => plan.block(index));
        const ancestors = new Map<number, Set<number>>();
        for (let level = 0; level < plan.levels; level++) {
          for (const index of plan.blocksOfLevel(level)) {
            const all = new Set<number>();
            for (const before of neighboursOf(plan, 'upstream', index)) {
              all.add(before);
              for (const earlier of ancestors.get(before)!) all.add(earlier);
            }
            ancestors.set(index, all);
          }
        }
        for (const a of blocks) {
          for (const b of blocks) {
            if (a.index === b.index || !a.writeRoi.overlaps(b.readRoi)) continue;
            expect(ancestors.get(a.index)!.has(b.index) || ancestors.get(b.index)!.has(a.index)).toBe(true);
          }
        }
      }),
      { seed: 5, numRuns: 100 },
    );
  });

  test('blocksMeeting finds the blocks whose Rois overlap', () => {
    const box = fc.array(fc.tuple(fc.integer({ min: -20, max: 45 }), fc.integer({ min: 0, max: 30 })), {
      minLength: 3,
      maxLength: 3,
    });
    fc.assert(
      fc.property(anyPlan(), box, fc.constantFrom('write' as const, 'read' as const), (plan, sides, of) => {
        const axes = sides.slice(0, plan.dimensions);
        const roi = new Roi(
          axes.map(([begin]) => begin),
          axes.map(([, extent]) => extent),
        );
        const range = plan.blocksMeeting(roi, of);
        const found: number[] = [];
        visitRows(range, plan.gridShape.values, (first, count) => {
          for (let index = first; index < first + count; index++) found.push(index);
        });
        const expected = everyIndex(plan).filter((index) =>
          (of === 'write' ? plan.writeRoi(index) : plan.readRoi(index)).overlaps(roi),
        );
        expect(found).toEqual(expected);
        expect(gridRangeCount(range)).toBe(expected.length);
      }),
      { seed: 6, numRuns: 300 },
    );
  });
});

test('Rois of blocks far out are exact', () => {
  const far = 2 ** 52;
  const plan = new BlockPlan({
    totalWriteRoi: new Roi([far], [1000]),
    blockShape: [7],
    contextLow: [3],
    contextHigh: [2],
  });
  const last = plan.count - 1;
  expect(asBox(plan.writeRoi(last))).toEqual([[far + 994], [6]]);
  expect(plan.writeRoi(last).end.equals(Coordinate.from([far + 1000]))).toBe(true);
  const range = plan.blocksMeeting(new Roi([far + 6], [2]), 'write');
  expect([range.begin[0], range.end[0]]).toEqual([0, 2]);
});
