import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { BlockwrightError } from '../../lib/errors.js';
import { Coordinate } from '../../lib/geometry/coordinate.js';
import { loadPipeline } from '../../lib/pipeline/file.js';
import { type PipelinePlan, planPipeline } from '../../lib/pipeline/plan.js';
import { formatProblem } from '../../lib/pipeline/problem.js';
import type { StoredArray } from '../../lib/pipeline/stored-arrays.js';
import type { ArrayMetadata } from '../../lib/storage/metadata.js';
import { pluginPath } from '../support/plugins.js';

let folder = '';
const folders: string[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'blockwright-plan-'));
  folders.push(folder);
});
afterAll(() => {
  for (const one of folders) rmSync(one, { recursive: true });
});

function metadata(shape: readonly number[], changes: Partial<ArrayMetadata> = {}): ArrayMetadata {
  const channelAxes = changes.channelAxes ?? 0;
  const axes = shape.length - channelAxes;
  return {
    shape,
    chunkShape: shape,
    dataType: 'uint32',
    channelAxes,
    offset: Coordinate.filled(axes, 0),
    voxelSize: Coordinate.filled(axes, 1),
    units: new Array<string>(axes).fill(''),
    axisNames: shape.map((_, i) => `d${i}`),
    attributes: {},
    ...changes,
  };
}

/** Plans a file in which the stores of `stored` are there. */
async function plan(body: string, stored: Record<string, ArrayMetadata | Error> = {}): Promise<PipelinePlan> {
  const file = join(folder, 'p.yaml');
  writeFileSync(file, `name: test\nplugins: ['${pluginPath('toy-copy')}', '${pluginPath('toy-fill')}']\n${body}`);
  const pipeline = await loadPipeline(file, { definitions: [] });
  return planPipeline(pipeline, async (store): Promise<StoredArray> => {
    const found = stored[store.slice(folder.length + 1)];
    if (found === undefined) return {};
    return 'message' in found ? { error: found } : { metadata: found };
  });
}

/** The refusals as lines, with FOLDER for the folder. */
async function refused(body: string, stored?: Record<string, ArrayMetadata | Error>): Promise<string[]> {
  const { refusals } = await plan(body, stored);
  return refusals.map(
    (one) => `${one.code} ${formatProblem(one).replaceAll(`${folder}/p.yaml:`, '').replaceAll(folder, 'FOLDER')}`,
  );
}

const arrays = `arrays:
  raw: {store: d.zarr/raw}
  a: {store: d.zarr/a}
  b: {store: d.zarr/b}
  c: {store: d.zarr/c}
graphs:
  g: {type: sqlite, path: g.sqlite}
  h: {type: sqlite, path: g.sqlite}
tasks:
`;
const raw = { 'd.zarr/raw': metadata([40, 30]) };

const upstreamOf = ({ tasks }: PipelinePlan) =>
  Object.fromEntries(
    tasks.map(({ task, upstream, barriers }) => [
      task.name,
      [...upstream, ...barriers.map((one) => `${one} as a whole`)],
    ]),
  );

describe('the order of tasks', () => {
  test('comes from the arrays they share, wherever they stand in the file', async () => {
    const made = await plan(
      `${arrays}  last: {type: toy-copy, input: b, output: c, blockSize: [10, 10]}
  middle: {type: toy-copy, input: a, output: b, blockSize: [10, 10]}
  first: {type: toy-copy, input: raw, output: a, blockSize: [10, 10]}
`,
      raw,
    );
    expect(made.refusals).toEqual([]);
    expect(upstreamOf(made)).toEqual({ last: ['middle'], middle: ['first'], first: [] });
    expect(made.tasks.map(({ task }) => task.name)).toEqual(['first', 'middle', 'last']);
    expect(made.arrays.get('c')?.shape).toEqual([40, 30]);
  });

  test('comes from graphs, by path, from LUTs and from after', async () => {
    const made = await plan(
      `${arrays}  read: {type: toy-copy, input: raw, blockSize: [10, 10], readGraph: h, writeLut: ./x.lut}
  write: {type: toy-copy, input: raw, blockSize: [10, 10], writeGraph: g}
  also: {type: toy-copy, input: raw, blockSize: [20, 20], writeGraph: g}
  use: {type: toy-copy, input: raw, output: a, blockSize: [10, 10], readLut: x.lut}
  end: {type: toy-copy, input: raw, output: b, blockSize: [10, 10], after: [use, write]}
`,
      raw,
    );
    expect(made.refusals).toEqual([]);
    expect(upstreamOf(made)).toEqual({
      read: ['write as a whole', 'also as a whole'],
      write: [],
      also: [],
      use: ['read as a whole'],
      end: ['use as a whole', 'write as a whole'],
    });
  });

  test('two readers of one graph do not wait for each other', async () => {
    const made = await plan(
      `${arrays}  one: {type: toy-copy, input: raw, blockSize: [10, 10], readGraph: g, writeLut: 1.lut}
  two: {type: toy-copy, input: raw, blockSize: [10, 10], readGraph: g, writeLut: 2.lut}
  write: {type: toy-copy, input: raw, blockSize: [10, 10], writeGraph: g}
`,
      raw,
    );
    expect(made.refusals).toEqual([]);
    expect(upstreamOf(made)).toEqual({ one: ['write as a whole'], two: ['write as a whole'], write: [] });
  });

  test('that goes round in a circle is refused with the reasons', async () => {
    expect(
      await refused(
        `${arrays}  one: {type: toy-copy, input: raw, output: a, blockSize: [10, 10], readLut: x.lut}
  two: {type: toy-copy, input: a, output: b, blockSize: [10, 10], writeLut: x.lut}
`,
        raw,
      ),
    ).toEqual([
      "ERR_PLAN 12:3: tasks.one: the tasks wait for each other: 'one' after 'two' (it reads the LUT 'x.lut'), 'two' after 'one' (it reads the array 'a')",
    ]);
  });

  test('must be given for two writers of one array', async () => {
    const two = `${arrays}  one: {type: toy-copy, input: raw, output: a, blockSize: [10, 10]}
  two: {type: toy-copy, input: raw, output: a, blockSize: [10, 10]}
`;
    expect(await refused(two, raw)).toEqual([
      "ERR_PLAN 13:3: tasks.two: writes the array 'a', as 'one' does, and nothing orders the two: expected `after: [one]` here or `after: [two]` there",
    ]);
    expect(await refused(two.replace('10]}\n  two', '10], after: [two]}\n  two'), raw)).toEqual([]);
  });

  test('must be given for two tasks that read and write one graph', async () => {
    const body = `${arrays}  fill: {type: toy-copy, input: raw, blockSize: [10, 10], writeGraph: g}
  one: {type: toy-copy, input: raw, blockSize: [10, 10], writeGraph: g, readGraph: g}
  two: {type: toy-copy, input: raw, blockSize: [10, 10], writeGraph: g, readGraph: g}
`;
    expect(await refused(body, raw)).toEqual([
      "ERR_PLAN 14:3: tasks.two: writes the graph 'g', as 'one' does, and nothing orders the two: expected `after: [one]` here or `after: [two]` there",
    ]);
  });
});

describe('what a run would do', () => {
  test('bytes read with context inside the array, and written; blocks', async () => {
    const made = await plan(
      `${arrays}  t: {type: toy-copy, input: raw, output: a, blockSize: [20, 20], context: [2, 1]}\n`,
      raw,
    );
    const [{ plan: task, bytesRead, bytesWritten }] = made.tasks;
    expect(task.blocks.count).toBe(4);
    // rows 22 + 22 of 40, columns 21 + 11 of 30, 4 bytes each
    expect(bytesRead).toBe(44 * 32 * 4);
    expect(bytesWritten).toBe(40 * 30 * 4);
  });

  test('the identity knows options, geometry and paths as given, not how the work is spread', async () => {
    const text = (more: string, store = 'd.zarr/raw') =>
      `arrays: {raw: {store: ${store}}, a: {store: out/a}}\ntasks:\n  t: {type: toy-copy, input: raw, output: a, blockSize: [20, 20]${more}}\n`;
    const identity = async (body: string, stored: Record<string, ArrayMetadata> = raw) =>
      JSON.stringify((await plan(body, stored)).tasks[0].identity);
    const first = await identity(text(''));
    folder = mkdtempSync(join(tmpdir(), 'blockwright-plan-'));
    folders.push(folder);
    expect(await identity(`${text(', retries: 7, blockTimeout: 3')}executor: {type: local, workers: 3}\n`)).toBe(first);
    expect(await identity(text(', context: [1, 0]'))).not.toBe(first);
    expect(await identity(text('', 'e/raw'), { 'e/raw': raw['d.zarr/raw'] })).not.toBe(first);
    expect(await identity(text(''), { 'd.zarr/raw': metadata([40, 30], { dataType: 'uint8' }) })).not.toBe(first);
    expect(await identity(text(''), { 'd.zarr/raw': metadata([40, 30], { chunkShape: [7, 7] }) })).toBe(first);
    expect(first).not.toContain(tmpdir());
  });

  test('the identity knows what wrote the inputs, however far back', async () => {
    const identities = async (context: string, more = '') => {
      const made = await plan(
        `${arrays}  one: {type: toy-copy, input: raw, output: a, blockSize: [20, 20]${context}}
  two: {type: toy-copy, input: a, blockSize: [20, 20], writeGraph: g}
  three: {type: toy-copy, input: raw, blockSize: [20, 20], readGraph: g, writeLut: x.lut}
  aside: {type: toy-copy, input: raw, blockSize: [20, 20], writeLut: y.lut${more}}
`,
        raw,
      );
      expect(made.refusals).toEqual([]);
      return Object.fromEntries(made.tasks.map(({ task, identity }) => [task.name, JSON.stringify(identity)]));
    };
    const first = await identities('');
    const changed = await identities(', context: [1, 0]');
    expect(Object.keys(first).filter((name) => first[name] !== changed[name])).toEqual(['one', 'two', 'three']);
    expect(changed.aside).toBe(first.aside);
    expect(await identities('', ', after: [three]')).toEqual(first);
  });

  test('what blocks hold comes from the plan and from the file', async () => {
    const made = await plan(
      `${arrays}  t: {type: toy-fill, output: a, shape: [4], blockSize: [2], gpu: 1, resources: {gpu: 2, db: 1}}\nresources: {gpu: 2, db: 4}\n`,
    );
    expect(made.refusals).toEqual([]);
    expect(made.tasks[0].resources).toEqual({ gpu: 2, db: 1 });
  });
});

describe('refused', () => {
  const cases: readonly (readonly [string, string, Record<string, ArrayMetadata | Error>, readonly string[]])[] = [
    [
      'an input that is not there, without complaints about what follows from it',
      `  second: {type: toy-copy, input: a, output: b, blockSize: [10, 10]}
  first: {type: toy-copy, input: raw, output: a, blockSize: [10, 10]}
  third: {type: toy-copy, input: raw, output: c, blockSize: [10, 10]}
`,
      {},
      [
        "ERR_ARRAY_MISSING 13:34: tasks.first.input: the array 'raw' is not there (FOLDER/d.zarr/raw) and no task writes it",
      ],
    ],
    [
      'an input that cannot be read',
      '  t: {type: toy-copy, input: raw, output: a, blockSize: [10, 10]}\n',
      { 'd.zarr/raw': new BlockwrightError('ERR_METADATA', 'shape: expected a list') },
      ["ERR_METADATA 12:30: tasks.t.input: the array 'raw' cannot be used: shape: expected a list"],
    ],
    [
      'a LUT and a graph that nobody writes',
      `  t: {type: toy-copy, input: raw, output: a, blockSize: [10, 10], readLut: x.lut}
  u: {type: toy-copy, input: raw, output: b, blockSize: [10, 10], readGraph: g}
`,
      raw,
      [
        "ERR_PLAN 12:76: tasks.t.readLut: the LUT 'x.lut' is not there (FOLDER/x.lut) and no task writes it",
        "ERR_PLAN 13:78: tasks.u.readGraph: no task writes the graph 'g', so what it covers is not known",
      ],
    ],
    [
      'an error of the task, at its option',
      '  t: {type: toy-fill, output: a, shape: [10, 10], blockSize: [5]}\n',
      {},
      ['ERR_PLAN 12:62: tasks.t.blockSize: expected 2 entries as in shape, found 1'],
    ],
    [
      'geometry that is none, at the task',
      '  t: {type: toy-copy, input: raw, output: a, blockSize: [5, 0]}\n',
      raw,
      ['ERR_PLAN 12:3: tasks.t: blockShape: expected entries of at least 1 world unit, found [5, 0]'],
    ],
    [
      'no blocks',
      '  t: {type: toy-fill, output: a, shape: [4, 4], blockSize: [5, 5], fit: valid}\n',
      {},
      [
        "ERR_PLAN 12:3: tasks.t: there are no blocks: with fit 'valid' no block of [5, 5] world units fits into [0:4, 0:4] (4, 4)",
      ],
    ],
    [
      'an output that is there as another array',
      '  t: {type: toy-copy, input: raw, output: a, blockSize: [10, 10]}\n',
      {
        ...raw,
        'd.zarr/a': metadata([40, 31], { chunkShape: [10, 10], dataType: 'uint8', offset: Coordinate.from([0, 8]) }),
      },
      [
        "ERR_PLAN 12:43: tasks.t.output: the array 'a' is there already (FOLDER/d.zarr/a) and is another: shape [40, 31] instead of [40, 30], data type uint8 instead of uint32, offset [0, 8] instead of [0, 0]. Remove it or name another store",
      ],
    ],
    [
      'an output that is there with larger shards than its blocks',
      '  t: {type: toy-copy, input: raw, output: a, blockSize: [10, 10]}\n',
      { ...raw, 'd.zarr/a': metadata([40, 30], { chunkShape: [10, 5], shardShape: [10, 20] }) },
      [
        "ERR_CHUNK_SHARED 12:43: tasks.t.output: the array 'a': blocks of [10,10] voxels would write into the same shard of [10,20] along axis 1; blocks of [10,20] voxels work",
      ],
    ],
    [
      'an output that is no array',
      '  t: {type: toy-copy, input: raw, output: a, blockSize: [10, 10]}\n',
      { ...raw, 'd.zarr/a': new BlockwrightError('ERR_METADATA', 'bad JSON') },
      ['ERR_METADATA 12:43: tasks.t.output: what stands at FOLDER/d.zarr/a is no array that can be written: bad JSON'],
    ],
    [
      'an array that two tasks want to be different',
      `  t: {type: toy-copy, input: raw, output: a, blockSize: [10, 10]}
  u: {type: toy-copy, input: raw, output: a, blockSize: [20, 10], after: [t]}
`,
      raw,
      [
        "ERR_PLAN 12:43: tasks.t.output: the task 'u' writes the array 'a' too, as another: chunk shape [20, 10] instead of [10, 10]",
        "ERR_PLAN 13:43: tasks.u.output: the task 't' writes the array 'a' too, as another: chunk shape [10, 10] instead of [20, 10]",
      ],
    ],
    [
      'a resource that is not there, or not enough of it',
      `  t: {type: toy-fill, output: a, shape: [4], blockSize: [2], gpu: 1}
  u: {type: toy-fill, output: b, shape: [4], blockSize: [2], resources: {db: 3}}
resources: {db: 2}
`,
      {},
      [
        "ERR_PLAN 12:3: tasks.t: a block needs 1 of the resource 'gpu', and the pipeline's `resources` do not name it",
        "ERR_PLAN 13:78: tasks.u.resources.db: a block needs 3 of the resource 'db', and there is 2",
      ],
    ],
  ];
  test.each(cases)('%s', async (_what, tasks, stored, lines) => {
    expect(await refused(`${arrays}${tasks}`, stored)).toEqual(lines);
  });

  const places = (input: string, output: string) =>
    `arrays:\n  in: {store: ${input}}\n  out: {store: ${output}}\ntasks:\n  t: {type: toy-copy, input: in, output: out, blockSize: [10, 10]}\n`;
  test.each([
    [
      'x/in',
      'x/../x/in',
      "the task reads (as 'in') and writes the array 'out': a block that is run again would read its own result. Write to another store",
    ],
    ['x/in', 'x/in/out', "the array 'out' lies inside the array 'in' (FOLDER/x/in)"],
    ['x/y/in', 'x/y', "the array 'in' lies inside the array 'out' (FOLDER/x/y)"],
  ])('an output that touches an input: %s, %s', async (input, output, text) => {
    const stored = {
      [input]: metadata([40, 30]),
      ...(output.endsWith('x/in') ? { 'x/in': metadata([40, 30], { chunkShape: [10, 10] }) } : {}),
    };
    expect(await refused(places(input, output), stored)).toEqual([`ERR_PLAN 7:42: tasks.t.output: ${text}`]);
  });

  test('two outputs of a task at one store', async () => {
    const body = `${arrays.replace('d.zarr/b', './d.zarr/a')}  t: {type: toy-copy, input: raw, output: a, output2: b, blockSize: [10, 10]}\n`;
    expect(await refused(body, raw)).toEqual([
      "ERR_PLAN 12:43: tasks.t.output: the task writes the array 'a' and the array 'b' to one store (FOLDER/d.zarr/a)",
      "ERR_PLAN 12:55: tasks.t.output2: the task writes the array 'b' and the array 'a' to one store (FOLDER/d.zarr/a)",
    ]);
  });

  test('an output that is an input by way of a link, and a reader of one waits for its writer', async () => {
    mkdirSync(join(folder, 'd.zarr'));
    symlinkSync('d.zarr', join(folder, 'link'));
    const both = arrays.replace('d.zarr/b', 'link/a').replace('d.zarr/c', 'link/raw');
    expect(await refused(`${both}  t: {type: toy-copy, input: raw, output: c, blockSize: [10, 10]}\n`, raw)).toEqual([
      "ERR_PLAN 12:43: tasks.t.output: the task reads (as 'raw') and writes the array 'c': a block that is run again would read its own result. Write to another store",
    ]);
    const made = await plan(
      `${both.replace('graphs:', '  d: {store: d.zarr/d}\ngraphs:')}  last: {type: toy-copy, input: b, output: d, blockSize: [10, 10]}
  first: {type: toy-copy, input: raw, output: a, blockSize: [10, 10]}
`,
      raw,
    );
    expect(made.refusals).toEqual([]);
    expect(upstreamOf(made)).toEqual({ last: ['first'], first: [] });
  });

  test.each([
    ['x/out', "has the path of the array 'out'"],
    ['x/out/run', "lies inside the array 'out' (FOLDER/x/out)"],
    ['x/in/run', "lies inside the array 'in' (FOLDER/x/in)"],
    ['link/in/run', "lies inside the array 'in' (FOLDER/x/in)"],
  ])('a run directory in an array: %s', async (runDirectory, text) => {
    symlinkSync('x', join(folder, 'link'));
    mkdirSync(join(folder, 'x'));
    const body = `${places('x/in', 'x/out')}runDirectory: ${runDirectory}\n`;
    expect(await refused(body, { 'x/in': raw['d.zarr/raw'] })).toEqual([
      `ERR_PLAN 8:15: runDirectory: the run directory FOLDER/${runDirectory} ${text}`,
    ]);
  });

  test('a LUT that is read and written', async () => {
    const body = `${arrays}  t: {type: toy-copy, input: raw, blockSize: [10, 10], readLut: x.lut, writeLut: y/../x.lut}\n`;
    writeFileSync(join(folder, 'x.lut'), '');
    expect(await refused(body, raw)).toEqual([
      "ERR_PLAN 12:82: tasks.t.writeLut: the task reads (as 'x.lut') and writes the LUT 'y/../x.lut': a block that is run again would read its own result. Write to another store",
    ]);
  });

  test('an output whose folder cannot be made', async () => {
    mkdirSync(join(folder, 'x'));
    writeFileSync(join(folder, 'x/file'), '');
    expect(await refused(places('in', 'x/file/deeper/out'), { in: metadata([40, 30]) })).toEqual([
      "ERR_PLAN 7:42: tasks.t.output: the array 'out' cannot be written to FOLDER/x/file/deeper/out: FOLDER/x/file is no folder",
    ]);
  });

  describe('a neighborhood', () => {
    const file = (neighborhood: string) =>
      `arrays:\n  aff: {store: aff${neighborhood}}\n  out: {store: out}\ntasks:\n  t: {type: toy-copy, input: aff, output: out, blockSize: [10, 10], neighborhood: true}\n`;
    const stored = (attributes: Record<string, unknown>, shape = [3, 20, 20], channelAxes = 1) => ({
      aff: metadata(shape, { channelAxes, attributes }),
    });
    test('of the file or the attributes is found', async () => {
      const offsets = [[1, 0], [0, 1], [0, 9]]; // biome-ignore format: a list of offsets
      expect((await plan(file(''), stored({ neighborhood: offsets }))).neighborhoods.get('aff')).toEqual(offsets);
      const made = await plan(file(', neighborhood: [[1, 0], [0, 1], [0, 9]]'), stored({ neighborhood: [[5, 5]] }));
      expect(made.refusals).toEqual([]);
      expect(made.neighborhoods.get('aff')).toEqual(offsets);
    });
    test.each([
      [
        '',
        {},
        [3, 20, 20],
        1,
        "7:30: tasks.t.input: the array 'aff' has no neighborhood: expected one offset a channel, in the file or the array's attributes",
      ],
      [
        '',
        { neighborhood: [[1, 0]] },
        [3, 20, 20],
        1,
        "7:30: tasks.t.input: the neighborhood of the array 'aff': expected 3 offsets, one a channel, found 1",
      ],
      [
        '',
        { neighborhood: 'all' },
        [3, 20, 20],
        1,
        "7:30: tasks.t.input: the attribute 'neighborhood' of the array 'aff': expected a list of offsets, found \"all\"",
      ],
      [
        ', neighborhood: [[1, 0]]',
        {},
        [3, 20, 20],
        1,
        "4:35: arrays.aff.neighborhood: the neighborhood of the array 'aff': expected 3 offsets, one a channel, found 1",
      ],
      [
        ', neighborhood: [[1], [2], [3]]',
        {},
        [3, 20, 20],
        1,
        "4:35: arrays.aff.neighborhood: the neighborhood of the array 'aff': expected offsets of 2 axes, found [1]",
      ],
      [
        ', neighborhood: [[1, 0]]',
        {},
        [20, 20],
        0,
        "4:35: arrays.aff.neighborhood: the array 'aff' has 0 channel axes: expected 1, one channel an offset of the neighborhood",
      ],
    ])('%s %j %j', async (neighborhood, attributes, shape, channelAxes, line) => {
      expect(await refused(file(neighborhood), stored(attributes, shape, channelAxes))).toEqual([`ERR_PLAN ${line}`]);
    });
  });
});
