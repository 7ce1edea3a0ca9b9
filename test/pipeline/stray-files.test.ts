import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { writeLut } from '../../lib/graph/lut.js';
import { pipeline } from '../../lib/pipeline/pipeline.js';
import { planPipeline } from '../../lib/pipeline/plan.js';
import { removeStrayFiles } from '../../lib/pipeline/stray-files.js';
import { temporaryName } from '../../lib/storage/temporary-files.js';
import { builtInTasks } from '../../lib/tasks/index.js';
import { TaskBench } from '../support/task-bench.js';

let bench: TaskBench;
beforeEach(() => {
  bench = new TaskBench();
});
afterEach(() => bench.remove());

/** A process that has ended. */
const ended = () => spawnSync(process.execPath, ['--version']).pid;

test('what ended processes were writing is removed beside outputs, and nothing else', async () => {
  const shape = [4, 4, 4];
  await bench.write('fragments', { data: new BigUint64Array(64).fill(1n), shape });
  await writeLut(join(bench.folder, 'in.lut'), {
    fragments: new BigUint64Array(0),
    segments: new BigUint64Array(0),
    sizes: new BigUint64Array(0),
  });
  const tasks = {
    segments: { type: 'relabel', fragments: 'fragments', segments: 'segments', lut: 'in.lut', blockSize: [4, 4, 4] },
  };
  await bench.run(tasks);
  const mine = temporaryName();
  const theirs = mine.replace(`-${process.pid}-`, `-${ended()}-`);
  const files = ['segments', 'fragments'].flatMap((array) =>
    [mine, theirs, 'notes.tmp'].map((name) => join(bench.store(array), 'c/0/0', name)),
  );
  for (const file of files) writeFileSync(file, '');

  const made = await pipeline(bench.input(tasks), { definitions: builtInTasks, folder: bench.folder });
  await removeStrayFiles(await planPipeline(made));
  const [removed] = files.splice(1, 1);
  expect(existsSync(removed)).toBe(false);
  expect(files.filter((file) => !existsSync(file))).toEqual([]);
});

test('LUTs that were being written are removed; folders that are not there yet do not matter', async () => {
  const shape = [4, 4, 4];
  bench.remove();
  bench = new TaskBench([[1, 0, 0]]);
  await bench.write('affinities', { data: new Uint8Array(64), shape: [1, ...shape], channelAxes: 1 });
  const common = { affinities: 'affinities', fragments: 'fragments', graph: 'graph', blockSize: [4, 4, 4] };
  const tasks = {
    fragments: { type: 'extract-frags', ...common, bias: 0 },
    edges: { type: 'aff-agglom', ...common, scores: { near: [[1, 0, 0]] } },
    lut: { type: 'graph-mws', graph: 'graph', lut: 'luts/out.lut', weights: { near: [1, 0] } },
  };
  const made = await pipeline(bench.input(tasks), { definitions: builtInTasks, folder: bench.folder });
  const plan = await planPipeline(made);
  await removeStrayFiles(plan);

  const [left, kept] = [ended(), process.pid].map((pid) =>
    join(bench.folder, `luts/.out.lut.${hostname()}.${pid}.0.tmp`),
  );
  for (const folder of [left, kept]) mkdirSync(folder, { recursive: true });
  await removeStrayFiles(plan);
  expect([left, kept].map((folder) => existsSync(folder))).toEqual([false, true]);
});

test('what was being written in the groups above an output is removed, what lies beside it stays', async () => {
  const shape = [4, 4, 4];
  await bench.write('fragments', { data: new BigUint64Array(64).fill(1n), shape });
  const tasks = { copy: { type: 'copy', source: 'fragments', target: 'copied', blockSize: [4, 4, 4] } };
  const input = bench.input(tasks);
  const arrays = { fragments: { store: bench.store('fragments') }, copied: { store: 'deep/a.zarr/group/copied' } };
  const made = await pipeline({ ...input, arrays }, { definitions: builtInTasks, folder: bench.folder });
  const theirs = temporaryName().replace(`-${process.pid}-`, `-${ended()}-`);
  const [outside, inGroup, inRoot, beside] = ['deep', 'deep/a.zarr/group', 'deep/a.zarr', 'deep/a.zarr/other'].map(
    (at) => {
      mkdirSync(join(bench.folder, at), { recursive: true });
      return join(bench.folder, at, theirs);
    },
  );
  for (const file of [outside, inGroup, inRoot, beside]) writeFileSync(file, '');
  await removeStrayFiles(await planPipeline(made));
  expect([outside, inGroup, inRoot, beside].map((file) => existsSync(file))).toEqual([true, false, false, true]);
});

test('tables that were being written are removed from their folder', async () => {
  const volume = { data: new BigUint64Array(64).fill(1n), shape: [4, 4, 4] };
  for (const name of ['segments', 'labels']) await bench.write(name, volume);
  const tasks = {
    tables: { type: 'contingency', segmentation: 'segments', truth: 'labels', tables: 'out', blockSize: [4, 4, 4] },
  };
  const plan = async () =>
    planPipeline(await pipeline(bench.input(tasks), { definitions: builtInTasks, folder: bench.folder }));
  await removeStrayFiles(await plan());
  await bench.run(tasks);
  const name = (pid: number, host = hostname()) => join(bench.folder, `out/.0.table.${host}.${pid}.3.tmp`);
  const files = [name(ended()), name(process.pid), name(ended(), 'elsewhere'), join(bench.folder, 'out/0.table')];
  for (const file of files) writeFileSync(file, '');
  await removeStrayFiles(await plan());
  expect(files.map((file) => existsSync(file))).toEqual([false, true, true, true]);
});
