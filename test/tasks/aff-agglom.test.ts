import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { messageOf } from '../../lib/errors.js';
import type { EdgeColumns } from '../../lib/graph/graph-store.js';
import { seededRandom } from '../support/seeded-random.js';
import { TaskBench } from '../support/task-bench.js';

const offsets = [
  [1, 0, 0],
  [0, 1, 0],
  [0, 0, 1],
  [-2, 0, 1],
  [0, 4, -3],
];
const shape = [11, 13, 10];
const voxels = shape[0] * shape[1] * shape[2];
const random = seededRandom(2718);
/** Blobs of 3 voxels an axis with ids beyond 2^53, a few of them background. */
const fragments = BigUint64Array.from({ length: voxels }, (_, voxel) => {
  const [z, y, x] = [Math.floor(voxel / 130), Math.floor(voxel / 10) % 13, voxel % 10];
  const blob = Math.floor((z + x / 4) / 3) * 20 + Math.floor(y / 3) * 5 + Math.floor(x / 3);
  return blob % 7 === 0 ? 0n : (1n << 55n) + BigInt(blob);
});
const bytes = Uint8Array.from({ length: offsets.length * voxels }, () => 256 * random());

const near = offsets.slice(0, 3);
const far = offsets.slice(3);
const scores = { near, far, mixed: [offsets[0], offsets[4]] };

type Sums = Map<string, { sum: number; count: number }>;

/** The slow twin: sums over the pairs of voxels of which the first lies in [begin, end), by score, `u v`. */
function naiveScores(values: ArrayLike<number>, begin = [0, 0, 0], end = shape): Record<string, Sums> {
  const result: Record<string, Sums> = {};
  for (const [name, of] of Object.entries(scores)) {
    const sums: Sums = new Map();
    result[name] = sums;
    for (const offset of of) {
      const channel = offsets.indexOf(offset);
      for (let voxel = 0; voxel < voxels; voxel++) {
        const p = [Math.floor(voxel / 130), Math.floor(voxel / 10) % 13, voxel % 10];
        const q = p.map((value, axis) => value + offset[axis]);
        if (p.some((value, axis) => value < begin[axis] || value >= end[axis])) continue;
        if (q.some((value, axis) => value < 0 || value >= shape[axis])) continue;
        const [a, b] = [fragments[voxel], fragments[q[0] * 130 + q[1] * 10 + q[2]]];
        if (a === b || a === 0n || b === 0n) continue;
        const key = a < b ? `${a} ${b}` : `${b} ${a}`;
        const known = sums.get(key) ?? { sum: 0, count: 0 };
        sums.set(key, { sum: known.sum + values[channel * voxels + voxel], count: known.count + 1 });
      }
    }
  }
  return result;
}

function asSums({ u, v, attributes }: EdgeColumns): Record<string, Sums> {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, { sums, counts }]) => {
      const rows = [...u].map((id, row) => [`${id} ${v[row]}`, { sum: sums[row], count: counts[row] }] as const);
      return [name, new Map(rows.filter(([, { count }]) => count > 0))];
    }),
  );
}

let bench: TaskBench;
beforeEach(async () => {
  bench = new TaskBench(offsets);
  await bench.write('fragments', { data: fragments, shape });
});
afterEach(() => bench.remove());

async function run(options: Record<string, unknown> = {}, affinities: Uint8Array | Float32Array = bytes) {
  await bench.write('affinities', { data: affinities, shape: [offsets.length, ...shape], channelAxes: 1 });
  return edges(options);
}

const edges = (options: Record<string, unknown> = {}) =>
  bench.run({
    edges: {
      type: 'aff-agglom',
      affinities: 'affinities',
      fragments: 'fragments',
      graph: 'graph',
      blockSize: [11, 13, 10],
      scores,
      ...options,
    },
  });

describe('scores do not depend on the blocks', () => {
  test.each([[[11, 13, 10]], [[6, 7, 5]], [[4, 4, 4]], [[5, 13, 3]]])('bytes, blocks of %j', async (blockSize) => {
    await run({ blockSize });
    const { edges } = await bench.graph();
    expect(asSums(edges)).toEqual(naiveScores(bytes));
    const attributes = await bench.withGraph((store) => store.edgeAttributes());
    expect(attributes).toEqual(['far', 'mixed', 'near'].map((name) => ({ name, scale: 1 / 255 })));
  });

  test('floats, whose sums are exact here', async () => {
    const floats = Float32Array.from(bytes, (value) => value / 256);
    await run({ blockSize: [4, 5, 6] }, floats);
    const { edges } = await bench.graph();
    expect(asSums(edges)).toEqual(naiveScores(floats));
    const attributes = await bench.withGraph((store) => store.edgeAttributes());
    expect(attributes.map(({ scale }) => scale)).toEqual([1, 1, 1]);
  });

  test('with more context than is needed', async () => {
    await run({ blockSize: [4, 5, 6], context: [7, 5, 4] });
    expect(asSums((await bench.graph()).edges)).toEqual(naiveScores(bytes));
  });

  test('nor on how often they were run', async () => {
    await run({ blockSize: [4, 5, 6] });
    await edges({ blockSize: [4, 5, 6] });
    expect(asSums((await bench.graph()).edges)).toEqual(naiveScores(bytes));
  });
});

test('a roi counts the pairs that begin in it', async () => {
  await run({ blockSize: [4, 4, 4], roi: { offset: [16, 8, 0], shape: [48, 72, 56] } });
  expect(asSums((await bench.graph()).edges)).toEqual(naiveScores(bytes, [2, 1, 0], [8, 10, 7]));
});

test('fragments may cover a part of the affinities', async () => {
  const part = [6, 13, 10];
  await bench.write('part', { data: fragments.slice(3 * 130, 9 * 130), shape: part, offset: [24, 0, 0] });
  await run({ fragments: 'part', blockSize: [4, 6, 6] });
  const known = fragments.slice();
  const all = naiveScores(bytes, [3, 0, 0], [9, 13, 10]);
  // pairs that end outside the part have no second fragment there
  const { edges } = await bench.graph();
  const total = (sums: Record<string, Sums>) => [...sums.near.values()].reduce((sum, { count }) => sum + count, 0);
  const leaving = [...Array(130).keys()].filter((at) => {
    const [a, b] = [known[8 * 130 + at], known[9 * 130 + at]];
    return a !== b && a !== 0n && b !== 0n;
  });
  expect(total(asSums(edges))).toBe(total(all) - leaving.length);
});

test('only pairs of different fragments count, and only the named scores are kept', async () => {
  await run({ scores: { near } });
  const { edges } = await bench.graph();
  expect(Object.keys(edges.attributes)).toEqual(['near']);
  expect(asSums(edges).near).toEqual(naiveScores(bytes).near);
  expect([...edges.u].every((u, row) => u > 0n && u < edges.v[row])).toBe(true);
});

test('a NaN is told with its voxel in the array', async () => {
  const isCounted = (voxel: number) => {
    const [a, b] = [fragments[voxel], fragments[voxel + 130]];
    return a !== b && a !== 0n && b !== 0n;
  };
  const placeOf = (voxel: number) => [Math.floor(voxel / 130), Math.floor(voxel / 10) % 13, voxel % 10];
  const blockSize = [4, 5, 6];
  // behind the first block on each axis
  const isBehind = (voxel: number) => placeOf(voxel).every((at, axis) => at >= blockSize[axis]);
  const voxel = fragments.findIndex((_, at) => isBehind(at) && at + 130 < voxels && isCounted(at));
  const floats = new Float32Array(bytes);
  floats[voxel] = Number.NaN;
  const thrown = await run({ blockSize }, floats).catch(messageOf);
  expect(thrown).toContain(`affinities: NaN in channel 0 at voxel [${placeOf(voxel).join(', ')}]`);
});

test.each<[string, Record<string, unknown>, string]>([
  [
    'a score of an unknown offset',
    { scores: { near: [[1, 1, 1]] } },
    'scores.near[0]: expected an offset of the neigh',
  ],
  ['too little context', { context: [2, 4, 2] }, 'expected at least [2, 4, 3], the longest offset of the scores'],
  ['context of other axes', { context: [9, 9] }, 'context: expected 3 numbers, found 2'],
])('%s is refused', async (_name, options, text) => {
  const error = await run(options).catch((thrown: unknown) => thrown);
  expect(messageOf(error)).toContain(text);
});

test('affinities of another type are refused before anything runs', async () => {
  await run();
  await bench.write('doubles', { data: new Float64Array(3 * voxels), shape: [3, ...shape], channelAxes: 1 });
  const error = await edges({ affinities: 'doubles' }).catch((thrown: unknown) => thrown);
  expect(messageOf(error)).toContain('affinities: expected uint8 or float32, found float64');
});

test('fragments of another type, voxel size or grid are refused', async () => {
  await bench.write('bytes', { data: new Uint8Array(voxels), shape });
  await bench.write('coarse', { data: fragments, shape, voxelSize: [16, 8, 8] });
  await bench.write('shifted', { data: fragments, shape, offset: [4, 0, 0] });
  await run();
  for (const [name, text] of [
    ['bytes', 'expected uint64 labels, found uint8'],
    ['coarse', 'expected the voxel size of the affinities'],
    ['shifted', 'expected an offset on the voxel grid of the affinities'],
  ]) {
    const error = await edges({ fragments: name }).catch((thrown: unknown) => thrown);
    expect(messageOf(error)).toContain(text);
  }
});
