import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { threshold } from '../../lib/native/threshold.js';
import { type PipelineInput, pipeline, type TaskInput } from '../../lib/pipeline/pipeline.js';
import { planPipeline } from '../../lib/pipeline/plan.js';
import { runPipeline } from '../../lib/pipeline/run.js';
import { runSerially } from '../../lib/pipeline/run-serially.js';
import { goldens, readJson, readNpz } from '../support/goldens.js';
import { seededRandom } from '../support/seeded-random.js';
import { filesBelow } from '../support/stores.js';
import { TaskBench } from '../support/task-bench.js';

let bench: TaskBench;
beforeEach(() => {
  bench = new TaskBench();
});
afterEach(() => bench.remove());

const TASK: TaskInput = { type: 'threshold', source: 'values', mask: 'mask', threshold: 99.5, blockSize: [4, 4, 4] };

function input(options: Record<string, unknown>, source: object = {}, mask = 'data.zarr/mask'): PipelineInput {
  const arrays = { values: { store: 'data.zarr/values', ...source }, mask: { store: mask } };
  return { name: 'threshold', arrays, tasks: { threshold: { ...TASK, ...options } } };
}

const planOf = async (options: Record<string, unknown>, source: object = {}) =>
  planPipeline(await pipeline(input(options, source), { folder: bench.folder }));

const run = async (options: Record<string, unknown> = {}, source: object = {}) =>
  runSerially(await planOf(options, source));

const SHAPE = [9, 6, 11];
const random = seededRandom(12);
const values = Uint16Array.from({ length: 9 * 6 * 11 }, () => random() * 200);
const volume = { data: values, shape: SHAPE, offset: [80, 0, -16] };

interface Golden {
  readonly name: string;
  readonly threshold: number;
  readonly scaleShift?: [number, number];
}

describe('the goldens, block by block', () => {
  const cases = readJson<Golden[]>(join(goldens, 'threshold/index.json'));
  test.each(cases)('$name', async ({ name, threshold: value, scaleShift }) => {
    const { image, mask } = readNpz(join(goldens, `threshold/${name}.npz`));
    await bench.write('values', { data: image.data, shape: image.shape });
    const [scale, shift] = scaleShift ?? [];
    const operations = scaleShift === undefined ? {} : { operations: [{ type: 'scale-shift', scale, shift }] };
    await run({ threshold: value, blockSize: image.shape.map(() => 4) }, operations);
    expect(await bench.read<Uint8Array>('mask')).toEqual(mask.data);
  });
});

test('blocks of any size write what the whole volume gives, where the source lies in the world', async () => {
  await bench.write('values', volume);
  const expected = await threshold(values, 99.5);
  for (const [index, blockSize] of [
    [4, 4, 4],
    [3, 6, 5],
    [16, 16, 16],
  ].entries()) {
    const given = input({ blockSize }, {}, `${index}.zarr`);
    await runSerially(await planPipeline(await pipeline(given, { folder: bench.folder })));
    const found = await bench.open(`../${index}.zarr`);
    expect(await found.readRegion([0, 0, 0], SHAPE)).toEqual(expected);
    expect(found.metadata).toMatchObject({ dataType: 'uint8', channelAxes: 0, axisNames: ['d0', 'd1', 'd2'] });
    expect(found.metadata.offset.values).toEqual([80, 0, -16]);
    expect(found.metadata.voxelSize.values).toEqual([8, 8, 8]);
  }
});

test('1 and 3 workers write the same bytes', async () => {
  await bench.write('values', volume);
  for (const workers of [1, 3]) {
    const given = { ...input({}, {}, `${workers}/mask.zarr`), runDirectory: `${workers}.run` };
    expect((await runPipeline(await pipeline(given, { folder: bench.folder }), { workers })).complete).toBe(true);
  }
  const [one, three] = ['1', '3'].map((folder) => filesBelow(join(bench.folder, folder)));
  expect(three).toEqual(one);
});

test('channels have masks of their own, in chunks of their own', async () => {
  await bench.write('values', { data: values, shape: [2, 3, 9, 11], channelAxes: 1 });
  await run({ blockSize: [2, 4, 4], chunkShape: [1, 4, 4] });
  expect(await bench.read<Uint8Array>('mask')).toEqual(await threshold(values, 99.5));
  const { metadata } = await bench.open('mask');
  expect(metadata).toMatchObject({ channelAxes: 1, chunkShape: [1, 1, 4, 4], axisNames: ['c0^', 'd1', 'd2', 'd3'] });
});

test('the mask is one that a later run can skip by', async () => {
  const data = Uint16Array.from(values, (value, voxel) => (voxel % 11 < 4 ? value : 0));
  await bench.write('values', { ...volume, data });
  await run();
  const given = input({});
  const chunks = { blockSize: [4, 4, 4], chunkShape: [4, 4, 4] };
  const copy: TaskInput = { type: 'copy', source: 'values', target: 'copied', ...chunks, skip: { mask: 'mask' } };
  const arrays = { ...given.arrays, copied: { store: 'data.zarr/copied' } };
  const next = await pipeline({ name: 'copy', arrays, tasks: { copy } }, { folder: bench.folder });
  const { tasks } = await runPipeline(next, { workers: 2 });
  expect(tasks.map(({ done, skipped }) => [done, skipped])).toEqual([[6, 12]]);
});

test('a roi, a fill value, the operations of the source', async () => {
  await bench.write('values', volume);
  const operations = [{ type: 'scale-shift', scale: 0.5, shift: -10 }];
  await run({ threshold: 20.25, fillValue: 1, roi: { offset: [96, 0, 16], shape: [56, 48, 56] } }, { operations });
  const part = Uint8Array.from({ length: 7 * 6 * 7 }, (_, at) => {
    const [z, y, x] = [Math.floor(at / 42) + 2, Math.floor(at / 7) % 6, (at % 7) + 4];
    return values[(z * 6 + y) * 11 + x] * 0.5 - 10 > 20.25 ? 1 : 0;
  });
  expect(await bench.read<Uint8Array>('mask')).toEqual(part);
  expect((await bench.open('mask')).fillValue).toBe(1);
});

test('bad options are refused', async () => {
  await bench.write('values', volume);
  const refused = (options: Record<string, unknown>) => expect(planOf(options)).rejects;
  await refused({ threshold: '3' }).toThrow(/tasks.threshold.threshold: expected a number/);
  await refused({ limit: 3 }).toThrow(/tasks.threshold.limit/);
  const { refusals } = await planOf({ blockSize: [4, 4] });
  expect(refusals.map(({ text }) => text)).toEqual(['expected 3 numbers, found 2']);
  expect((await planOf({ chunkShape: [4, 4] })).refusals.map(({ text }) => text)).toEqual([
    'expected 3 numbers, found [4, 4]',
  ]);
});
