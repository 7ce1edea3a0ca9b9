import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Fit } from '../../lib/blocks/block.js';
import { downstreamRange, upstreamCounts, upstreamRange } from '../../lib/blocks/dependencies.js';
import { type GridRange, gridRangeCount, visitRows } from '../../lib/blocks/grid-range.js';
import { BlockPlan } from '../../lib/blocks/plan.js';
import { Roi } from '../../lib/geometry/roi.js';
import { goldens, readJson } from '../support/goldens.js';
import { anyPlan, neighboursOf } from './plans.js';

type Box = [number[], number[]];

interface GoldenTask {
  name: string;
  total: Box;
  read: Box;
  write: Box;
  fit: Fit;
  conflict: boolean;
  upstream: string[];
}

interface GoldenChain {
  name: string;
  tasks: GoldenTask[];
  blocks: Record<string, { write: Box; read: Box; upstream: [string, number[]][] }[]>;
}

const { chains } = readJson<{ chains: GoldenChain[] }>(join(goldens, 'daisy', 'chains.json.gz'));

function indicesIn(range: GridRange, plan: BlockPlan): number[] {
  const indices: number[] = [];
  visitRows(range, plan.gridShape.values, (first, count) => {
    for (let index = first; index < first + count; index++) indices.push(index);
  });
  return indices;
}

const planOf = (task: GoldenTask) =>
  BlockPlan.fromRois({
    totalReadRoi: new Roi(...task.total),
    blockReadRoi: new Roi(...task.read),
    blockWriteRoi: new Roi(...task.write),
    fit: task.fit,
    readWriteConflict: task.conflict,
  });

describe('goldens of daisy', () => {
  test('all are here', () => expect(chains).toHaveLength(17));

  test.each(chains.map((chain) => [chain.name, chain] as const))('%s', (_, chain) => {
    const plans = new Map(chain.tasks.map((task) => [task.name, planOf(task)]));
    for (const task of chain.tasks) {
      const plan = plans.get(task.name)!;
      const found = Array.from({ length: plan.count }, (_, index) => {
        const waitsFor = [
          ...neighboursOf(plan, 'upstream', index).map((other) => [task.name, [...plan.writeRoi(other).offset]]),
          ...task.upstream.flatMap((name) => {
            const upstream = plans.get(name)!;
            const blocks = indicesIn(upstreamRange(upstream, plan, index), upstream);
            return blocks.map((other) => [name, [...upstream.writeRoi(other).offset]]);
          }),
        ];
        return {
          write: [...plan.writeRoi(index).offset],
          upstream: waitsFor.map((edge) => JSON.stringify(edge)).sort(),
        };
      });
      const expected = chain.blocks[task.name].map(({ write, upstream }) => ({
        write: write[0],
        upstream: upstream.map((edge) => JSON.stringify(edge)).sort(),
      }));
      expect(found).toEqual(expected);
    }
  });
});

const twoPlans = fc
  .integer({ min: 1, max: 3 })
  .chain((dimensions) =>
    fc.tuple(anyPlan({ dimensions, blocksPerAxis: 4 }), anyPlan({ dimensions, blocksPerAxis: 4 })),
  );

test('ranges are the blocks whose writeRoi meets the readRoi, from both ends, and their counts', () => {
  fc.assert(
    fc.property(twoPlans, ([a, b]) => {
      const blocksOf = (plan: BlockPlan) => Array.from({ length: plan.count }, (_, index) => plan.block(index));
      const [blocksOfA, blocksOfB] = [blocksOf(a), blocksOf(b)];
      const counts = upstreamCounts(a, b);
      for (const block of blocksOfB) {
        const expected = blocksOfA.filter(({ writeRoi }) => writeRoi.overlaps(block.readRoi)).map(({ index }) => index);
        const range = upstreamRange(a, b, block.index);
        expect(indicesIn(range, a)).toEqual(expected);
        expect(gridRangeCount(range)).toBe(expected.length);
        const position = b.gridPosition(block.index);
        expect(counts.reduce((product, axis, i) => product * axis[position.at(i)], 1)).toBe(expected.length);
      }
      for (const block of blocksOfA) {
        const expected = blocksOfB.filter(({ readRoi }) => readRoi.overlaps(block.writeRoi)).map(({ index }) => index);
        expect(indicesIn(downstreamRange(a, b, block.index), b)).toEqual(expected);
      }
    }),
    { seed: 7, numRuns: 150 },
  );
});

test('a range that is given is filled', () => {
  const plan = new BlockPlan({ totalWriteRoi: new Roi([0, 0], [30, 30]), blockShape: [10, 10], contextLow: [1, 1] });
  const into = { begin: new Float64Array(2), end: new Float64Array(2) };
  expect(upstreamRange(plan, plan, 4, into)).toBe(into);
  expect([...into.begin, ...into.end]).toEqual([0, 0, 2, 2]);
  expect(downstreamRange(plan, plan, 4, into)).toBe(into);
  expect([...into.begin, ...into.end]).toEqual([1, 1, 3, 3]);
});
