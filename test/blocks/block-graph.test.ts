import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Fit } from '../../lib/blocks/block.js';
import { BlockGraph, type GraphTask, type TaskBlock } from '../../lib/blocks/block-graph.js';
import { BlockPlan } from '../../lib/blocks/plan.js';
import { Roi } from '../../lib/geometry/roi.js';
import { goldens, readJson } from '../support/goldens.js';

type Box = [number[], number[]];

interface GoldenChain {
  name: string;
  tasks: { name: string; total: Box; read: Box; write: Box; fit: Fit; conflict: boolean; upstream: string[] }[];
  blocks: Record<string, { write: Box; upstream: [string, number[]][] }[]>;
}

const { chains } = readJson<{ chains: GoldenChain[] }>(join(goldens, 'daisy', 'chains.json.gz'));

test.each(chains.map((chain) => [chain.name, chain] as const))(
  'a graph of blocks equals that of daisy: %s',
  (_, chain) => {
    const graph = new BlockGraph(
      chain.tasks.map(({ name, total, read, write, fit, conflict, upstream }) => {
        const rois = {
          totalReadRoi: new Roi(...total),
          blockReadRoi: new Roi(...read),
          blockWriteRoi: new Roi(...write),
        };
        return { name, plan: BlockPlan.fromRois({ ...rois, fit, readWriteConflict: conflict }), upstream };
      }),
    );
    const placeOf = ({ task, block }: TaskBlock) =>
      JSON.stringify([task, [...graph.plan(task).writeRoi(block).offset]]);
    for (const { name } of chain.tasks) {
      const found = Array.from({ length: graph.plan(name).count }, (_, block) =>
        [...graph.upstream({ task: name, block })].map(placeOf).sort(),
      );
      expect(found).toEqual(
        chain.blocks[name].map(({ upstream }) => upstream.map((edge) => JSON.stringify(edge)).sort()),
      );
    }
  },
);

const key = ({ task, block }: TaskBlock) => `${task} ${block}`;
const keys = (blocks: Iterable<TaskBlock>) => [...blocks].map(key).sort();

const anyPlan = fc
  .record({
    size: fc.integer({ min: 1, max: 12 }),
    step: fc.integer({ min: 1, max: 4 }),
    low: fc.nat(3),
    high: fc.nat(3),
    conflict: fc.boolean(),
  })
  .map(({ size, step, low, high, conflict }) => {
    const total = new Roi([0, 0], [size, 4]);
    const context = { contextLow: [low, 0], contextHigh: [high, 1] };
    return new BlockPlan({ totalWriteRoi: total, blockShape: [step, 2], ...context, readWriteConflict: conflict });
  });

describe('the graph of blocks', () => {
  test('equals what comparing every block with every other gives', () => {
    fc.assert(
      fc.property(anyPlan, anyPlan, anyPlan, fc.boolean(), (first, second, third, whole) => {
        const tasks: GraphTask[] = [
          { name: 'first', plan: first },
          { name: 'second', plan: second, upstream: ['first'] },
          { name: 'third', plan: third, upstream: ['second'], barriers: whole ? ['first'] : [] },
        ];
        const graph = new BlockGraph(tasks);
        const all = tasks.flatMap(({ name, plan }) =>
          Array.from({ length: plan.count }, (_, block) => ({ task: name, block })),
        );
        expect(graph.count).toBe(all.length);
        const waits = (one: TaskBlock, other: TaskBlock) => {
          const of = tasks.find(({ name }) => name === one.task)!;
          const before = graph.plan(other.task);
          if (one.task === other.task) {
            const neighbours = new Float64Array(Math.max(1, of.plan.maxNeighbours));
            const length = of.plan.levels > 1 ? of.plan.upstream(one.block, neighbours) : 0;
            return neighbours.subarray(0, length).includes(other.block);
          }
          if (of.barriers?.includes(other.task)) return true;
          if (!of.upstream?.includes(other.task)) return false;
          return before.block(other.block).writeRoi.overlaps(of.plan.block(one.block).readRoi);
        };
        for (const one of all) {
          expect(keys(graph.upstream(one))).toEqual(keys(all.filter((other) => waits(one, other))));
          expect(keys(graph.downstream(one))).toEqual(keys(all.filter((other) => waits(other, one))));
        }
        expect(keys(graph.roots())).toEqual(keys(all.filter((one) => !all.some((other) => waits(one, other)))));
      }),
      { numRuns: 40 },
    );
  });

  test('of a part holds what it needs', () => {
    const plan = (context: number) =>
      new BlockPlan({
        totalWriteRoi: new Roi([0], [100]),
        blockShape: [10],
        contextLow: [context],
        contextHigh: [context],
      });
    const graph = new BlockGraph([
      { name: 'a', plan: plan(0) },
      { name: 'b', plan: plan(5), upstream: ['a'] },
      { name: 'c', plan: plan(5), upstream: ['b'] },
    ]);
    const ranges = (until?: string[]) =>
      [...graph.subgraph(new Roi([45], [1]), until)].map(([name, { begin, end }]) => [name, begin[0], end[0]]);
    expect(ranges()).toEqual([
      ['a', 2, 7],
      ['b', 3, 6],
      ['c', 4, 5],
    ]);
    expect(ranges(['b'])).toEqual([
      ['a', 3, 6],
      ['b', 4, 5],
      ['c', 0, 0],
    ]);
    expect(graph.blocksMeeting('b', new Roi([42], [1]), 'read')).toEqual({
      begin: Float64Array.of(3),
      end: Float64Array.of(5),
    });
  });

  test('names tasks and blocks that are not there', () => {
    const plan = new BlockPlan({ totalWriteRoi: new Roi([0], [30]), blockShape: [10] });
    const graph = new BlockGraph([{ name: 'a', plan }]);
    expect(() => [...graph.upstream({ task: 'b', block: 0 })]).toThrow('task: expected one of a, found b');
    expect(() => [...graph.downstream({ task: 'a', block: 3 })]).toThrow('block: expected 0 to 2, as a has 3, found 3');
    expect(() => new BlockGraph([{ name: 'a', plan, upstream: ['z'] }])).toThrow('expected one of a, found z');
  });
});
