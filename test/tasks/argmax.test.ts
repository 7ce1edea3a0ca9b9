import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { argmax } from '../../lib/native/argmax.js';
import { type PipelineInput, pipeline, type TaskInput } from '../../lib/pipeline/pipeline.js';
import { planPipeline } from '../../lib/pipeline/plan.js';
import { runPipeline } from '../../lib/pipeline/run.js';
import { runSerially } from '../../lib/pipeline/run-serially.js';
import type { TypedArray } from '../../lib/storage/metadata.js';
import { goldens, readJson, readNpz } from '../support/goldens.js';
import { toLabels } from '../support/labels.js';
import { seededRandom } from '../support/seeded-random.js';
import { filesBelow } from '../support/stores.js';
import { TaskBench } from '../support/task-bench.js';

let bench: TaskBench;
beforeEach(() => {
  bench = new TaskBench();
});
afterEach(() => bench.remove());

const TASK: TaskInput = { type: 'argmax', probabilities: 'values', classes: 'classes', blockSize: [4, 4, 4] };

function input(options: Record<string, unknown>, classes = 'data.zarr/classes'): PipelineInput {
  const arrays = {
    values: { store: 'data.zarr/values' },
    classes: { store: classes },
    inside: { store: 'data.zarr/inside' },
  };
  return { name: 'argmax', arrays, tasks: { argmax: { ...TASK, ...options } } };
}

const planOf = async (options: Record<string, unknown>) =>
  planPipeline(await pipeline(input(options), { folder: bench.folder }));

const run = async (options: Record<string, unknown> = {}) => runSerially(await planOf(options));

const refusals = async (options: Record<string, unknown>) =>
  (await planOf(options)).refusals.map(({ key, code, text }) => `${key} ${code} ${text}`);

/** 5 channels of a volume that the blocks of {@link TASK} do not divide. */
const SHAPE = [5, 9, 6, 11];
const random = seededRandom(11);
const values = Float32Array.from({ length: 5 * 9 * 6 * 11 }, () => Math.floor(random() * 9) / 8);
const volume = { data: values, shape: SHAPE, channelAxes: 1, offset: [80, 0, -16] };

describe('the goldens, block by block', () => {
  const cases = readJson<{ name: string; combineClasses?: number[][] }[]>(join(goldens, 'argmax/index.json'));
  test.each(cases)('$name', async ({ name, combineClasses }) => {
    const golden = readNpz(join(goldens, `argmax/${name}.npz`));
    const { data, shape } = golden.probabilities;
    await bench.write('values', { data, shape, channelAxes: 1 });
    await run({ blockSize: shape.slice(1).map(() => 4), ...(combineClasses === undefined ? {} : { combineClasses }) });
    expect(toLabels(await bench.read<Uint8Array>('classes'))).toEqual(golden.argmax.data);
  });
});

test('blocks of any size write what the whole volume gives, where the probabilities lie in the world', async () => {
  await bench.write('values', volume);
  const expected = await argmax(values, SHAPE);
  for (const [index, blockSize] of [
    [4, 4, 4],
    [3, 6, 5],
    [16, 16, 16],
  ].entries()) {
    const given = input({ blockSize }, `${index}.zarr`);
    await runSerially(await planPipeline(await pipeline(given, { folder: bench.folder })));
    const found = await bench.open(`../${index}.zarr`);
    expect(await found.readRegion([0, 0, 0], SHAPE.slice(1))).toEqual(expected);
    expect(found.metadata).toMatchObject({ dataType: 'uint8', channelAxes: 0, axisNames: ['d1', 'd2', 'd3'] });
    expect(found.metadata.offset.values).toEqual([80, 0, -16]);
    expect(found.metadata.voxelSize.values).toEqual([8, 8, 8]);
  }
});

test('1 and 3 workers write the same bytes', async () => {
  await bench.write('values', volume);
  for (const workers of [1, 3]) {
    const given = { ...input({}, `${workers}/classes.zarr`), runDirectory: `${workers}.run` };
    expect((await runPipeline(await pipeline(given, { folder: bench.folder }), { workers })).complete).toBe(true);
  }
  const [one, three] = ['1', '3'].map((folder) => filesBelow(join(bench.folder, folder)));
  expect(three).toEqual(one);
});

test('a part of the volume, groups, wide classes, and how the array is stored', async () => {
  await bench.write('values', volume);
  const combineClasses = [[1, 3], [0], [4, 2, 0]];
  const stored = { zarrFormat: 2, chunkShape: [2, 4, 4], compressor: { name: 'lz4' }, fillValue: 2 };
  await run({ combineClasses, dataType: 'uint64', roi: { offset: [96, 0, 16], shape: [56, 48, 56] }, ...stored });
  const whole = await argmax(values, SHAPE, { combineClasses });
  const part = BigUint64Array.from({ length: 7 * 6 * 7 }, (_, at) => {
    const [z, y, x] = [Math.floor(at / 42) + 2, Math.floor(at / 7) % 6, (at % 7) + 4];
    return BigInt(whole[(z * 6 + y) * 11 + x]);
  });
  expect(await bench.read('classes')).toEqual(part);
  const array = await bench.open('classes');
  expect(array.metadata).toMatchObject({ dataType: 'uint64', shape: [7, 6, 7], chunkShape: [2, 4, 4] });
  expect(array.fillValue).toBe(2n);
  expect([...filesBelow(bench.store('classes')).keys()]).toContain('.zarray');
});

test('blocks that a mask leaves out are not written', async () => {
  await bench.write('values', volume);
  const inside = new Uint8Array(9 * 6 * 11);
  inside[0] = 1;
  await bench.write('inside', { data: inside, shape: SHAPE.slice(1), offset: volume.offset });
  await run({ skip: { mask: 'inside' } });
  const expected = await argmax(values, SHAPE);
  const found = await bench.read<Uint8Array>('classes');
  const isIn = (voxel: number) => Math.floor(voxel / 66) < 4 && Math.floor(voxel / 11) % 6 < 4 && voxel % 11 < 4;
  expect([...found]).toEqual([...expected].map((one, voxel) => (isIn(voxel) ? one : 0)));
  expect(found.some((one) => one > 0)).toBe(true);
});

describe('refused before anything is written', () => {
  beforeEach(() => bench.write('values', volume));

  test.each<[string, Record<string, unknown>, string]>([
    [
      'a channel that is not there',
      { combineClasses: [[0], [1, 5]] },
      'tasks.argmax.combineClasses[1] ERR_PLAN expected channels below 5, found [1, 5]',
    ],
    [
      'blocks of other dimensions',
      { blockSize: [4, 4] },
      'tasks.argmax.blockSize ERR_PLAN expected 3 numbers, found 2',
    ],
    [
      'a compressor that zarr v3 does not have',
      { compressor: { name: 'lz4' } },
      'tasks.argmax.compressor ERR_PLAN expected none, zstd, gzip or blosc in zarr v3, found lz4',
    ],
    [
      'shards of zarr v2',
      { zarrFormat: 2, shardShape: [4, 4, 4] },
      'tasks.argmax.shardShape ERR_PLAN expected none in zarr v2, found [4, 4, 4]',
    ],
    [
      'a fill value of another type',
      { fillValue: -1 },
      'tasks.argmax.fillValue ERR_PLAN expected a value of uint8, found -1',
    ],
  ])('%s', async (_, options, text) => {
    expect(await refusals(options)).toEqual([text]);
  });

  test('chunks that two blocks would share', async () => {
    expect((await refusals({ chunkShape: [3, 4, 4] }))[0]).toMatch(/^tasks.argmax.classes ERR_CHUNK_SHARED /);
  });

  test('arrays without channels, of wide integers, of more channels than a byte counts', async () => {
    const write = (data: TypedArray, shape: number[], channelAxes: number) => {
      rmSync(bench.store('values'), { recursive: true });
      return bench.write('values', { data, shape, channelAxes });
    };
    await write(new Uint8Array(8), [2, 2, 2], 0);
    expect(await refusals({})).toEqual([
      'tasks.argmax.probabilities ERR_PLAN expected one channel axis before the spatial ones, found 0',
    ]);
    await write(new BigInt64Array(8), [2, 4], 1);
    expect(await refusals({ blockSize: [4] })).toEqual([
      'tasks.argmax.probabilities ERR_PLAN expected floats or integers of at most 32 bits, found int64',
    ]);
    await write(new Uint8Array(600), [300, 2], 1);
    expect(await refusals({ blockSize: [4], dataType: 'uint8' })).toEqual([
      'tasks.argmax.dataType ERR_PLAN expected a type that can tell 300 classes apart, found uint8',
    ]);
    await run({ blockSize: [4] });
    expect((await bench.open('classes')).metadata.dataType).toBe('uint16');
  });
});
