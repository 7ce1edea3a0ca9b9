import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { messageOf } from '../../lib/errors.js';
import { evaluateVolumes } from '../../lib/evaluation/evaluate-volumes.js';
import { evaluationJson } from '../../lib/evaluation/evaluation.js';
import { Roi } from '../../lib/geometry/roi.js';
import { writeLut } from '../../lib/graph/lut.js';
import { pipeline, type TaskInput } from '../../lib/pipeline/pipeline.js';
import { planPipeline } from '../../lib/pipeline/plan.js';
import { runPipeline } from '../../lib/pipeline/run.js';
import { runSerially } from '../../lib/pipeline/run-serially.js';
import { TaskBench } from '../support/task-bench.js';

const SHAPE = [9, 14, 21];
const count = SHAPE.reduce((product, extent) => product * extent, 1);
const segments = BigUint64Array.from({ length: count }, (_, voxel) => [0n, 1n, 2n ** 63n, 5n][((voxel >> 3) % 7) % 4]);
const truths = Int32Array.from({ length: count }, (_, voxel) => ((voxel >> 4) % 11) % 6);
const mask = Uint8Array.from({ length: count }, (_, voxel) => voxel % 5);

let bench: TaskBench;
beforeEach(async () => {
  bench = new TaskBench();
  await bench.write('segments', { data: segments, shape: SHAPE, offset: [80, -16, 400] });
  // one voxel further in y and x
  await bench.write('labels', { data: truths, shape: SHAPE, offset: [80, -8, 408] });
  await bench.write('mask', { data: mask, shape: SHAPE, offset: [80, -16, 400] });
});
afterEach(() => bench.remove());

const TABLES: TaskInput = {
  type: 'contingency',
  segmentation: 'segments',
  truth: 'labels',
  tables: 'out/tables',
  blockSize: [4, 6, 7],
};
const SCORES: TaskInput = { type: 'evaluate', tables: 'out/tables', output: 'out/scores.json' };

const tasks = (ofTables: object = {}, ofScores: object = {}): Record<string, TaskInput> => ({
  scores: { ...SCORES, ...ofScores },
  tables: { ...TABLES, ...ofTables },
});
const run = (ofTables: object = {}, ofScores: object = {}) => bench.run(tasks(ofTables, ofScores));
const written = () => readFileSync(join(bench.folder, 'out/scores.json'), 'utf8');

/** What it says, but for the places, which depend on the blocks. */
const plain = (json: string) => JSON.parse(json, (key, value) => (key === 'position' ? undefined : value));

async function expected(options: Parameters<typeof evaluateVolumes>[1] = {}, more: object = {}): Promise<unknown> {
  const volumes = { segmentation: await bench.open('segments'), truth: await bench.open('labels'), ...more };
  return plain(evaluationJson(await evaluateVolumes(volumes, options)));
}

describe('the tables of blocks, added up', () => {
  test.each([[[4, 6, 7]], [[9, 14, 21]], [[1, 3, 50]]])('in blocks of %j', async (blockSize) => {
    const lines = await run({ blockSize });
    expect(plain(written())).toEqual(await expected());
    expect(lines.at(-1)).toMatch(
      /^scores 0: VOI 1\.9\d+ split \+ 2\.2\d+ merge, adapted Rand error 0\.\d+ \(\d+ pairs of \d+ blocks\)$/,
    );
  });

  test('every option changes something', async () => {
    const masked = { mask: await bench.open('mask') };
    await run({ mask: 'mask' }, { worst: 1 });
    expect(plain(written())).toEqual(await expected({ worst: 1 }, masked));
    await run({ mask: 'mask' }, { ignoreTruthBackground: false, distinctPairs: true });
    expect(plain(written())).toEqual(await expected({ ignoreTruthBackground: false, distinctPairs: true }, masked));
    expect(plain(written())).not.toEqual(await expected({ ignoreTruthBackground: false }, masked));
    const lut = {
      fragments: BigUint64Array.of(1n, 5n),
      segments: BigUint64Array.of(9n, 9n),
      sizes: BigUint64Array.of(1n, 1n),
    };
    await writeLut(join(bench.folder, 'segments.lut'), lut);
    await run({ lut: 'segments.lut' });
    expect(plain(written())).toEqual(await expected({}, { lut }));
    expect(plain(written())).toMatchObject({ segments: 3 });
  });

  test('part of the volume, another after it: tables of the old grid are gone', async () => {
    await run({ roi: { offset: [80, -8, 408], shape: [72, 8, 800] } });
    expect(plain(written())).toMatchObject({ roi: { offset: [80, -8, 408], shape: [72, 8, 160] } });
    await run();
    expect(plain(written())).toEqual(await expected());
  });

  test('tables of an earlier run are not counted where this one has none', async () => {
    await run();
    // only the first row of blocks
    await bench.write('part', {
      data: Uint8Array.from({ length: 4 }, () => 1),
      shape: [1, 2, 2],
      offset: [80, -8, 408],
    });
    const given = bench.input(tasks({ skip: { mask: 'part' } }));
    const input = { ...given, arrays: { ...given.arrays, part: { store: 'data.zarr/part' } } };
    const lines: string[] = [];
    const onLog = (_task: string, _block: number, line: string) => lines.push(line);
    await runSerially(await planPipeline(await pipeline(input, { folder: bench.folder })), { onLog });
    expect(lines.at(-1)).toMatch(/\(\d+ pairs of 1 of 27 blocks\)$/);
    expect(plain(written())).toEqual({
      ...((await expected({ roi: new Roi([80, -8, 408], [32, 48, 56]) })) as object),
      roi: { offset: [80, -8, 408], shape: [72, 104, 160] },
    });
  });

  test('with workers, and blocks that are written twice', async () => {
    const input = { ...bench.input(tasks()), runDirectory: 'bench.run' };
    const job = await pipeline(input, { folder: bench.folder });
    expect((await runPipeline(job, { workers: 2 })).complete).toBe(true);
    const first = written();
    const names = readdirSync(join(bench.folder, 'out/tables')).sort();
    expect(names).toHaveLength(1 + 3 * 3 * 3);
    // all again, over the tables that are there
    rmSync(join(bench.folder, 'bench.run'), { recursive: true });
    expect((await runPipeline(await pipeline(input, { folder: bench.folder }), { workers: 2 })).complete).toBe(true);
    expect(written()).toBe(first);
    expect(readdirSync(join(bench.folder, 'out/tables')).sort()).toEqual(names);
  });
});

test('a table that was cut or changed is named', async () => {
  await run();
  const path = join(bench.folder, 'out/tables/4.table');
  const evaluate = () => bench.run({ tables: { ...TABLES, truth: 'labels' }, scores: SCORES });
  const whole = readFileSync(path);
  const again = async (spoil: () => void, writeRoi = new Roi([80, -8, 408], [72, 104, 160])) => {
    // only the second task: the first would write the table anew
    const { evaluate: definition } = await import('../../lib/tasks/evaluate.js');
    spoil();
    const context = {
      filePath: (name: string) => join(bench.folder, name),
      log: () => undefined,
      signal: new AbortController().signal,
    };
    const options = definition.options.parse(
      Object.fromEntries(Object.entries(SCORES).filter(([key]) => key !== 'type')),
    );
    return definition.processBlock(options, { writeRoi } as never, context as never).then(() => 'no error', messageOf);
  };
  expect(await again(() => truncateSync(path, whole.length - 1))).toContain('4.table: expected');
  expect(await again(() => truncateSync(path, 3))).toContain('expected at least 16 bytes, found 3');
  const changed = Buffer.from(whole);
  changed[20] ^= 1;
  expect(await again(() => writeFileSync(path, changed))).toContain('4.table: expected the checksum');
  expect(await again(() => writeFileSync(path, Buffer.concat([Buffer.from('X'), whole.subarray(1)])))).toContain(
    'expected a table',
  );
  writeFileSync(path, whole);
  const part = new Roi([80, -8, 408], [72, 8, 160]);
  expect(await again(() => undefined, part)).toContain(`expected the tables of ${part}, found those of`);
  const description = join(bench.folder, 'out/tables/tables.json');
  const cut = { ...JSON.parse(readFileSync(description, 'utf8')), blockShape: undefined };
  expect(await again(() => writeFileSync(description, JSON.stringify(cut)))).toContain('expected a folder of tables');
  await evaluate();
  expect(plain(written())).toEqual(await expected());
});

test("what a killed process was writing is removed and is in nobody's way", async () => {
  const folder = join(bench.folder, 'out/tables');
  mkdirSync(folder, { recursive: true });
  const left = ['.tables.json.elsewhere.12.0.tmp', '.4.table.elsewhere.12.3.tmp'];
  for (const name of left) writeFileSync(join(folder, name), 'cut');
  await run();
  expect(readdirSync(folder)).toHaveLength(28);
  for (const name of left) writeFileSync(join(folder, name), 'cut');
  writeFileSync(join(folder, 'notes.tmp'), 'not ours');
  await run();
  expect(readdirSync(folder)).toHaveLength(29);
  expect(plain(written())).toEqual(await expected());
});

describe('a run that goes on', () => {
  const folder = () => join(bench.folder, 'out/tables');
  const description = () => join(folder(), 'tables.json');
  const table = () => join(folder(), '5.table');
  const goOn = async () => {
    const input = { ...bench.input(tasks()), runDirectory: 'bench.run' };
    return runPipeline(await pipeline(input, { folder: bench.folder }), { workers: 1 });
  };
  const before = new Map<string, Buffer>();

  /** All blocks but one are done. */
  beforeEach(async () => {
    const partial = bench.input(tasks());
    const cells = Uint8Array.from({ length: 27 }, (_, block) => (block === 5 ? 1 : 0));
    await bench.write('cells', { data: cells, shape: [3, 3, 3], voxelSize: [1, 1, 1] });
    const input = {
      ...partial,
      runDirectory: 'bench.run',
      arrays: { ...partial.arrays, cells: { store: 'data.zarr/cells' } },
      tasks: { tables: { ...TABLES, skip: { blocks: 'cells' } } },
    };
    expect((await runPipeline(await pipeline(input, { folder: bench.folder }), { workers: 1 })).complete).toBe(true);
    before.clear();
    for (const name of readdirSync(folder())) before.set(name, readFileSync(join(folder(), name)));
    expect(before.size).toBe(27);
    expect(before.has('5.table')).toBe(false);
  });

  const rewrite = (change: object) => {
    const known = JSON.parse(before.get('tables.json')!.toString());
    writeFileSync(description(), JSON.stringify({ ...known, ...change }));
  };
  const kept = () =>
    [...before].every(([name, bytes]) => name === 'tables.json' || readFileSync(join(folder(), name)).equals(bytes));

  test('keeps the tables of blocks that are done, also when units have other names', async () => {
    rewrite({ units: ['um', 'um', 'um'] });
    expect((await goOn()).complete).toBe(true);
    expect(kept()).toBe(true);
    expect(existsSync(table())).toBe(true);
    expect(readFileSync(description())).toEqual(before.get('tables.json'));
    expect(plain(written())).toEqual(await expected());
  });

  test('refuses tables of other blocks, and none', async () => {
    const text = /blocks are recorded as done, expected their tables \(\{"roi".*"blockShape":\[32,48,56\]\}\), found /;
    for (const change of [
      { blockShape: [32, 48, 64] },
      { voxelSize: [4, 4, 4] },
      { roi: { offset: [0, 0, 0], shape: [72, 104, 160] } },
    ]) {
      rewrite(change);
      await expect(goOn()).rejects.toMatchObject({ code: 'ERR_ARRAY_EXISTS', message: expect.stringMatching(text) });
      expect(kept()).toBe(true);
    }
    rmSync(folder(), { recursive: true });
    mkdirSync(folder());
    await expect(goOn()).rejects.toMatchObject({ code: 'ERR_ARRAY_MISSING', message: expect.stringMatching(text) });
  });
});

test('a folder of something else is left alone', async () => {
  await expect(run({ tables: 'data.zarr' }, { tables: 'data.zarr' })).rejects.toThrow(
    /inside|expected a folder of tables/,
  );
  await expect(run({ tables: 'other' }, { tables: 'other' })).resolves.toBeDefined();
  writeFileSync(join(bench.folder, 'other/tables.json'), '{}');
  await expect(run({ tables: 'other' }, { tables: 'other' })).rejects.toThrow('expected a folder of tables or nothing');
});

describe('refusals', () => {
  const refusals = async (given: Record<string, TaskInput>) => {
    const plan = await planPipeline(await pipeline(bench.input(given), { folder: bench.folder }));
    return plan.refusals.map(({ key, text }) => `${key}: ${text}`);
  };

  test('arrays that cannot be compared', async () => {
    await bench.write('coarse', { data: truths, shape: SHAPE, voxelSize: [8, 8, 16] });
    expect(await refusals(tasks({ truth: 'coarse' }))).toEqual([
      expect.stringMatching(
        /^tasks\.tables\.truth: expected the voxel size of the segmentation, \[8, 8, 8\], found \[8, 8, 16\] \(/,
      ),
    ]);
    expect(await refusals(tasks({ blockSize: [4, 4] }))).toEqual([
      'tasks.tables.blockSize: expected 3 numbers, found 2',
    ]);
    expect(await refusals(tasks({ roi: { offset: [0, 0, 4000], shape: [8, 8, 8] } }))).toEqual([
      expect.stringContaining('tasks.tables.roi: expected a part of'),
    ]);
  });

  test('two tasks that write one folder or file, also in an order', async () => {
    const more = { ...TABLES, tables: 'out/../out/tables', after: ['tables'] };
    const scores = { ...SCORES, after: ['scores'] };
    expect(await refusals({ ...tasks(), more, again: scores })).toEqual([
      "tasks.more: writes the file 'out/tables', as 'tables' does: expected a path of its own",
      "tasks.again: writes the file 'out/scores.json', as 'scores' does: expected a path of its own",
    ]);
  });

  test('tables that no task writes; a place that is taken', async () => {
    expect(await refusals({ scores: SCORES })).toEqual([
      "tasks.scores.tables: no task writes the file 'out/tables', so what it covers is not known",
    ]);
    expect(await refusals(tasks({}, { output: 'out/tables' }))).not.toEqual([]);
    expect(await refusals(tasks({}, { output: 'data.zarr/segments/scores.json' }))).toEqual([
      expect.stringContaining("the file 'data.zarr/segments/scores.json' lies inside the array 'segments'"),
    ]);
  });
});
