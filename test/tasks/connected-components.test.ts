import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { messageOf } from '../../lib/errors.js';
import { type Connectivity, connectedComponents } from '../../lib/native/connected-components.js';
import type { TypedArray } from '../../lib/storage/metadata.js';
import { cropOfLabels } from '../support/fib25.js';
import { firstDifference, randomLabels, widened } from '../support/labels.js';
import { TaskBench } from '../support/task-bench.js';

const shape = [11, 13, 17];
const labels = randomLabels(11 * 13 * 17, [0n, 0n, 5n, 2n ** 64n - 1n, 2n ** 63n], 4, 3);

let bench: TaskBench;
beforeEach(async () => {
  bench = new TaskBench([[1, 0, 0]]);
  await bench.write('labels', { data: labels, shape, offset: [80, -8, 0] });
});
afterEach(() => bench.remove());

interface Options {
  readonly input?: string;
  readonly blockSize?: number[];
  readonly connectivity?: Connectivity;
  readonly minSize?: number;
  readonly [option: string]: unknown;
}

function run({ input = 'labels', blockSize = [4, 5, 6], minSize, ...options }: Options = {}): Promise<string[]> {
  return bench.run({
    blocks: { type: 'connected-components', input, fragments: 'fragments', graph: 'graph', blockSize, ...options },
    lut: {
      type: 'components-lut',
      graph: 'graph',
      lut: 'components.lut',
      ...(minSize === undefined ? {} : { minSize }),
    },
    components: { type: 'relabel', fragments: 'fragments', segments: 'segments', lut: 'components.lut', blockSize },
  });
}

async function expectWhole(
  of: BigUint64Array,
  whole: readonly number[],
  connectivity: Connectivity = 'full',
  least = 0,
): Promise<void> {
  const expected = await connectedComponents(of, whole, { connectivity });
  const found = await bench.read('segments');
  if (least === 0) return expect(firstDifference(found, expected.labels)).toBe(-1);
  const sizes = new Map<bigint, number>();
  for (const id of expected.labels) sizes.set(id, (sizes.get(id) ?? 0) + 1);
  const kept = [...sizes.keys()].filter((id) => id !== 0n && sizes.get(id)! >= least).sort((a, b) => Number(a - b));
  const numbers = new Map(kept.map((id, index) => [id, BigInt(index + 1)]));
  expect(
    firstDifference(
      found,
      expected.labels.map((id) => numbers.get(id) ?? 0n),
    ),
  ).toBe(-1);
}

test.each<[string, Options, Connectivity]>([
  ['full', {}, 'full'],
  ['faces', { connectivity: 'face' }, 'face'],
  ['18', { connectivity: 18 }, 18],
  ['in how many coordinates', { connectivity: 2 }, 18],
  ['one block', { blockSize: [16, 16, 32] }, 'full'],
  ['thin blocks', { blockSize: [11, 4, 1] }, 26],
])('equal those of one block, in numbers too: %s', async (_name, options, connectivity) => {
  await run(options);
  await expectWhole(labels, shape, connectivity);
  const { metadata } = await bench.open('segments');
  expect(metadata).toMatchObject({ shape, dataType: 'uint64', units: ['nm', 'nm', 'nm'] });
  expect(metadata.offset.values).toEqual([80, -8, 0]);
});

test('binary: labels that touch are one', async () => {
  await run({ binary: true });
  await expectWhole(
    labels.map((label) => (label === 0n ? 0n : 1n)),
    shape,
  );
});

test('minSize counts the voxels of the volume', async () => {
  const lines = await run({ minSize: 5, connectivity: 6 });
  await expectWhole(labels, shape, 6, 5);
  const { segments, sizes } = await bench.lut('components.lut');
  expect(segments.every((segment, row) => sizes[row] >= 5n === segment > 0n)).toBe(true);
  expect(lines.at(-1)).toMatch(/\d+ components of blocks, \d+ of the volume/);
});

test('the graph has a node for each component of a block, with its place', async () => {
  await run();
  const { nodes } = await bench.graph();
  const fragments = await bench.read('fragments');
  const names = new Set(fragments);
  names.delete(0n);
  const real = [...nodes.ids].filter((_, row) => nodes.sizes[row] > 0n);
  expect(new Set(real)).toEqual(names);
  // a name is a voxel, and a mere name lies there
  const [, height, width] = shape;
  for (const [row, id] of nodes.ids.entries()) {
    if (nodes.sizes[row] > 1n) continue;
    const voxel = Number(id) - 1;
    const place = [Math.floor(voxel / (height * width)), Math.floor(voxel / width) % height, voxel % width];
    const world = place.map((at, axis) => [80, -8, 0][axis] + 8 * at);
    expect([...nodes.positions.subarray(row * 3, row * 3 + 3)]).toEqual(world);
  }
  expect(real.length).toBeLessThan(nodes.ids.length);
});

test('a roi: voxels outside it join nothing', async () => {
  await run({ roi: { offset: [96, 0, 16], shape: [56, 64, 64] } });
  const part = BigUint64Array.from({ length: 7 * 8 * 8 }, (_, at) => {
    const [z, y, x] = [Math.floor(at / 64) + 2, (Math.floor(at / 8) % 8) + 1, (at % 8) + 2];
    return labels[(z * 13 + y) * 17 + x];
  });
  await expectWhole(part, [7, 8, 8]);
});

test('again with other blocks in the same graph: rows of before are not counted', async () => {
  await run();
  await run({ blockSize: [8, 15, 12] });
  await expectWhole(labels, shape);
});

test.each<[string, TypedArray, number[], number[]]>([
  ['int16 in 2-D', Int16Array.from(labels.subarray(0, 2431), Number), [11, 221], [4, 50]],
  ['uint8 in 4-D', Uint8Array.from(labels, (label) => Number(label & 3n)), [11, 13, 1, 17], [5, 4, 1, 9]],
  ['int64 in 1-D', new BigInt64Array(labels.buffer), [2431], [100]],
])('%s', async (_name, data, extents, blockSize) => {
  await bench.write('other', { data, shape: extents });
  await run({ input: 'other', blockSize });
  await expectWhole(
    BigUint64Array.from(data as ArrayLike<number | bigint>, (value) => BigInt.asUintN(64, BigInt(value))),
    extents,
  );
});

test('the labels of FIB-25, 250^3 in blocks of 64^3', async () => {
  const { labels: bytes, shape: whole } = cropOfLabels({ begin: [0, 0, 0], end: [250, 250, 250], step: [1, 1, 1] });
  await bench.write('fib25', { data: bytes, shape: whole, chunkShape: [64, 64, 64] });
  await run({ input: 'fib25', blockSize: [64, 64, 64] });
  await expectWhole(widened(bytes), whole);
});

test.each<[string, Options, string]>([
  ['floats', { input: 'grey' }, "input: expected bool or integers, found float32 (the array's `operations`"],
  ['channels', { input: 'channels' }, 'input: expected no channels, found 1 channel axes'],
  ['connectivity', { connectivity: 8 }, 'connectivity: expected face, full, 1 to 3 or a number of neighbours'],
  ['blockSize', { blockSize: [4, 4] }, 'blockSize: expected 3 numbers, found 2'],
])('refused: %s', async (_name, options, message) => {
  await bench.write('grey', { data: new Float32Array(27), shape: [3, 3, 3] });
  await bench.write('channels', { data: new Uint8Array(54), shape: [2, 3, 3, 3], channelAxes: 1 });
  const error = await run(options).catch((thrown: unknown) => thrown);
  expect(messageOf(error)).toContain(message);
});

test('a graph with scores is none of components', async () => {
  await bench.write('affinities', {
    data: new Uint8Array(labels.length),
    shape: [1, ...shape],
    channelAxes: 1,
    offset: [80, -8, 0],
  });
  const error = await bench
    .run({
      edges: {
        type: 'aff-agglom',
        affinities: 'affinities',
        fragments: 'labels',
        graph: 'graph',
        blockSize: [8, 8, 8],
        scores: { near: [[1, 0, 0]] },
      },
      lut: { type: 'components-lut', graph: 'graph', lut: 'components.lut' },
    })
    .catch((thrown: unknown) => thrown);
  expect(messageOf(error)).toContain('graph: expected one that connected-components writes, found the scores near');
});
