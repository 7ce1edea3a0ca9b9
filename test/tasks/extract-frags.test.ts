import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { messageOf } from '../../lib/errors.js';
import type { ExtractFragsOptions } from '../../lib/tasks/extract-frags.js';
import { affinitiesOf, cropOfLabels } from '../support/fib25.js';
import { firstDifference } from '../support/label-arrays.js';
import { type NaiveVolume, naiveExtractFrags } from '../support/naive-extract-frags.js';
import { TaskBench } from '../support/task-bench.js';

const offsets = [
  [1, 0, 0],
  [0, 1, 0],
  [0, 0, 1],
  [2, 0, 0],
  [0, -3, 0],
  [0, 0, 3],
];
// every 8th voxel, so that many segments meet in a small volume
const volume = cropOfLabels({ begin: [0, 60, 100], end: [72, 116, 148], step: [8, 8, 8] });
const { shape } = volume;
const bytes = affinitiesOf(volume, offsets, 11);
const origin = [800, -160, 8];

// no axis but the last is a multiple of its blocks
const base = { blockSize: [5, 4, 6], context: [2, 2, 1], bias: -0.5 };
type Options = Partial<ExtractFragsOptions>;

let bench: TaskBench;
beforeEach(() => {
  bench = new TaskBench(offsets);
});
afterEach(() => bench.remove());

async function run(affinities: Uint8Array | Float32Array, options: Options = {}): Promise<string[]> {
  await bench.write('affinities', {
    data: affinities,
    shape: [offsets.length, ...shape],
    channelAxes: 1,
    offset: origin,
  });
  const tasks = {
    fragments: {
      type: 'extract-frags',
      affinities: 'affinities',
      fragments: 'fragments',
      graph: 'graph',
      ...base,
      ...options,
    },
  };
  return bench.run(tasks);
}

/** Runs the task and expects what the slow twin computes, ids and nodes too; returns the labels. */
async function expectTwin(volume: NaiveVolume, options: Options = {}, begin?: number[], end?: number[]) {
  const voxels = (corner: number[]) => corner.map((value, axis) => origin[axis] + 8 * value);
  const roi =
    begin === undefined || end === undefined
      ? {}
      : { roi: { offset: voxels(begin), shape: end.map((high, axis) => 8 * (high - begin[axis])) } };
  await run(volume.affinities, { ...options, ...roi });
  const expected = await naiveExtractFrags(volume, { ...base, ...options }, begin, end);
  const labels = await bench.read('fragments');
  expect(firstDifference(labels, expected.labels)).toBe(-1);
  const { nodes } = await bench.graph();
  expect([...nodes.ids]).toEqual([...expected.nodes.keys()].sort((a, b) => (a < b ? -1 : 1)));
  nodes.ids.forEach((id, row) => {
    const { size, centre } = expected.nodes.get(id)!;
    expect(nodes.sizes[row]).toBe(BigInt(size));
    centre.forEach((value, axis) => {
      expect(nodes.positions[3 * row + axis]).toBeCloseTo(origin[axis] + 8 * value, 9);
    });
  });
  return labels;
}

const fragmentsWithout = new Map<string, Promise<BigUint64Array>>();

/** What the slow twin computes of the whole volume without a mask. */
function twinOf(options: Options): Promise<BigUint64Array> {
  const key = JSON.stringify(options);
  const known = fragmentsWithout.get(key);
  if (known !== undefined) return known;
  const made = naiveExtractFrags({ affinities: bytes, shape, offsets }, { ...base, ...options });
  const labels = made.then((fragments) => fragments.labels);
  fragmentsWithout.set(key, labels);
  return labels;
}

const seeded: Options = { minSeedDistance: 3 };
const strides = offsets.map((offset, channel) => (channel < 3 ? [1, 1, 1] : offset.map(() => 2)));
const noisy: Options = { noiseEps: 0.2 };

describe('each option changes the fragments, to those of the slow twin', () => {
  test.each<[string, Options, Options]>([
    ['context', { context: [3, 0, 1] }, {}],
    ['no context', { context: [0, 0, 0] }, {}],
    ['blockSize', { blockSize: [9, 7, 6] }, {}],
    ['bias', { bias: -0.3 }, {}],
    ['bias per channel', { bias: [-0.5, -0.5, -0.5, -0.9, -0.9, -0.9] }, {}],
    ['strides', { strides }, {}],
    ['randomizedStrides', { strides, randomizedStrides: true }, { strides }],
    ['seed of randomizedStrides', { strides, randomizedStrides: true, seed: 3 }, { strides, randomizedStrides: true }],
    ['noiseEps', noisy, {}],
    ['seed of the noise', { ...noisy, seed: 5 }, noisy],
    ['sigma', { sigma: [1, 0, 0.7] }, {}],
    ['filterFragments', { filterFragments: 0.45 }, {}],
    ['removeDebris', { removeDebris: 12 }, {}],
    ['both filters', { filterFragments: 0.3, removeDebris: 5 }, { filterFragments: 0.3 }],
    ['minSeedDistance', seeded, {}],
    ['another minSeedDistance', { minSeedDistance: 6 }, seeded],
    ['boundaryMaskOffsets', { ...seeded, boundaryMaskOffsets: 'all' }, seeded],
    ['boundaryMaskOffsets by channel', { ...seeded, boundaryMaskOffsets: [2, 3] }, seeded],
    ['seedEps', { ...seeded, seedEps: 0.1 }, seeded],
    ['seedEps with sigma', { ...seeded, seedEps: 0.1, sigma: [0.8, 0.8, 0.8] }, { ...seeded, seedEps: 0.1 }],
  ])('%s', async (_name, options, without) => {
    const labels = await expectTwin({ affinities: bytes, shape, offsets }, options);
    expect(firstDifference(labels, await twinOf(without))).not.toBe(-1);
  });
});

describe('affinities', () => {
  test('as floats give what their bytes give', async () => {
    const floats = Float32Array.from(bytes, (value) => value / 255);
    await expectTwin({ affinities: floats, shape, offsets }, noisy);
  });

  test('that are NaN are an error', async () => {
    const floats = Float32Array.from(bytes, (value) => value / 255);
    floats[300] = Number.NaN;
    await expect(run(floats)).rejects.toMatchObject({ code: 'ERR_NOT_A_NUMBER' });
  });

  test.each<[string, Options]>([
    ['the watershed', {}],
    ['the seeds', { minSeedDistance: 4 }],
  ])('that are NaN are told by %s with their voxel in the array', async (_name, options) => {
    const floats = Float32Array.from(bytes, (value) => value / 255);
    const voxel = shape.map((extent) => extent - 1);
    floats[shape[0] * shape[1] * shape[2] - 1] = Number.NaN;
    const thrown = await run(floats, options).catch(messageOf);
    expect(thrown).toMatch(/affinities: NaN (in channel 0 )?at voxel/);
    expect(thrown).toContain(`at voxel [${voxel.join(', ')}]`);
  });

  test('of a blank block give background and no node', async () => {
    // the last block along the first axis, with its context, just under and at the limit
    for (const [value, fragments] of [
      [0.00099, false],
      [0.00101, true],
    ] as const) {
      const floats = Float32Array.from(bytes, (byte) => byte / 255);
      const plane = shape[1] * shape[2];
      for (let channel = 0; channel < offsets.length; channel++) {
        floats.fill(0, (channel * shape[0] + 3) * plane, (channel + 1) * shape[0] * plane);
      }
      floats[8 * plane] = value;
      // everything above the bias is attractive, so that only the rule keeps a block empty
      const log = await run(floats, { blockSize: [5, 7, 6], bias: 0 });
      const labels = await bench.read('fragments');
      expect(labels.subarray(5 * plane).some((label) => label > 0n)).toBe(fragments);
      expect(log[1]).toBe(`fragments 1: ${fragments ? '1 fragments' : 'no affinities: background only'}`);
      const { nodes } = await bench.graph();
      expect(nodes.ids.some((id) => id > 5n * 7n * 6n)).toBe(fragments);
      bench.remove();
      bench = new TaskBench(offsets);
    }
  });
});

describe('a mask', () => {
  const inside = Uint8Array.from(bytes.subarray(0, shape[0] * shape[1] * shape[2]), (_, voxel) =>
    voxel % shape[2] < 4 && voxel > 100 ? 1 : 0,
  );
  test.each<[string, Options]>([
    ['alone', {}],
    ['before smoothing', { sigma: [1, 1, 1] }],
    ['before seeds', { ...seeded, seedEps: 0.05 }],
    ['before means', { filterFragments: 0.3 }],
  ])('counts %s', async (_name, options) => {
    await bench.write('mask', { data: inside, shape, offset: origin });
    const labels = await expectTwin({ affinities: bytes, shape, offsets, mask: inside }, { ...options, mask: 'mask' });
    expect(firstDifference(labels, await twinOf(options))).not.toBe(-1);
  });

  test('with channels holds where all of them are above 0; it may be smaller than the volume', async () => {
    // [2, ...shape without the first plane]; the mask's array begins one plane later
    const part = [shape[0] - 1, shape[1], shape[2]];
    const voxels = part[0] * part[1] * part[2];
    const channels = Float32Array.from({ length: 2 * voxels }, (_, at) => ((at * 7919) % 5 > 0 ? 0.25 : -1));
    await bench.write('mask', {
      data: channels,
      shape: [2, ...part],
      channelAxes: 1,
      offset: [origin[0] + 8, origin[1], origin[2]],
    });
    const plane = shape[1] * shape[2];
    const both = Array.from({ length: plane + voxels }, (_, at) =>
      at >= plane && channels[at - plane] > 0 && channels[voxels + at - plane] > 0 ? 1 : 0,
    );
    await expectTwin({ affinities: bytes, shape, offsets, mask: both }, { mask: 'mask' });
  });
});

test.each<[string, { shape?: number[]; voxelSize?: number[]; offset?: number[] }, string]>([
  [
    'coarser',
    { voxelSize: [16, 16, 16] },
    'mask: expected the voxel size of the affinities, [8, 8, 8], found [16, 16, 16]',
  ],
  ['between the voxels', { offset: [804, -160, 8] }, 'mask: expected an offset on the voxel grid of the affinities'],
  [
    'of other axes',
    { shape: [10, 10], voxelSize: [8, 8], offset: [0, 0] },
    'mask: expected the voxel size of the affinities',
  ],
])('a mask that is %s is refused', async (_name, mask, text) => {
  const data = new Uint8Array((mask.shape ?? shape).reduce((product, extent) => product * extent, 1)).fill(1);
  await bench.write('mask', { shape, offset: origin, ...mask, data });
  const error = await run(bytes, { mask: 'mask' }).catch((thrown: unknown) => thrown);
  expect(messageOf(error)).toContain(text);
});

describe('a roi', () => {
  test('gives the fragments of that part, with context from around it', async () => {
    const begin = [3, 2, 1];
    const end = [9, 6, 5];
    await expectTwin({ affinities: bytes, shape, offsets }, noisy, begin, end);
    const { metadata } = await bench.open('fragments');
    expect(metadata.offset.values).toEqual([800 + 24, -160 + 16, 16]);
    expect(metadata.shape).toEqual([6, 4, 4]);
  });

  test('that is cut along blocks gives what the whole volume gives there', async () => {
    const whole = await twinOf(noisy);
    await run(bytes, { ...noisy, roi: { offset: [origin[0] + 40, origin[1], origin[2]], shape: [32, 56, 48] } });
    const labels = await bench.read('fragments');
    const part = whole.subarray(5 * shape[1] * shape[2]);
    expect(labels.length).toBe(part.length);
    // ids count from the part's first block
    const before = 2n * 5n * 4n * 6n;
    const shifted = part.map((id) => (id === 0n ? 0n : id - before));
    expect(firstDifference(labels, shifted)).toBe(-1);
  });

  test.each([
    ['outside the volume', { offset: [0, 0, 0], shape: [8, 8, 8] }, 'which lies outside'],
    ['between voxels', { offset: [804, -160, 8], shape: [8, 8, 8] }, 'expected whole voxels'],
    ['of other axes', { offset: [800, -160], shape: [8, 8] }, 'expected 3 numbers'],
  ])('%s is refused', async (_name, roi, text) => {
    const error = await run(bytes, { roi }).catch((thrown: unknown) => thrown);
    expect(messageOf(error)).toContain(text);
  });
});

test('ids are unique in the volume and lie in the range of their block', async () => {
  await run(bytes, noisy);
  const labels = await bench.read('fragments');
  const owner = new Map<bigint, bigint>();
  labels.forEach((id, voxel) => {
    if (id === 0n) return;
    const [z, y] = [Math.floor(voxel / (shape[1] * shape[2])), Math.floor(voxel / shape[2]) % shape[1]];
    const block = BigInt(Math.floor(z / 5) * 2 + Math.floor(y / 4));
    expect(owner.get(id) ?? block).toBe(block);
    owner.set(id, block);
    expect((id - 1n) / (5n * 4n * 6n)).toBe(block);
  });
  expect(owner.size).toBe((await bench.graph()).nodes.ids.length);
});

test('without a graph only the array is written', async () => {
  await run(bytes);
  const labels = await bench.read('fragments');
  bench.remove();
  bench = new TaskBench(offsets);
  await run(bytes, { graph: undefined });
  expect(firstDifference(await bench.read('fragments'), labels)).toBe(-1);
  await expect(bench.graph()).rejects.toMatchObject({ code: 'ERR_GRAPH' });
});

test.each<[string, Options, string]>([
  ['bias', { bias: [-0.5, -0.5] }, 'bias: expected 1 or 6 numbers, found 2'],
  ['strides', { strides: [[1, 1, 1]] }, 'strides: expected 6 vectors of 3 numbers'],
  ['sigma', { sigma: [1, 1] }, 'sigma: expected 3 numbers, found 2'],
  ['context', { context: [1] }, 'context: expected 3 numbers, found 1'],
  ['blockSize', { blockSize: [4, 4] }, 'blockSize: expected 3 numbers, found 2'],
  ['boundaryMaskOffsets', { boundaryMaskOffsets: [1, 6] }, 'expected channels 0 to 5, found 6'],
])('%s of a wrong length is refused before anything runs', async (_name, options, text) => {
  const error = await run(bytes, options).catch((thrown: unknown) => thrown);
  expect(messageOf(error)).toContain(text);
});
