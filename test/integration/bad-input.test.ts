import { mkdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { main } from '../../lib/cli/main.js';
import { Coordinate } from '../../lib/geometry/coordinate.js';
import { ChunkedArray } from '../../lib/storage/chunked-array.js';
import type { ArrayMetadata } from '../../lib/storage/metadata.js';
import { builtInTasks } from '../../lib/tasks/index.js';
import { pluginPath } from '../support/plugins.js';
import { runProgram } from '../support/program.js';
import { copyVolume, edit, makeVolume, metadataOf } from '../support/small-volume.js';
import { filesBelow, temporaryFolder } from '../support/stores.js';

const taskTypes = builtInTasks
  .map(({ type }) => `'${type}'`)
  .join(', ')
  .replace(/, (?='[^,]*$)/, ' or ');

const place = temporaryFolder();
const root = realpathSync(place.path);
const original = join(root, 'original');
let folder = '';
let count = 0;
beforeAll(() => makeVolume(original));
afterAll(place.remove);

type Tell = (folder: string, command: string) => Promise<{ status: number | null; out: string; error: string }>;

/** The command line as a user has it. */
const program: Tell = (folder, command) => runProgram(folder, command, join(folder, 'segment.yaml'));
/** The same without a process of its own, which is faster. */
const inProcess: Tell = async (folder, command) => {
  const [out, error]: string[][] = [[], []];
  const console = { out: (text: string) => out.push(text), error: (text: string) => error.push(text) };
  const status = await main([command, join(folder, 'segment.yaml')], {
    ...console,
    progress: { write: () => undefined },
  });
  return { status, out: out.join('\n'), error: error.join('\n') };
};

/** What a command says of the whole job in a folder that was prepared, without the names of the folder and file. */
async function refusal(tell: Tell, prepare: () => unknown, command = 'run'): Promise<string> {
  folder = join(root, `case-${count++}`);
  copyVolume(original, folder);
  await prepare();
  const before = filesBelow(folder);
  const { status, out, error } = await tell(folder, command);
  expect({ status, files: [...filesBelow(folder).keys()] }).toEqual({ status: 2, files: [...before.keys()] });
  for (const [path, content] of filesBelow(folder)) expect(content.equals(before.get(path)!)).toBe(true);
  rmSync(folder, { recursive: true });
  return (command === 'plan' ? out : error)
    .replaceAll(`${folder}/segment.yaml`, 'segment.yaml')
    .replaceAll(folder, 'FOLDER')
    .trimEnd();
}

const change = (from: string, to: string) => () => edit(folder, from, to);
const write = (name: string, text: string) => {
  mkdirSync(join(folder, name, '..'), { recursive: true });
  writeFileSync(join(folder, name), text);
};
const create = (name: string, more: Partial<ArrayMetadata>) =>
  ChunkedArray.create(join(folder, name), metadataOf(more));
const replaceAffinities = (more: Partial<ArrayMetadata>) => {
  rmSync(join(folder, 'data.zarr'), { recursive: true });
  return create('data.zarr/affinities', {
    shape: [6, 48, 48, 48],
    chunkShape: [6, 12, 12, 12],
    channelAxes: 1,
    ...more,
  });
};
const plugin = (path: string) => change('tasks:\n', `plugins: ['${path}']\ntasks:\n`)();

type Case = [name: string, prepare: () => unknown, message: string];

const FILE: Case[] = [
  [
    'an unknown key',
    change('noiseEps: 0.01', 'noiseEp: 0.01'),
    "ERR_CONFIG: segment.yaml:20:5: tasks.fragments.noiseEp: unknown key (did you mean 'noiseEps'?)",
  ],
  [
    'a value of another type',
    change('context: [3, 3, 3]', 'context: 3'),
    'ERR_CONFIG: segment.yaml:18:14: tasks.fragments.context: expected a list, found 3',
  ],
  [
    'text for a number',
    change('bias: -0.5', 'bias: high'),
    "ERR_CONFIG: segment.yaml:19:11: tasks.fragments.bias: expected a number or a list, found 'high'",
  ],
  [
    'a task type that does not exist',
    change('extract-frags', 'extract-fragments'),
    `ERR_CONFIG: segment.yaml:13:11: tasks.fragments.type: expected ${taskTypes}, found 'extract-fragments' (did you mean 'extract-frags'?)`,
  ],
  [
    'an array that the file does not name',
    change(
      '    affinities: affinities\n    fragments: fragments\n    graph: graph\n    blockSize: [24, 24, 24]\n    context',
      '    affinities: affinitys\n    fragments: fragments\n    graph: graph\n    blockSize: [24, 24, 24]\n    context',
    ),
    "ERR_CONFIG: segment.yaml:14:17: tasks.fragments.affinities: expected one of the file's arrays ('affinities', 'fragments' or 'segments'), found 'affinitys' (did you mean 'affinities'?)",
  ],
  [
    'several at once',
    () => {
      edit(folder, 'noiseEps: 0.01', 'noiseEps: -1');
      edit(folder, 'weights: {near: [1, -0.5]', 'weights: {near: [1]');
      edit(folder, 'name: small\n', 'name: 7\n');
    },
    `ERR_CONFIG: 3 problems
  segment.yaml:1:7: name: expected text, found 7
  segment.yaml:20:15: tasks.fragments.noiseEps: expected a number of at least 0, found -1
  segment.yaml:35:21: tasks.lut.weights.near: expected a list of at least 2, found a list of 1`,
  ],
  [
    'text that is no YAML',
    change('    bias: -0.5\n', '\tbias: -0.5\n'),
    'ERR_CONFIG: segment.yaml:19:1: expected valid YAML: Tabs are not allowed as indentation',
  ],
];

const PLUGINS: Case[] = [
  [
    'a plugin that is not there',
    () => plugin('mine.js'),
    'ERR_CONFIG: segment.yaml:11:11: plugins[0]: cannot load the plugin FOLDER/mine.js: there is no such file',
  ],
  [
    'a plugin with a syntax error',
    () => {
      write('mine.mjs', "export default {\n  type: 'mine'\n  description: 'no comma'\n};\n");
      plugin('mine.mjs');
    },
    "ERR_CONFIG: segment.yaml:11:11: plugins[0]: cannot load the plugin FOLDER/mine.mjs: Unexpected identifier 'description' (at FOLDER/mine.mjs:3)",
  ],
  [
    'a plugin that throws',
    () => {
      write('mine.mjs', "\nthrow new Error('no licence');\n");
      plugin('mine.mjs');
    },
    'ERR_CONFIG: segment.yaml:11:11: plugins[0]: cannot load the plugin FOLDER/mine.mjs: no licence (at FOLDER/mine.mjs:2:7)',
  ],
  [
    'a plugin without a definition',
    () => plugin(pluginPath('no-definition')),
    `ERR_CONFIG: segment.yaml:11:11: plugins[0]: the plugin ${pluginPath('no-definition')}: expected a task definition as the module's default export, found none`,
  ],
];

const INPUTS: Case[] = [
  [
    'an array that is not there',
    change('store: data.zarr/affinities', 'store: data.zarr/raw'),
    "ERR_ARRAY_MISSING: segment.yaml:14:17: tasks.fragments.affinities: the array 'affinities' is not there (FOLDER/data.zarr/raw: nothing is there) and no task writes it",
  ],
  [
    'an array with broken metadata',
    () => write('data.zarr/affinities/zarr.json', '{"zarr_format": 3, "shape": [6,'),
    `ERR_METADATA: 2 reasons not to run
  segment.yaml:14:17: tasks.fragments.affinities: the array 'affinities' cannot be used: FOLDER/data.zarr/affinities/zarr.json: not JSON: expected a value at character 31, found the end
  segment.yaml:24:17: tasks.edges.affinities: the array 'affinities' cannot be used: FOLDER/data.zarr/affinities/zarr.json: not JSON: expected a value at character 31, found the end`,
  ],
  [
    'affinities of another type',
    () => replaceAffinities({ dataType: 'uint16' }),
    `ERR_PLAN: 2 reasons not to run
  segment.yaml:14:17: tasks.fragments.affinities: expected uint8 or float32, found uint16
  segment.yaml:24:17: tasks.edges.affinities: expected uint8 or float32, found uint16`,
  ],
  [
    'a neighborhood that is too short',
    change(',[0,0,3]]', ']'),
    "ERR_PLAN: segment.yaml:5:19: arrays.affinities.neighborhood: the neighborhood of the array 'affinities': expected 6 offsets, one a channel, found 5",
  ],
  [
    'a bias for other channels',
    change('bias: -0.5', 'bias: [-0.5, -0.5, -0.5]'),
    'ERR_PLAN: segment.yaml:19:11: tasks.fragments.bias: expected 1 or 6 numbers, found 3',
  ],
  [
    'blocks of other axes',
    change('[24, 24, 24]\n    context', '[24, 24]\n    context'),
    'ERR_PLAN: segment.yaml:17:16: tasks.fragments.blockSize: expected 3 numbers, found 2',
  ],
  [
    'an offset that is not in the neighborhood',
    change('far: [[3, 0, 0], [0, 3, 0], [0, 0, 3]]', 'far: [[3, 0, 0], [0, 9, 0]]'),
    'ERR_PLAN: segment.yaml:30:24: tasks.edges.scores.far[1]: expected an offset of the neighborhood ([1, 0, 0], [0, 1, 0], [0, 0, 1], [3, 0, 0], [0, 3, 0], [0, 0, 3]), found [0, 9, 0]',
  ],
  [
    'a weight for a score that no task writes',
    change('far: [0.9, -0.5]', 'fra: [0.9, -0.5]'),
    "ERR_PLAN: segment.yaml:35:37: tasks.lut.weights.fra: expected a score that a task writes to the graph 'graph' ('near', 'far'), found 'fra'",
  ],
  [
    'a LUT that no task writes',
    change('lut: out/small.lut\n    blockSize', 'lut: out/other.lut\n    blockSize'),
    "ERR_PLAN: segment.yaml:40:10: tasks.segments.lut: the LUT 'out/other.lut' is not there (FOLDER/out/other.lut) and no task writes it",
  ],
  [
    'fragments with another voxel size',
    async () => {
      await create('data.zarr/fragments', { voxelSize: new Coordinate([4, 4, 4]) });
      edit(folder, '  fragments: {store: out/small.zarr/fragments}', '  fragments: {store: data.zarr/fragments}');
      const text = readFileSync(join(folder, 'segment.yaml'), 'utf8');
      const [before, after] = [text.indexOf('  fragments:\n'), text.indexOf('  edges:\n')];
      writeFileSync(join(folder, 'segment.yaml'), text.slice(0, before) + text.slice(after));
    },
    'ERR_PLAN: segment.yaml:15:16: tasks.edges.fragments: expected the voxel size of the affinities, [8, 8, 8], found [4, 4, 4]',
  ],
];

const OUTPUTS: Case[] = [
  [
    'an output of another shape and type',
    () => create('out/small.zarr/fragments', { shape: [48, 48, 40], dataType: 'uint32' }),
    "ERR_PLAN: segment.yaml:15:16: tasks.fragments.fragments: the array 'fragments' is there already (FOLDER/out/small.zarr/fragments) and is another: shape [48, 48, 40] instead of [48, 48, 48], data type uint32 instead of uint64. Remove it or name another store",
  ],
  [
    'blocks that share chunks of an output that is there',
    () => create('out/small.zarr/fragments', { chunkShape: [48, 24, 24] }),
    "ERR_CHUNK_SHARED: segment.yaml:15:16: tasks.fragments.fragments: the array 'fragments': blocks of [24,24,24] voxels would write into the same chunk of [48,24,24] along axis 0; blocks of [48,24,24] voxels work",
  ],
  [
    'blocks that the chunks of an output do not divide',
    () => create('out/small.zarr/fragments', { chunkShape: [24, 24, 16] }),
    "ERR_CHUNK_SHARED: segment.yaml:15:16: tasks.fragments.fragments: the array 'fragments': blocks of [24,24,24] voxels would write into the same chunk of [24,24,16] along axis 2; blocks of [24,24,32] voxels work",
  ],
  [
    'an output that is an input',
    change('store: out/small.zarr/segments', 'store: out/small.zarr/fragments'),
    `ERR_PLAN: 2 reasons not to run
  segment.yaml:22:3: tasks.edges: the tasks wait for each other: 'edges' after 'segments' (it reads the array 'fragments'), 'segments' after 'lut' (it reads the LUT 'out/small.lut'), 'lut' after 'edges' (it reads the graph 'graph')
  segment.yaml:39:15: tasks.segments.segments: the task reads (as 'fragments') and writes the array 'segments': a block that is run again would read its own result. Write to another store`,
  ],
  [
    'a LUT with the path of an array',
    change('lut: out/small.lut\n    weights', 'lut: data.zarr/affinities\n    weights'),
    `ERR_PLAN: 2 reasons not to run
  segment.yaml:34:10: tasks.lut.lut: the LUT 'data.zarr/affinities' and the array 'affinities' have the same path (FOLDER/data.zarr/affinities)
  segment.yaml:40:10: tasks.segments.lut: the LUT 'out/small.lut' is not there (FOLDER/out/small.lut) and no task writes it`,
  ],
  [
    'a run directory inside an array',
    change('name: small\n', 'name: small\nrunDirectory: data.zarr/affinities/run\n'),
    "ERR_PLAN: segment.yaml:2:15: runDirectory: the run directory FOLDER/data.zarr/affinities/run lies inside the array 'affinities' (FOLDER/data.zarr/affinities)",
  ],
  [
    'an output inside an input',
    change('store: out/small.zarr/fragments', 'store: data.zarr/affinities/fragments'),
    "ERR_PLAN: segment.yaml:15:16: tasks.fragments.fragments: the array 'fragments' lies inside the array 'affinities' (FOLDER/data.zarr/affinities)",
  ],
  [
    'two tasks that write one array',
    change(
      '  edges:\n',
      '  again: {type: extract-frags, affinities: affinities, fragments: fragments, blockSize: [24, 24, 24], bias: -0.4}\n  edges:\n',
    ),
    "ERR_PLAN: segment.yaml:22:3: tasks.again: writes the array 'fragments', as 'fragments' does, and nothing orders the two: expected `after: [fragments]` here or `after: [again]` there",
  ],
  [
    'an output below a file',
    () => {
      write('file', '');
      edit(folder, 'store: out/small.zarr/segments', 'store: file/segments');
    },
    "ERR_PLAN: segment.yaml:39:15: tasks.segments.segments: the array 'segments' cannot be written to FOLDER/file/segments: FOLDER/file is no folder",
  ],
  [
    'a run directory that is a file',
    () => write('small.run', ''),
    'ERR_PLAN: segment.yaml:1:1: runDirectory: the run directory FOLDER/small.run cannot be written: it is no folder',
  ],
];

describe.each([
  ['in the file', inProcess, FILE],
  ['about plugins', program, PLUGINS],
  ['about what is read', program, INPUTS.slice(0, 2)],
  ['about what is read', inProcess, INPUTS.slice(2)],
  ['about what is written', inProcess, OUTPUTS],
] as const)('%s', (_title, tell, cases) => {
  test.each([...cases])('%s is refused, and nothing is written', async (_name, prepare, message) => {
    expect(await refusal(tell, prepare)).toBe(`blockwright: ${message}`);
  });
});

test('a plan tells the same', async () => {
  const found = await refusal(inProcess, change('bias: -0.5', 'bias: [-0.5]'), 'plan');
  expect(found).toContain(
    'This would be refused:\n  ERR_PLAN: segment.yaml:19:11: tasks.fragments.bias: expected 1 or 6 numbers, found 1',
  );
});
