import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { messageOf } from '../../lib/errors.js';
import { Coordinate } from '../../lib/geometry/coordinate.js';
import { loadPipeline } from '../../lib/pipeline/file.js';
import type { Pipeline } from '../../lib/pipeline/pipeline.js';
import { type PipelinePlan, planPipeline } from '../../lib/pipeline/plan.js';
import { formatProblem } from '../../lib/pipeline/problem.js';
import { runPipeline } from '../../lib/pipeline/run.js';
import { runSerially } from '../../lib/pipeline/run-serially.js';
import { ChunkedArray } from '../../lib/storage/chunked-array.js';
import type { ArrayMetadata } from '../../lib/storage/metadata.js';
import { openVolume } from '../../lib/storage/volume-source.js';
import { applyNaively, type PlainVolume } from '../support/naive-operations.js';
import { pluginPath } from '../support/plugins.js';
import { temporaryFolder } from '../support/stores.js';

const temporary = temporaryFolder();
afterAll(temporary.remove);
let folder = '';
let folders = 0;
beforeEach(() => {
  folder = join(temporary.path, String(folders++));
  mkdirSync(folder);
});

function metadata(shape: readonly number[], changes: Partial<ArrayMetadata> = {}): ArrayMetadata {
  const channelAxes = changes.channelAxes ?? 0;
  const axes = shape.length - channelAxes;
  return {
    shape,
    chunkShape: shape,
    dataType: 'uint8',
    channelAxes,
    offset: Coordinate.filled(axes, 0),
    voxelSize: Coordinate.filled(axes, 1),
    units: new Array<string>(axes).fill(''),
    axisNames: shape.map((_, i) => (i < channelAxes ? `c${i}^` : `d${i}`)),
    attributes: {},
    ...changes,
  };
}

const stored: Record<string, ArrayMetadata> = {
  'd.zarr/raw': metadata([40, 30]),
  'd.zarr/affinities': metadata([2, 40, 30], {
    channelAxes: 1,
    attributes: {
      neighborhood: [
        [1, 0],
        [0, 1],
      ],
    },
  }),
};

function load(arrays: string, tasks: string): Promise<Pipeline> {
  const file = join(folder, 'p.yaml');
  const plugins = ['toy-copy', 'toy-fill'].map((name) => `'${pluginPath(name)}'`).join(', ');
  writeFileSync(file, `name: test\nplugins: [${plugins}]\narrays:\n${arrays}tasks:\n${tasks}`);
  return loadPipeline(file, { definitions: [] });
}

async function plan(arrays: string, tasks: string): Promise<PipelinePlan> {
  return planPipeline(await load(arrays, tasks), async (store) => {
    const found = stored[store.slice(folder.length + 1)];
    return found === undefined ? {} : { metadata: found };
  });
}

const without = (text: string) => text.replaceAll(`${folder}/p.yaml:`, '').replaceAll(folder, 'FOLDER');

/** What is wrong with the file, or the reasons why its plan is refused, as lines. */
async function refused(arrays: string, tasks: string): Promise<string[]> {
  try {
    const { refusals } = await plan(arrays, tasks);
    return refusals.map((one) => `${one.code} ${without(formatProblem(one))}`);
  } catch (error) {
    return without(messageOf(error)).split('\n');
  }
}

const copy = '  t: {type: toy-copy, input: a, output: b, blockSize: [10, 10]}\n';
const b = '  b: {store: d.zarr/b}\n';

describe('a file', () => {
  test.each([
    [
      'an operation that is not known',
      '  a: {store: x, operations: [{type: treshold, value: 1}]}\n',
      "4:37: arrays.a.operations[0].type: expected 'place', 'channels', 'slice', 'flip', 'scale-shift', 'normalise', 'threshold' or 'convert', found 'treshold' (did you mean 'threshold'?)",
    ],
    [
      'a key that is not known',
      '  a: {store: x, operations: [{type: scale-shift, scale: 2, offset: 1}]}\n',
      '4:60: arrays.a.operations[0].offset: unknown key; expected type, scale or shift',
    ],
    [
      'a value that is missing',
      '  a: {store: x, operations: [{type: threshold}]}\n',
      '4:30: arrays.a.operations[0].value: is missing; expected a number',
    ],
    [
      'a wrong type',
      '  a: {store: x, operations: [{type: convert, dataType: uint9}]}\n',
      "4:56: arrays.a.operations[0].dataType: expected 'bool', 'uint8', 'int8', 'uint16', 'int16', 'uint32', 'int32', 'uint64', 'int64', 'float32' or 'float64', found 'uint9' (did you mean 'uint8'?)",
    ],
    [
      'no operations',
      '  a: {store: x, operations: []}\n',
      '4:29: arrays.a.operations: expected a list of at least 1, found an empty list',
    ],
    ['a store and a stack', '  a: {store: x, stack: [b]}\n', '4:6: arrays.a: needs either `store` or `stack`'],
    [
      'a stack of what is not there',
      '  a: {stack: [b, c]}\n',
      "4:18: arrays.a.stack[1]: expected one of the file's arrays ('a' or 'b'), found 'c'",
    ],
    [
      'a stack of itself',
      '  a: {stack: [d]}\n  d: {stack: [b, a]}\n',
      '4:14: arrays.a.stack: the array is a part of itself: a of d of a',
    ],
  ])('with %s is refused', async (_, arrays, line) => {
    expect(await refused(`${arrays}${b}`, copy)).toEqual([line]);
  });
});

describe('a plan', () => {
  test('knows what operations make of an array', async () => {
    const made = await plan(
      `  a: {stack: [x, y], operations: [{type: slice, begin: [10, 0], end: [30, 20]}, {type: flip, axes: [1]}]}
  x: {store: d.zarr/affinities, operations: [{type: scale-shift, scale: 0.5}]}
  y: {store: d.zarr/affinities, operations: [{type: channels, channels: [1]}, {type: convert, dataType: float32}]}
${b}`,
      copy,
    );
    expect(made.refusals).toEqual([]);
    const { shape, dataType, offset } = made.arrays.get('b')!;
    expect([shape, dataType, offset.values]).toEqual([[3, 20, 20], 'float32', [10, 0]]);
    expect(made.neighborhoods.get('a')).toEqual([
      [1, 0],
      [0, -1],
      [0, -1],
    ]);
    expect(made.tasks[0].plan.blocks.count).toBe(4);
  });

  test.each([
    ['slice, end: [41, 30]', '4:84: arrays.a.operations[1].end[0]: expected a voxel above 0 and up to 40, found 41'],
    [
      'channels, channels: [0]',
      '4:64: arrays.a.operations[1]: expected an array with its first channel axis, found one without channels',
    ],
  ])('refuses %s with the place in the file, once', async (operation, line) => {
    expect(
      await refused(
        `  a: {store: d.zarr/raw, operations: [{type: flip, axes: [0]}, {type: ${operation}}]}\n${b}  c: {store: d.zarr/c}\n`,
        `${copy}  u: {type: toy-copy, input: a, output: c, blockSize: [5, 5]}\n`,
      ),
    ).toEqual([`ERR_PLAN ${line}`]);
  });

  test('gives expected and found, and looks at arrays that no task uses', async () => {
    const { refusals } = await plan(
      `  a: {store: d.zarr/raw}\n${b}  unused: {store: d.zarr/affinities, operations: [{type: channels, channels: [0, 2]}]}\n`,
      copy,
    );
    expect(refusals).toEqual([
      {
        file: join(folder, 'p.yaml'),
        line: 6,
        column: 82,
        key: 'arrays.unused.operations[0].channels[1]',
        text: 'expected a channel from 0 to 1, found 2',
        expected: 'a channel from 0 to 1',
        found: '2',
        code: 'ERR_PLAN',
      },
    ]);
  });

  test('refuses stacks of arrays that do not fit, at the one that does not', async () => {
    expect(
      await refused(
        `  a: {stack: [raw, wide]}\n  raw: {store: d.zarr/raw}\n  wide: {store: d.zarr/raw, operations: [{type: convert, dataType: int16}]}\n${b}`,
        copy,
      ),
    ).toEqual(['ERR_PLAN 4:20: arrays.a.stack[1]: expected the data type uint8, as the first array has, found int16']);
    expect(
      await refused(`  a: {stack: [raw, gone]}\n  raw: {store: d.zarr/raw}\n  gone: {store: d.zarr/gone}\n${b}`, copy),
    ).toEqual([
      "ERR_ARRAY_MISSING 9:30: tasks.t.input: the array 'a', of which 'gone' is a part, is not there (FOLDER/d.zarr/gone) and no task writes it",
    ]);
  });

  test('refuses display windows where there is no image', async () => {
    expect(
      await refused(`  a: {store: d.zarr/raw, operations: [{type: normalise, range: omero}]}\n${b}`, copy),
    ).toEqual([
      'ERR_PLAN 4:64: arrays.a.operations[0].range: expected an OME-Zarr image with display windows, found no image around the array',
    ]);
  });

  test('refuses to write what is read through operations, or a stack', async () => {
    const read = '  a: {store: d.zarr/raw}\n';
    expect(await refused(`${read}  b: {store: d.zarr/b, operations: [{type: flip, axes: [0]}]}\n`, copy)).toEqual([
      "ERR_PLAN 7:41: tasks.t.output: the task writes the array 'b': expected an array as it is stored, found one with operations",
    ]);
    expect(await refused(`${read}  b: {stack: [a]}\n`, copy)).toEqual([
      "ERR_PLAN 7:41: tasks.t.output: the task writes the array 'b': expected an array as it is stored, found a stack",
    ]);
  });

  test('refuses to write the store that is read under another name or in a stack', async () => {
    expect(
      await refused('  a: {stack: [x]}\n  x: {store: d.zarr/raw}\n  b: {store: d.zarr/raw}\n', copy),
    ).toContainEqual(expect.stringMatching(/tasks\.t\.output: the task reads \(as 'a'\) and writes the array 'b'/));
  });
});

describe('what a task waits for', () => {
  const fill = '  fill: {type: toy-fill, output: filled, shape: [20, 30], blockSize: [10, 10]}\n';
  const filled = '  filled: {store: d.zarr/filled}\n';
  const upstreamOf = ({ tasks }: PipelinePlan) =>
    tasks.map(({ task, upstream, barriers }) => [task.name, upstream, barriers]);

  test('is seen through operations and stacks, with metadata that is not on disk yet', async () => {
    const made = await plan(
      `  a: {stack: [one, two]}\n  one: {store: d.zarr/filled, operations: [{type: threshold, value: 3}]}\n  two: {store: d.zarr/filled, operations: [{type: convert, dataType: uint8}]}\n${filled}${b}`,
      `${copy}${fill}`,
    );
    expect(made.refusals).toEqual([]);
    expect(upstreamOf(made)).toEqual([
      ['fill', [], []],
      ['t', ['fill'], []],
    ]);
    expect(made.arrays.get('b')).toMatchObject({ shape: [2, 20, 30], dataType: 'uint8', channelAxes: 1 });
  });

  test('is all of the writer where a flip brings voxels from elsewhere', async () => {
    const made = await plan(
      `  a: {stack: [one]}\n  one: {store: d.zarr/filled, operations: [{type: flip, axes: [0]}]}\n${filled}${b}`,
      `${copy}${fill}`,
    );
    expect(upstreamOf(made)).toEqual([
      ['fill', [], []],
      ['t', [], ['fill']],
    ]);
  });
});

describe('the identity of a task', () => {
  const identity = async (arrays: string) => JSON.stringify((await plan(`${arrays}${b}`, copy)).tasks[0].identity);

  test('changes with the operations of what it reads, also inside a stack, and with nothing else', async () => {
    const plain = '  a: {store: d.zarr/raw}\n';
    const scaled = (scale: number) => `  a: {store: d.zarr/raw, operations: [{type: scale-shift, scale: ${scale}}]}\n`;
    const stack = (value: number) =>
      `  a: {stack: [x, x]}\n  x: {store: d.zarr/raw, operations: [{type: threshold, value: ${value}}]}\n`;
    const all: string[] = [];
    for (const one of [plain, scaled(2), scaled(3), stack(1), stack(2)]) all.push(await identity(one));
    expect(new Set(all).size).toBe(5);
    expect(await identity(scaled(2))).toBe(all[1]);
    expect(await identity(`${plain}  x: {store: d.zarr/raw, operations: [{type: flip, axes: [0]}]}\n`)).toBe(all[0]);
    expect(JSON.parse(all[0]).arrays.a).toEqual({
      store: 'd.zarr/raw',
      shape: [40, 30],
      dataType: 'uint8',
      channelAxes: 0,
      offset: [0, 0],
      voxelSize: [1, 1],
    });
  });

  test('holds the display windows', async () => {
    const group = (end: number) => {
      const multiscales = [
        {
          axes: ['y', 'x'].map((name) => ({ name, type: 'space' })),
          datasets: [{ path: 'raw', coordinateTransformations: [{ type: 'scale', scale: [1, 1] }] }],
        },
      ];
      const omero = { channels: [{ window: { start: 0, end } }] };
      const attributes = { ome: { version: '0.5', multiscales, omero } };
      mkdirSync(join(folder, 'd.zarr'), { recursive: true });
      writeFileSync(
        join(folder, 'd.zarr/zarr.json'),
        JSON.stringify({ zarr_format: 3, node_type: 'group', attributes }),
      );
    };
    const omero = '  a: {store: d.zarr/raw, operations: [{type: normalise, range: omero}]}\n';
    group(100);
    const first = await identity(omero);
    expect(JSON.parse(first).arrays.a.windows).toEqual([[0, 100]]);
    group(200);
    expect(await identity(omero)).not.toBe(first);
  });
});

describe('a run', () => {
  const operations =
    '{type: slice, begin: [3, 0], end: [20, 27]}, {type: flip, axes: [1]}, {type: normalise, range: [2, 6]}';
  const arrays = (scale: number) => `  filled: {store: d.zarr/filled}
  x: {store: d.zarr/filled, operations: [${operations}]}
  y: {store: d.zarr/filled, operations: [{type: scale-shift, scale: ${scale}}, {type: convert, dataType: float32}, {type: slice, begin: [3, 0], end: [20, 27]}]}
  a: {stack: [x, y]}
${b}`;
  const tasks = `  fill: {type: toy-fill, output: filled, shape: [20, 30], blockSize: [10, 10]}\n${copy}`;

  async function check(): Promise<void> {
    const rows = (row: number, column: number) => Math.floor(row / 10) * 3 + Math.floor(column / 10) + 1;
    const voxels = Array.from({ length: 600 }, (_, i) => rows(Math.floor(i / 30), i % 30));
    const filled: PlainVolume = { shape: [20, 30], channelAxes: 0, dataType: 'uint32', voxels };
    const sliced = applyNaively(filled, { type: 'slice', begin: [3, 0], end: [20, 27] });
    const flipped = applyNaively(sliced, { type: 'flip', axes: [1] });
    const first = applyNaively(flipped, { type: 'normalise', range: [2, 6] }).voxels;
    const second = applyNaively(sliced, { type: 'scale-shift', scale: 0.25 }).voxels.map((one) =>
      Math.fround(Number(one)),
    );
    expect(new Set(first).size).toBe(5);
    const found = await openVolume({ store: join(folder, 'd.zarr/b') });
    expect(found.metadata.offset.values).toEqual([3, 0]);
    expect([...(await found.readRegion([0, 0, 0], [2, 17, 27]))]).toEqual([...first, ...second]);
  }

  test('with worker processes reads through operations what a task before it wrote', async () => {
    const pipeline = await load(arrays(0.25), tasks);
    const result = await runPipeline(pipeline, { workers: 2 });
    expect(result).toMatchObject({ complete: true, failures: [] });
    await check();
    await expect(runPipeline(await load(arrays(0.5), tasks))).rejects.toMatchObject({
      code: 'ERR_PLAN_CHANGED',
      message: expect.stringMatching(/operations.*scale/),
    });
    const again = await runPipeline(await load(arrays(0.25), tasks), { workers: 1 });
    expect(again.tasks.map(({ alreadyDone }) => alreadyDone)).toEqual([6, 6]);
  });

  test('in one process too; the source is left as it is', async () => {
    await runSerially(await planPipeline(await load(arrays(0.25), tasks)));
    await check();
    const filled = await ChunkedArray.open(join(folder, 'd.zarr/filled'));
    expect((await filled.readRegion([0, 0], [1, 1]))[0]).toBe(1);
  });
});
