import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { messageOf } from '../../lib/errors.js';
import { writeLut } from '../../lib/graph/lut.js';
import { affinitiesOf, cropOfLabels } from '../support/fib25.js';
import { naiveGraphMutexWatershed } from '../support/naive-mutex-watershed.js';
import { TaskBench } from '../support/task-bench.js';

const offsets = [
  [1, 0, 0],
  [0, 1, 0],
  [0, 0, 1],
  [0, 3, 0],
  [0, 0, 3],
];
const volume = cropOfLabels({ begin: [0, 60, 100], end: [96, 156, 196], step: [6, 6, 6] });
const blockSize = [8, 8, 8];
type Weights = Record<string, [number, number]>;
const weights: Weights = { near: [1, -0.5], far: [0.9, -0.51] };
/** So that scores balance, and which one goes first matters. */
const close: Weights = { near: [1, -0.3], far: [1, -0.45] };

let bench: TaskBench;
let graph: Awaited<ReturnType<TaskBench['graph']>>;
const fragmentsTask = {
  type: 'extract-frags',
  affinities: 'affinities',
  fragments: 'fragments',
  graph: 'graph',
  blockSize,
  context: [3, 3, 3],
  bias: -0.5,
  noiseEps: 0.01,
};
const edgesTask = {
  type: 'aff-agglom',
  affinities: 'affinities',
  fragments: 'fragments',
  graph: 'graph',
  blockSize,
  scores: { near: offsets.slice(0, 3), far: offsets.slice(3) },
};

beforeAll(async () => {
  bench = new TaskBench(offsets);
  const bytes = affinitiesOf(volume, offsets, 5);
  await bench.write('affinities', { data: bytes, shape: [offsets.length, ...volume.shape], channelAxes: 1 });
  await run('first.lut', { weights });
  graph = await bench.graph();
});
afterAll(() => bench.remove());

/** All three tasks: the graph is made again each time, the same one. */
const run = (lut: string, options: object) =>
  bench.run({
    fragments: fragmentsTask,
    edges: edgesTask,
    lut: { type: 'graph-mws', graph: 'graph', lut, ...options },
  });

interface Options {
  readonly weights: Weights;
  readonly pseudoCount?: number;
  readonly edgePerAttr?: boolean;
}

/** The slow twin. */
function naiveSegments({ weights, pseudoCount = 100, edgePerAttr = true }: Options, joined: [bigint, bigint][] = []) {
  const { u, v, attributes } = graph.edges;
  const items = [...u].flatMap((id, row) => {
    const scores = Object.entries(weights)
      .sort()
      .flatMap(([name, [weight, bias]], attribute) => {
        const [sum, count] = [attributes[name].sums[row], attributes[name].counts[row]];
        if (count === 0) return [];
        const score = (weight * ((sum * (1 / 255)) / count) + bias) * (count / (count + pseudoCount));
        return [{ score, attribute, u: id, v: v[row] }];
      });
    if (edgePerAttr) return scores;
    return [{ score: scores.reduce((sum, { score }) => sum + score, 0), attribute: 0, u: id, v: v[row] }];
  });
  return naiveGraphMutexWatershed([...graph.nodes.ids], items, joined);
}

describe('each option changes the segments, to those of the slow twin', () => {
  test.each<[string, Options, Options]>([
    ['weights', { weights: close }, { weights }],
    ['one score of two', { weights: { far: [0.9, -0.51] } }, { weights }],
    ['pseudoCount', { weights: close, pseudoCount: 0 }, { weights: close }],
    ['a small pseudoCount', { weights: close, pseudoCount: 5 }, { weights: close, pseudoCount: 0 }],
    ['edgePerAttr', { weights: close, edgePerAttr: false }, { weights: close }],
  ])('%s', async (_name, options, without) => {
    await run('segments.lut', options);
    const lut = await bench.lut('segments.lut');
    expect(lut.fragments).toEqual(graph.nodes.ids);
    expect([...lut.segments]).toEqual(naiveSegments(options));
    expect([...lut.segments]).not.toEqual(naiveSegments(without));
  });

  test('startingLut', async () => {
    // two fragments that would not be joined, one of them unknown to the graph
    const before = naiveSegments({ weights });
    const [a, b] = [graph.nodes.ids[0], graph.nodes.ids[before.lastIndexOf(before.at(-1)!)]];
    expect(before[0]).not.toBe(before.at(-1));
    const unknown = 1n << 60n;
    await writeLut(join(bench.folder, 'starting.lut'), {
      fragments: BigUint64Array.of(a, b, unknown),
      segments: BigUint64Array.of(a, a, a),
      sizes: BigUint64Array.of(1n, 1n, 1n),
    });
    await run('joined.lut', { weights, startingLut: 'starting.lut' });
    const { segments } = await bench.lut('joined.lut');
    expect(segments[graph.nodes.ids.indexOf(b)]).toBe(segments[0]);
    expect([...segments]).toEqual(
      naiveSegments({ weights }, [
        [b, a],
        [unknown, a],
      ]),
    );
    expect([...segments]).not.toEqual(before);
  });
});

test('a segment has the smallest id of its fragments, and the size of all of them', async () => {
  const { fragments, segments, sizes } = await bench.lut('first.lut');
  const total = new Map<bigint, bigint>();
  segments.forEach((segment, row) => {
    expect(segment).toBeLessThanOrEqual(fragments[row]);
    total.set(segment, (total.get(segment) ?? 0n) + graph.nodes.sizes[row]);
  });
  expect([...sizes]).toEqual([...segments].map((segment) => total.get(segment)));
  expect(total.size).toBeLessThan(fragments.length);
  expect([...total.keys()].every((segment) => segments[fragments.indexOf(segment)] === segment)).toBe(true);
});

test('a score that the graph does not have is named', async () => {
  const error = await run('none.lut', { weights: { ...weights, fra: [1, 0] } }).catch((thrown: unknown) => thrown);
  expect(messageOf(error)).toMatch(
    /weights\.fra: expected a score that a task writes to the graph 'graph' \('near', 'far'\), found 'fra'/,
  );
});
