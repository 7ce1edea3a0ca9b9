import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { DownsampleMethod } from '../../lib/native/downsample.js';
import { type PipelineInput, pipeline, type TaskInput } from '../../lib/pipeline/pipeline.js';
import { planPipeline } from '../../lib/pipeline/plan.js';
import { runPipeline } from '../../lib/pipeline/run.js';
import { runSerially } from '../../lib/pipeline/run-serially.js';
import { ChunkedArray } from '../../lib/storage/chunked-array.js';
import type { TypedArray } from '../../lib/storage/metadata.js';
import { naiveDownsample } from '../support/naive-downsample.js';
import { seededRandom } from '../support/seeded-random.js';
import { filesBelow } from '../support/stores.js';
import { TaskBench, type Volume } from '../support/task-bench.js';

const SHAPE = [13, 21, 34];
const count = SHAPE.reduce((a, b) => a * b, 1);
const random = seededRandom(5);
const image = Uint16Array.from({ length: count }, () => random() * 60_000);
const labels = BigUint64Array.from({ length: count }, (_, voxel) =>
  random() < 0.2 ? 0n : (1n << 60n) + BigInt(Math.floor(voxel / 97) % 5),
);

let bench: TaskBench;
beforeEach(() => {
  bench = new TaskBench();
});
afterEach(() => bench.remove());

const PYRAMID: TaskInput = {
  type: 'downsample',
  source: 'raw',
  target: 'pyramid',
  factors: [
    [1, 2, 2],
    [2, 2, 2],
    [3, 1, 2],
  ],
  method: 'mean',
  blockSize: [6, 8, 16],
};
/** Of the levels of {@link PYRAMID} over the source. */
const FACTORS = [
  [1, 1, 1],
  [1, 2, 2],
  [2, 4, 4],
  [6, 4, 8],
];

function input(tasks: Record<string, TaskInput>, arrays: PipelineInput['arrays'] = {}): PipelineInput {
  const raw = { store: 'data.zarr/raw' };
  return { name: 'pyramid', arrays: { raw, pyramid: { store: 'pyramid.zarr' }, ...arrays }, tasks };
}

async function planOf(given: PipelineInput) {
  return planPipeline(await pipeline(given, { folder: bench.folder }));
}

const run = async (options: Record<string, unknown> = {}, arrays: PipelineInput['arrays'] = {}) =>
  runSerially(await planOf(input({ levels: { ...PYRAMID, ...options } }, arrays)));

async function refusals(options: Record<string, unknown>, arrays: PipelineInput['arrays'] = {}): Promise<string[]> {
  const plan = await planOf(input({ levels: { ...PYRAMID, ...options } }, arrays));
  return plan.refusals.map(({ key, code, text }) => `${key} ${code} ${text}`);
}

async function level(path: string, group = 'pyramid.zarr'): Promise<{ array: ChunkedArray; data: TypedArray }> {
  const array = await ChunkedArray.open(join(bench.folder, group, path));
  const begin = array.shape.map(() => 0);
  return { array, data: await array.readRegion(begin, array.shape) };
}

function readGroup(group = 'pyramid.zarr') {
  const content = JSON.parse(readFileSync(join(bench.folder, group, 'zarr.json'), 'utf8'));
  return content as { attributes: { ome: { version: string; multiscales: Record<string, unknown>[] } } };
}

const scaleAndTranslation = (group?: string) =>
  (
    readGroup(group).attributes.ome.multiscales[0].datasets as { path: string; coordinateTransformations: object[] }[]
  ).map(({ path, coordinateTransformations: [scale, translation] }) => [
    path,
    (scale as { scale: number[] }).scale,
    (translation as { translation: number[] }).translation,
  ]);

const source = (data: TypedArray): Volume => ({ data, shape: SHAPE, offset: [80, 0, -12], voxelSize: [40, 4, 4] });

describe('every level is made from the finest one', () => {
  const cases: [string, TypedArray, DownsampleMethod, object][] = [
    ['means of an image', image, 'mean', {}],
    ['modes of labels', labels, 'mode', {}],
    ['modes without background', labels, 'mode', { ignoreBackground: true }],
    ['first voxels', labels, 'stride', {}],
  ];
  test.each(cases)('%s, for any size of blocks', async (_name, data, method, more) => {
    await bench.write('raw', source(data));
    const ignore = 'ignoreBackground' in more;
    for (const [index, blockSize] of [
      [6, 12, 16],
      [12, 24, 8],
      [18, 24, 40],
    ].entries()) {
      const group = `pyramid-${index}.zarr`;
      await run({ method, blockSize, ...more }, { pyramid: { store: group } });
      for (const [number, factors] of FACTORS.entries()) {
        const { array, data: found } = await level(`s${number}`, group);
        expect(array.shape).toEqual(SHAPE.map((extent, axis) => Math.ceil(extent / factors[axis])));
        expect(found).toEqual(naiveDownsample(data as BigUint64Array, SHAPE, factors, method, ignore));
        expect(array.metadata.offset.values).toEqual([80, 0, -12]);
        expect(array.metadata.voxelSize.values).toEqual([40 * factors[0], 4 * factors[1], 4 * factors[2]]);
      }
    }
  });

  test('1 and 4 workers write the same bytes', async () => {
    await bench.write('raw', source(labels));
    for (const workers of [1, 4]) {
      const given = input(
        { levels: { ...PYRAMID, method: 'mode' } },
        { pyramid: { store: `${workers}/pyramid.zarr` } },
      );
      const made = await pipeline({ ...given, runDirectory: `${workers}.run` }, { folder: bench.folder });
      expect((await runPipeline(made, { workers })).complete).toBe(true);
    }
    const [one, four] = ['1', '4'].map((folder) => filesBelow(join(bench.folder, folder)));
    expect(four).toEqual(one);
    expect(one.size).toBeGreaterThan(20);
  });

  test('channels are kept apart, and floats with NaN are means of their own', async () => {
    const data = Float32Array.from({ length: 2 * 5 * 7 }, (_, voxel) => (voxel === 3 ? Number.NaN : voxel / 8));
    await bench.write('raw', { data, shape: [2, 5, 7], channelAxes: 1 });
    await run({ factors: [[2, 3]], blockSize: [4, 6] });
    const { array, data: found } = await level('s1');
    expect([array.shape, array.metadata.channelAxes]).toEqual([[2, 3, 3], 1]);
    expect(found).toEqual(naiveDownsample(data, [2, 5, 7], [1, 2, 3], 'mean'));
    expect(scaleAndTranslation()[1]).toEqual(['s1', [1, 16, 24], [0, 4, 8]]);
  });

  test('a part of the volume', async () => {
    await bench.write('raw', source(image));
    await run({ roi: { offset: [120, 8, 0], shape: [400, 40, 80] } });
    const part = Uint16Array.from({ length: 10 * 10 * 20 }, (_, at) => {
      const [z, y, x] = [Math.floor(at / 200) + 1, (Math.floor(at / 20) % 10) + 2, (at % 20) + 3];
      return image[(z * SHAPE[1] + y) * SHAPE[2] + x];
    });
    const { array, data } = await level('s2');
    expect(data).toEqual(naiveDownsample(part, [10, 10, 20], [2, 4, 4], 'mean'));
    expect(array.metadata.offset.values).toEqual([120, 8, 0]);
  });
});

test('OME-Zarr 0.4: levels are zarr v2, and so is the group', async () => {
  await bench.write('raw', source(labels));
  await run({ version: '0.4', method: 'mode' });
  const files = filesBelow(join(bench.folder, 'pyramid.zarr'));
  expect([...files.keys()].filter((path) => path.endsWith('zarr.json'))).toEqual([]);
  expect(JSON.parse(String(files.get('.zattrs'))).multiscales).toMatchObject([{ version: '0.4', type: 'mode' }]);
  expect(JSON.parse(String(files.get('s2/.zarray')))).toMatchObject({ zarr_format: 2, dimension_separator: '/' });
  expect((await level('s2')).data).toEqual(naiveDownsample(labels, SHAPE, FACTORS[2], 'mode'));
});

test('a level that was removed after its blocks were done is missed', async () => {
  await bench.write('raw', source(labels));
  const made = await pipeline(input({ levels: PYRAMID }), { folder: bench.folder });
  expect((await runPipeline(made, { workers: 2 })).complete).toBe(true);
  rmSync(join(bench.folder, 'pyramid.zarr/s2'), { recursive: true });
  const { refusals: found } = await planPipeline(made);
  expect(found.map(({ text }) => text)).toEqual([
    expect.stringMatching(
      /^blocks of the task are recorded as done, and the array 'pyramid' \(s2\) that they wrote is not there/,
    ),
  ]);
});

describe("the group's metadata", () => {
  test('of means and modes: coarse voxels stand for the middle of what they cover', async () => {
    await bench.write('raw', source(image));
    await run();
    const [multiscale] = readGroup().attributes.ome.multiscales;
    expect(readGroup().attributes.ome.version).toBe('0.5');
    expect(multiscale).toMatchObject({ name: 'pyramid', type: 'mean' });
    expect(multiscale.axes).toEqual(['d0', 'd1', 'd2'].map((name) => ({ name, type: 'space', unit: 'nanometer' })));
    expect(scaleAndTranslation()).toEqual([
      ['s0', [40, 4, 4], [80, 0, -12]],
      ['s1', [40, 8, 8], [80, 2, -10]],
      ['s2', [80, 16, 16], [100, 6, -6]],
      ['s3', [240, 16, 32], [180, 6, 2]],
    ]);
  });

  test('of first voxels: no shift; half voxels are exact', async () => {
    await bench.write('raw', source(labels));
    await run({ method: 'stride' });
    expect(scaleAndTranslation()[3]).toEqual(['s3', [240, 16, 32], [80, 0, -12]]);
    await bench.write('fine', { ...source(labels), voxelSize: [1, 1, 1] });
    await run({ source: 'fine' }, { fine: { store: 'data.zarr/fine' }, pyramid: { store: 'fine.zarr' } });
    expect(scaleAndTranslation('fine.zarr')[1]).toEqual(['s1', [1, 2, 2], [80, 0.5, -11.5]]);
  });

  test('running it again changes nothing', async () => {
    await bench.write('raw', source(image));
    await run();
    const before = filesBelow(bench.folder);
    await run();
    expect(filesBelow(bench.folder)).toEqual(before);
  });
});

describe('a source that lies in the target', () => {
  const inPlace = { raw: { store: 'pyramid.zarr', level: 's0' } };
  const stored = () => bench.store('../pyramid.zarr/s0');

  test('is the finest level itself', async () => {
    await bench.write('../pyramid.zarr/s0', source(image));
    const before = filesBelow(stored());
    await run({}, inPlace);
    expect(filesBelow(stored())).toEqual(before);
    expect((await level('s3')).data).toEqual(naiveDownsample(image, SHAPE, FACTORS[3], 'mean'));
    expect(scaleAndTranslation().map(([path]) => path)).toEqual(['s0', 's1', 's2', 's3']);
  });

  test('a second task goes on where the first one ended, in the same run', async () => {
    await bench.write('../pyramid.zarr/s0', source(labels));
    const first = { ...PYRAMID, method: 'mode', factors: [[1, 2, 2]] };
    const second = { ...first, source: 'fine', factors: [[2, 2, 2]] };
    const given = input({ second, first }, { ...inPlace, fine: { store: 'pyramid.zarr', level: 's1' } });
    const plan = await planOf(given);
    expect(plan.tasks.map(({ task, upstream }) => [task.name, upstream])).toEqual([
      ['first', []],
      ['second', ['first']],
    ]);
    await runSerially(plan);
    const middle = naiveDownsample(labels, SHAPE, [1, 2, 2], 'mode');
    expect((await level('s2')).data).toEqual(naiveDownsample(middle, [13, 11, 17], [2, 2, 2], 'mode'));
    expect(scaleAndTranslation()).toEqual([
      ['s0', [40, 4, 4], [80, 0, -12]],
      ['s1', [40, 8, 8], [80, 2, -10]],
      ['s2', [80, 16, 16], [100, 6, -6]],
    ]);
  });

  test('a task that reads a level waits for the blocks that make it', async () => {
    await bench.write('raw', source(labels));
    const again = {
      ...PYRAMID,
      method: 'stride',
      source: 'coarse',
      target: 'other',
      factors: [[1, 1, 2]],
      blockSize: [4, 4, 4],
    };
    const given = input(
      { again, levels: { ...PYRAMID, method: 'mode' } },
      { coarse: { store: 'pyramid.zarr', level: 's2' }, other: { store: 'other.zarr' } },
    );
    const plan = await planOf(given);
    expect(plan.tasks.find(({ task }) => task.name === 'again')?.upstream).toEqual(['levels']);
    await runSerially(plan);
    const coarse = naiveDownsample(labels, SHAPE, FACTORS[2], 'mode');
    expect((await level('s1', 'other.zarr')).data).toEqual(naiveDownsample(coarse, [7, 6, 9], [1, 1, 2], 'stride'));
  });
});

describe('refused before anything is written', () => {
  beforeEach(() => bench.write('raw', source(labels)));

  test.each<[string, Record<string, unknown>, string]>([
    [
      'blocks that cut coarse voxels',
      { blockSize: [8, 8, 16] },
      'tasks.levels.blockSize ERR_PLAN expected multiples of [6, 4, 8], all factors together, found [8, 8, 16]',
    ],
    ['factors for other axes', { factors: [[2, 2]] }, 'tasks.levels.factors[0] ERR_PLAN expected 3 numbers, found 2'],
    [
      'an option without its method',
      { ignoreBackground: true },
      'tasks.levels.ignoreBackground ERR_PLAN expected the method mode with it, found mean',
    ],
  ])('%s', async (_, options, text) => {
    expect(await refusals(options)).toEqual([text]);
  });

  test('a task that reads a level of a refused image has no refusal of its own', async () => {
    const arrays = { coarse: { store: 'pyramid.zarr', level: 's2' }, other: { store: 'other.zarr' } };
    const again = { ...PYRAMID, source: 'coarse', target: 'other' };
    const { refusals: found } = await planOf(input({ again, levels: { ...PYRAMID, blockSize: [1, 1, 1] } }, arrays));
    expect(found.map(({ key }) => key)).toEqual(['tasks.levels.blockSize']);
    const missing = { ...arrays, raw: { store: 'data.zarr/nothing' } };
    const { refusals: lacking } = await planOf(input({ again, levels: PYRAMID }, missing));
    expect(lacking.map(({ key }) => key)).toEqual(['tasks.levels.source']);
  });

  test('modes of floats, axes that OME-Zarr does not have', async () => {
    await bench.write('floats', { data: new Float32Array(8), shape: [2, 2, 2] });
    const floats = await refusals({ source: 'floats', method: 'mode' }, { floats: { store: 'data.zarr/floats' } });
    expect(floats).toEqual(['tasks.levels.method ERR_PLAN expected mean or stride for float32, found mode']);
    await bench.write('line', { data: new Uint8Array(8), shape: [8] });
    const line = await refusals(
      { source: 'line', factors: [[2]], blockSize: [8] },
      { line: { store: 'data.zarr/line' } },
    );
    expect(line[0]).toMatch(/^tasks\.levels\.source ERR_PLAN expected .* 2 or 3 space axes, .* found d0 \(space\)$/);
  });

  test('a part of a source that is the finest level', async () => {
    const found = await refusals(
      { roi: { offset: [80, 0, -12], shape: [40, 40, 40] } },
      { pyramid: { store: 'data.zarr' }, raw: { store: 'data.zarr', level: 'raw' } },
    );
    expect(found).toEqual([
      expect.stringMatching(/^tasks\.levels\.roi ERR_PLAN expected none, as the source is the finest level/),
    ]);
  });

  test('a level that is there as another array, or that blocks would share chunks of', async () => {
    await bench.write('../pyramid.zarr/s1', { data: new BigUint64Array(27), shape: [3, 3, 3] });
    const other = await refusals({});
    expect(other).toHaveLength(1);
    expect(other[0]).toMatch(
      /^tasks\.levels\.target ERR_PLAN the array 'pyramid' \(s1\) is there already .*s1\) and is another: shape \[3, 3, 3\] instead of \[13, 11, 17\]/,
    );
    const chunkShape = [8, 11, 17];
    await bench.write('../two.zarr/s1', {
      data: new BigUint64Array(13 * 11 * 17),
      shape: [13, 11, 17],
      voxelSize: [40, 8, 8],
      offset: [80, 0, -12],
      chunkShape,
    });
    const shared = await refusals({}, { pyramid: { store: 'two.zarr' } });
    expect(shared).toEqual([
      expect.stringMatching(
        /^tasks\.levels\.target ERR_CHUNK_SHARED the array 'pyramid' \(s1\): blocks of \[6,4,8\] voxels/,
      ),
    ]);
  });

  test('a group of the other format, an array in its place, a level inside another array', async () => {
    const old = await refusals({ version: '0.4' }, { pyramid: { store: 'data.zarr/raw' } });
    expect(old.some((text) => text.includes('an array is there'))).toBe(true);
    await run();
    const found = await refusals({ version: '0.4' });
    expect(found.some((text) => text.includes('a zarr v3 group is there, and OME-Zarr 0.4 is zarr v2'))).toBe(true);
  });
});
