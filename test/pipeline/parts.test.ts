import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { readRunStatus } from '../../lib/coordinator/run-status.js';
import { Coordinate } from '../../lib/geometry/coordinate.js';
import { type Pipeline, type PipelineInput, pipeline, type TaskInput } from '../../lib/pipeline/pipeline.js';
import { type RunPipelineOptions, runPipeline } from '../../lib/pipeline/run.js';
import { ChunkedArray } from '../../lib/storage/chunked-array.js';
import { pluginPath } from '../support/plugins.js';
import { temporaryFolder } from '../support/stores.js';

/*
 * Runs of a part of a pipeline: `fill` writes the number of its block, from 1, to 2 x 3 blocks of 10 x 10 voxels; `copy` copies
 * them in 1 x 3 blocks of 20 x 10.
 */
let store: ReturnType<typeof temporaryFolder>;
beforeEach(() => {
  store = temporaryFolder();
});
afterEach(() => store.remove());

const fill = (more: Partial<TaskInput> = {}): TaskInput => {
  return { type: 'toy-fill', output: 'a', shape: [20, 30], blockSize: [10, 10], ...more };
};
const copy = (more: Partial<TaskInput> = {}): TaskInput => {
  return { type: 'toy-copy', input: 'a', output: 'b', blockSize: [20, 10], ...more };
};

function make(tasks: Record<string, TaskInput>, more: Partial<PipelineInput> = {}): Promise<Pipeline> {
  const arrays = ['a', 'b', 'mask', 'cells'].map((name) => [name, { store: `d.zarr/${name}` }]);
  return pipeline(
    {
      name: 'toy',
      arrays: Object.fromEntries(arrays),
      graphs: { g: { type: 'sqlite', path: 'g.sqlite' } },
      executor: { type: 'local', workers: 1 },
      plugins: ['toy-fill', 'toy-copy', 'toy-graph'].map(pluginPath),
      tasks,
      ...more,
    },
    { definitions: [], folder: store.path },
  );
}

/** An array of uint8; voxels of 5 x 5 world units where it is to be a mask. */
async function write(name: string, rows: readonly number[][], voxelSize = [5, 5]): Promise<void> {
  const shape = [rows.length, rows[0].length];
  const path = join(store.path, 'd.zarr', name);
  rmSync(path, { recursive: true, force: true });
  const array = await ChunkedArray.create(path, {
    shape,
    chunkShape: [1, 2],
    dataType: 'uint8',
    channelAxes: 0,
    offset: new Coordinate([0, 0]),
    voxelSize: new Coordinate(voxelSize),
    units: ['', ''],
    axisNames: ['y', 'x'],
    attributes: {},
  });
  await array.writeRegion([0, 0], shape, Uint8Array.from(rows.flat()));
}

/** A mask with foreground in the blocks of these columns, 0 to 2, of the upper row. */
const writeMask = (...columns: number[]) =>
  write(
    'mask',
    Array.from({ length: 4 }, (_, y) =>
      Array.from({ length: 6 }, (_, x) => (y === 1 && x % 2 === 0 && columns.includes(x / 2) ? 7 : 0)),
    ),
  );

/** The value of the first voxel of each block of `fill`. */
async function blocksOf(name: string): Promise<number[]> {
  const array = await ChunkedArray.open(join(store.path, 'd.zarr', name));
  const data = (await array.readRegion([0, 0], [20, 30])) as Uint32Array;
  return [0, 10].flatMap((y) => [0, 10, 20].map((x) => data[y * 30 + x]));
}

const record = (task: string) => [...readFileSync(join(store.path, 'toy.run/tasks', task, 'done/c/0/0'))];
const status = () =>
  readRunStatus(join(store.path, 'toy.run'))!.tasks.map(({ name, done, skipped, unwanted }) => [
    name,
    done,
    skipped,
    unwanted,
  ]);

async function run(tasks: Record<string, TaskInput>, options: RunPipelineOptions = {}) {
  const notices: string[] = [];
  const result = await runPipeline(await make(tasks), {
    ...options,
    onEvent: (event) => event.type === 'run-notice' && notices.push(event.message),
  });
  const counts = result.tasks.map((one) => [one.name, one.done, one.skipped, one.alreadyDone, one.unwanted]);
  return { complete: result.complete, counts, notices };
}

describe('a skip mask', () => {
  test('in world units leaves out blocks without foreground, and remembers them as skipped', async () => {
    await writeMask(0);
    const tasks = { fill: fill({ skip: { mask: 'mask' } }), copy: copy() };
    const first = {
      complete: true,
      counts: [
        ['fill', 1, 5, 0, 0],
        ['copy', 3, 0, 0, 0],
      ],
      notices: [],
    };
    expect(await run(tasks)).toEqual(first);
    expect(await blocksOf('b')).toEqual([1, 0, 0, 0, 0, 0]);
    expect(record('fill')).toEqual([1, 5, 5, 5, 5, 5]);
    expect(status()).toEqual([
      ['fill', 1, 5, 0],
      ['copy', 3, 0, 0],
    ]);
    expect((await run(tasks)).counts).toEqual([
      ['fill', 1, 5, 1, 0],
      ['copy', 3, 0, 3, 0],
    ]);
  });

  test('that grows has the new blocks done and keeps the others; one that shrinks takes nothing back', async () => {
    await writeMask(0);
    const tasks = { fill: fill({ skip: { mask: 'mask' } }), copy: copy() };
    await run(tasks);
    await writeMask(1, 2);
    expect(await run(tasks)).toEqual({
      complete: true,
      counts: [
        ['fill', 3, 3, 1, 0],
        ['copy', 3, 0, 3, 0],
      ],
      notices: [
        'fill: 2 blocks that a mask left out before are done now. Blocks of later tasks that were done without them stay as they are; to do them again: retry --task copy --done',
      ],
    });
    expect(await blocksOf('a')).toEqual([1, 2, 3, 0, 0, 0]);
    const without = await run({ fill: fill(), copy: copy() });
    expect(without.counts[0]).toEqual(['fill', 6, 0, 3, 0]);
    expect(await blocksOf('a')).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test('with one cell a block means skip where it is not 0, as daisy has it', async () => {
    await write(
      'cells',
      [
        [1, 0, 0],
        [0, 0, 3],
      ],
      [1, 1],
    );
    await run({ fill: fill({ skip: { blocks: 'cells' } }) });
    expect(await blocksOf('a')).toEqual([0, 2, 3, 4, 5, 0]);
    expect(record('fill')).toEqual([5, 1, 1, 1, 1, 5]);
    await writeMask(0, 1);
    rmSync(join(store.path, 'toy.run'), { recursive: true });
    await run({ fill: fill({ skip: { blocks: 'cells', mask: 'mask' }, add: 10 }) });
    expect(record('fill')).toEqual([5, 1, 5, 5, 5, 5]);
  });

  test('that leaves out everything still makes the outputs', async () => {
    await writeMask();
    const { counts } = await run({ fill: fill({ skip: { mask: 'mask' } }), copy: copy() });
    expect(counts).toEqual([
      ['fill', 0, 6, 0, 0],
      ['copy', 3, 0, 0, 0],
    ]);
    expect(await blocksOf('b')).toEqual([0, 0, 0, 0, 0, 0]);
  });

  test('is refused where it is not there, is written by the run, or has another shape', async () => {
    const refused = (skip: NonNullable<TaskInput['skip']>, more = {}) =>
      expect(run({ fill: fill({ skip }), copy: copy(), ...more })).rejects;
    await refused({ mask: 'mask' }).toMatchObject({
      code: 'ERR_ARRAY_MISSING',
      message: expect.stringMatching(/tasks.fill.skip.mask: the array 'mask' is not there/),
    });
    await refused({ mask: 'b' }).toMatchObject({
      message: expect.stringMatching(
        /expected an array that is there before the run begins, and the task 'copy' writes 'b'/,
      ),
    });
    await refused({ mask: 'maks' }).toMatchObject({
      code: 'ERR_CONFIG',
      message: expect.stringMatching(/did you mean 'mask'/),
    });
    await write('cells', [[1, 0]], [1, 1]);
    await refused({ blocks: 'cells' }).toMatchObject({
      message: expect.stringMatching(/expected one cell a block, in the shape of the grid, \[2,3\], found \[1,2\]/),
    });
  });
});

test('a task can check whether results are there, or find nothing to do: such blocks are skipped', async () => {
  const { counts } = await run({ fill: fill({ presentBlocks: [1, 4], emptyBlocks: [5] }) });
  expect(counts).toEqual([['fill', 3, 3, 0, 0]]);
  expect(await blocksOf('a')).toEqual([1, 0, 3, 4, 0, 0]);
  expect(record('fill')).toEqual([1, 2, 1, 1, 2, 2]);
});

describe('a run of a part', () => {
  const tasks = { fill: fill(), copy: copy() };

  test('does what a Roi needs, and a later run keeps it', async () => {
    const part = await run(tasks, { roi: { offset: [3, 12], shape: [1, 3] } });
    expect(part).toEqual({
      complete: true,
      counts: [
        ['fill', 2, 0, 0, 4],
        ['copy', 1, 0, 0, 2],
      ],
      notices: [],
    });
    expect(await blocksOf('b')).toEqual([0, 2, 0, 0, 5, 0]);
    expect(record('fill')).toEqual([0, 1, 0, 0, 1, 0]);
    expect(status()).toEqual([
      ['fill', 2, 0, 4],
      ['copy', 1, 0, 2],
    ]);
    expect(readRunStatus(join(store.path, 'toy.run'))?.state).toBe('complete');
    const wider = await run(tasks, { roi: { offset: [0, 0], shape: [20, 15] } });
    expect(wider.counts).toEqual([
      ['fill', 4, 0, 2, 2],
      ['copy', 2, 0, 1, 1],
    ]);
    const whole = await run(tasks);
    expect(whole.counts).toEqual([
      ['fill', 6, 0, 4, 0],
      ['copy', 3, 0, 2, 0],
    ]);
    expect(await blocksOf('b')).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test('ends with the tasks that are named, and leaves the others alone', async () => {
    const part = await run(tasks, { until: ['fill'], roi: { offset: [0, 0], shape: [10, 10] } });
    expect(part.counts).toEqual([
      ['fill', 1, 0, 0, 5],
      ['copy', 0, 0, 0, 3],
    ]);
    expect(await ChunkedArray.open(join(store.path, 'd.zarr/b')).catch(({ code }) => code)).toBe('ERR_ARRAY_MISSING');
    expect((await run(tasks, { until: ['fill'] })).counts).toEqual([
      ['fill', 6, 0, 1, 0],
      ['copy', 0, 0, 0, 3],
    ]);
  });

  test('is refused for a task or a place that is not there', async () => {
    await expect(run(tasks, { until: ['fil'] })).rejects.toMatchObject({
      code: 'ERR_CONFIG',
      message: 'until: expected one of fill, copy, found fil',
    });
    await expect(run(tasks, { roi: { offset: [90, 90], shape: [1, 1] } })).rejects.toMatchObject({
      code: 'ERR_CONFIG',
    });
  });
});
