import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { copyTask, fillTask, ToyPipeline } from '../support/toy-pipeline.js';

let toy: ToyPipeline;
beforeEach(() => {
  toy = new ToyPipeline();
});
afterEach(() => toy.remove());

describe('the command line', () => {
  test('tells what there is', async () => {
    const { status, out } = await toy.run('--help');
    expect(status).toBe(0);
    for (const command of ['run', 'resume', 'plan', 'status', 'logs', 'failures', 'schema', 'info', 'verify', 'copy']) {
      expect(out).toContain(`blockwright ${command}`);
    }
    expect(out).not.toContain('blockwright worker');
    expect(out).toContain('3  interrupted, resumable');
    expect((await toy.inProcess('--version')).out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  test.each([
    [[], 'expected a command'],
    [['plam', 'p.yaml'], 'unknown command: plam (did you mean plan?)'],
    [['run'], 'expected: blockwright run <file>'],
    [['run', 'p.yaml', 'q.yaml'], 'unexpected argument: q.yaml'],
    [['copy', 'a.zarr'], 'expected: blockwright copy <source> <target>'],
    [['run', 'p.yaml', '--jsom'], 'unknown option: --jsom (did you mean --json?)'],
    [['run', 'p.yaml', '--wrokers=3'], 'unknown option: --wrokers (did you mean --workers?)'],
    [['compare', 'a', 'b', '--by-indx'], 'unknown option: --by-indx (did you mean --by-index?)'],
    [
      ['run', 'p.yaml', '--far-away', '--quite'],
      'unknown option: --far-away\nunknown option: --quite (did you mean --quiet?)',
    ],
    [['run', 'p.yaml', '--workers', '0'], '--workers: expected a whole number of at least 1'],
    [['run', 'p.yaml', '--workers', 'many'], '--workers: expected a whole number of at least 1'],
    [['run', 'p.yaml', '--until'], '--until: a value is missing'],
    [['costs', 'p.yaml', '--task', 'fill'], 'expected, too: --png'],
    [['logs', 'p.yaml', '--block', '3'], '--block: expected --task, too, found none'],
    [
      ['compare', 'a', 'b', '--partition', '--tolerance', '1'],
      '--partition, --tolerance: expected one of them, found both',
    ],
  ])('%j is not understood', async (args, message) => {
    const { status, out, error } = await toy.inProcess(...args);
    expect({ status, out, error }).toEqual({
      status: 2,
      out: '',
      error: `blockwright: ${message}\nSee: blockwright${args.length === 0 || args[0] === 'plam' ? '' : ` ${args[0]}`} --help\n`,
    });
  });

  test.each([
    [['run', 'FOLDER/none.yaml'], 'ERR_CONFIG: cannot read the pipeline file FOLDER/none.yaml: there is no such file'],
    [['plan', 'FOLDER/none.yaml'], 'ERR_CONFIG: cannot read the pipeline file FOLDER/none.yaml: there is no such file'],
    [['status', 'FOLDER'], 'ERR_CONFIG: FOLDER: there is no run'],
    [['failures', 'FOLDER'], 'ERR_CONFIG: FOLDER: there is no run'],
    [['logs', 'FOLDER'], 'ERR_CONFIG: there is no log *.log in FOLDER/logs'],
    [['logs', 'FOLDER', '--worker', '1.7'], 'ERR_CONFIG: there is no log worker-1.7.log in FOLDER/logs'],
    [
      ['logs', 'FOLDER', '--task', 'fill', '--block', '2'],
      'ERR_CONFIG: there is no log block-2.log in FOLDER/tasks/fill/logs',
    ],
    [['worker'], 'expected worker --run-directory DIR --worker-id ID; `blockwright run` starts workers'],
  ])('%j is refused', async (args, message) => {
    const { status, out, error } = await toy.inProcess(...args);
    expect({ status, out, error: error }).toEqual({ status: 2, out: '', error: `blockwright: ${message}\n` });
  });

  test('says how to build it when it is not built', () => {
    mkdirSync(join(toy.folder, 'bin'));
    copyFileSync(join(import.meta.dirname, '../../../bin/blockwright.js'), join(toy.folder, 'bin/blockwright.mjs'));
    const { status, stderr } = spawnSync(process.execPath, [join(toy.folder, 'bin/blockwright.mjs'), 'run'], {
      encoding: 'utf8',
    });
    expect(status).toBe(2);
    expect(toy.local(stderr)).toBe(
      'blockwright: not built yet (FOLDER/dist/lib/cli/main.js is missing). Build it with: node FOLDER/scripts/setup.js\n',
    );
  });

  test('a misspelt type of task gets a suggestion', async () => {
    const { status, error } = await toy.inProcess('tasks', 'extract-frag');
    expect(status).toBe(2);
    expect(error).toMatch(/found 'extract-frag' \(did you mean 'extract-frags'\?\)\n$/);
  });

  test('schema prints JSON Schema', async () => {
    const { status, out } = await toy.inProcess('schema');
    expect(status).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ type: 'object', required: ['name', 'tasks'], additionalProperties: false });
  });
});

describe('plan', () => {
  test('shows blocks, grids, bytes, order and outputs; writes nothing', async () => {
    toy.write(fillTask() + copyTask);
    const { status, out, error } = await toy.inProcess('plan', 'FOLDER/p.yaml');
    expect({ status, error }).toEqual({ status: 0, error: '' });
    expect(out).toBe(`toy: 18 blocks, run directory FOLDER/toy.run

task  type      blocks  grid   levels    reads   writes  after
fill  toy-fill      12  4 x 3       1      0 B  4.7 KiB
copy  toy-copy       6  2 x 3       1  4.7 KiB  4.7 KiB  fill

writes array  type    shape    chunk    shard  codecs                      store
a             uint32  40 x 30  10 x 10  none   zstd level 1 with checksum  FOLDER/d.zarr/a
b             uint32  40 x 30  20 x 10  none   zstd level 1 with checksum  FOLDER/d.zarr/b
`);
    expect(existsSync(join(toy.folder, 'toy.run'))).toBe(false);
    expect(existsSync(join(toy.folder, 'd.zarr'))).toBe(false);
  });

  test('shows how many blocks are done where a run was begun', async () => {
    toy.write(fillTask(', failBlocks: [4], retries: 0') + copyTask);
    expect((await toy.run('run', 'p.yaml')).status).toBe(1);
    const { out } = await toy.inProcess('plan', 'FOLDER/p.yaml');
    expect(out.split('\n').slice(2, 5)).toEqual([
      'task  type      blocks  done  grid   levels    reads   writes  after',
      'fill  toy-fill      12    11  4 x 3       1      0 B  4.7 KiB',
      'copy  toy-copy       6     5  2 x 3       1  4.7 KiB  4.7 KiB  fill',
    ]);
    const asJson = JSON.parse((await toy.inProcess('plan', 'FOLDER/p.yaml', '--json')).out) as { tasks: object[] };
    expect(asJson.tasks).toMatchObject([{ done: 11 }, { done: 5 }]);
  });

  test('what another run wrote and vouches for is not written over', async () => {
    toy.write(fillTask());
    expect((await toy.run('run', 'p.yaml')).status).toBe(0);
    const file = join(toy.folder, 'p.yaml');
    writeFileSync(file, readFileSync(file, 'utf8').replace('name: toy\n', 'name: toy\nrunDirectory: other.run\n'));
    const bytes = () => readFileSync(join(toy.folder, 'd.zarr/a/c/1/1'));
    const before = bytes();
    for (const command of ['plan', 'run']) {
      const { status, out, error } = await toy.inProcess(command, 'FOLDER/p.yaml');
      expect(status).toBe(2);
      expect(out + error).toContain(
        "the array 'a' (FOLDER/d.zarr/a) was written by another run, whose folder is FOLDER/toy.run (its task 'fill'): this one would",
      );
    }
    expect([bytes(), existsSync(join(toy.folder, 'other.run'))]).toEqual([before, false]);
    expect((await toy.inProcess('verify', 'FOLDER/d.zarr')).out).not.toContain('blockwright.json');
    // once its records are gone, it is this one that vouches
    expect((await toy.inProcess('clean', 'FOLDER/toy.run', '--yes')).status).toBe(0);
    expect((await toy.run('run', 'p.yaml')).status).toBe(0);
    expect((await toy.inProcess('plan', 'FOLDER/p.yaml')).status).toBe(0);
    toy.write(fillTask());
    expect((await toy.inProcess('plan', 'FOLDER/p.yaml')).out).toContain('whose folder is FOLDER/other.run');
  });

  test('lists what would be refused, and exits with 2', async () => {
    toy.write(`${fillTask(', chunkShape: [20, 10]')}  copy: {type: toy-copy, input: b, blockSize: [20, 10]}\n`);
    const { status, out } = await toy.inProcess('plan', 'FOLDER/p.yaml');
    expect(status).toBe(2);
    expect(out.split('This would be refused:\n')[1]).toBe(
      "  ERR_CHUNK_SHARED: FOLDER/p.yaml:8:34: tasks.fill.output: the array 'a': blocks of [10,10] voxels would write into the same chunk of [20,10] along axis 0; blocks of [20,10] voxels work\n" +
        "  ERR_ARRAY_MISSING: FOLDER/p.yaml:9:33: tasks.copy.input: the array 'b' is not there (FOLDER/d.zarr/b: nothing is there) and no task writes it\n",
    );
    const asJson = await toy.inProcess('plan', 'FOLDER/p.yaml', '--json');
    expect(asJson.status).toBe(2);
    expect(JSON.parse(asJson.out)).toMatchObject({
      name: 'toy',
      tasks: [{ name: 'fill', blocks: 12, grid: [4, 3], bytesWritten: 4800, outputs: [{ chunkShape: [20, 10] }] }],
      refusals: [
        { code: 'ERR_CHUNK_SHARED', line: 8, column: 34 },
        { code: 'ERR_ARRAY_MISSING', line: 9, column: 33 },
      ],
    });
  });

  test('names all problems of the file', async () => {
    toy.write(fillTask(', blocksize: 3') + copyTask.replace('input: a', 'input: c'));
    const { status, out, error } = await toy.inProcess('plan', 'FOLDER/p.yaml');
    expect({ status, out }).toEqual({ status: 2, out: '' });
    expect(error).toBe(`blockwright: ERR_CONFIG: 2 problems
  FOLDER/p.yaml:8:75: tasks.fill.blocksize: unknown key (did you mean 'blockSize'?)
  FOLDER/p.yaml:9:33: tasks.copy.input: expected one of the file's arrays ('a' or 'b'), found 'c'
`);
  });
});
