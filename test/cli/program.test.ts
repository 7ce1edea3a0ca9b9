import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { main } from '../../lib/cli/main.js';
import { pluginPath } from '../support/plugins.js';
import { runProgram, startProgram } from '../support/program.js';

let folder = '';
const folders: string[] = [];
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'blockwright-cli-')));
  folders.push(folder);
});
afterAll(() => {
  for (const one of folders) rmSync(one, { recursive: true, force: true });
});

/** Writes p.yaml with these tasks. */
function write(tasks: string, names = ['toy-fill', 'toy-copy']): void {
  const plugins = names.map((name) => `'${pluginPath(name)}'`);
  const text = `name: toy
plugins: [${plugins.join(', ')}]
arrays:
  a: {store: d.zarr/a}
  b: {store: d.zarr/b}
executor: {type: local, workers: 2}
tasks:
${tasks}`;
  writeFileSync(join(folder, 'p.yaml'), text);
}

const fill = (more = '') => `  fill: {type: toy-fill, output: a, shape: [40, 30], blockSize: [10, 10]${more}}\n`;
const copy = '  copy: {type: toy-copy, input: a, output: b, blockSize: [20, 10]}\n';
const cli = (...args: string[]) => runProgram(folder, ...args);
/** The same in this process, which is faster; paths are told as they are given. */
async function inProcess(...args: string[]): Promise<{ status: number; out: string; error: string }> {
  let out = '';
  let error = '';
  const status = await main(
    args.map((one) => one.replace('FOLDER', folder)),
    {
      out: (text) => {
        out += `${text}\n`;
      },
      error: (text) => {
        error += `${text}\n`;
      },
      progress: { write: () => undefined },
    },
  );
  return { status, out: local(out), error: local(error) };
}
const local = (text: string) => text.replaceAll(folder, 'FOLDER');

describe('the command line', () => {
  test('tells what there is', async () => {
    const { status, out } = await cli('--help');
    expect(status).toBe(0);
    for (const command of ['run', 'resume', 'plan', 'status', 'logs', 'failures', 'schema']) {
      expect(out).toContain(`blockwright ${command}`);
    }
    expect(out).not.toContain('blockwright worker');
    expect(out).toContain('3  interrupted, resumable');
    expect((await inProcess('--version')).out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  test.each([
    [[], 'expected a command'],
    [['plam', 'p.yaml'], 'Did you mean plan?'],
    [['run'], 'Not enough non-option arguments: got 0, need at least 1'],
    [['run', 'p.yaml', '--jsom'], 'Unknown argument: jsom'],
    [['run', 'p.yaml', '--workers', '0'], '--workers: expected a whole number of at least 1'],
    [['run', 'p.yaml', '--workers', 'many'], '--workers: expected a whole number of at least 1'],
    [['logs', 'p.yaml', '--block', '3'], 'Missing dependent arguments:\n block -> task'],
  ])('%j is not understood', async (args, message) => {
    const { status, out, error } = await inProcess(...args);
    expect({ status, out, error }).toEqual({
      status: 2,
      out: '',
      error: `blockwright: ${message}\nSee: blockwright --help\n`,
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
    const { status, out, error } = await inProcess(...args);
    expect({ status, out, error: error }).toEqual({ status: 2, out: '', error: `blockwright: ${message}\n` });
  });

  test('says how to build it when it is not built', () => {
    mkdirSync(join(folder, 'bin'));
    copyFileSync(join(import.meta.dirname, '../../../bin/blockwright.js'), join(folder, 'bin/blockwright.mjs'));
    const { status, stderr } = spawnSync(process.execPath, [join(folder, 'bin/blockwright.mjs'), 'run'], {
      encoding: 'utf8',
    });
    expect(status).toBe(2);
    expect(local(stderr)).toBe(
      'blockwright: not built yet (FOLDER/dist/lib/cli/main.js is missing). Build it with: node FOLDER/scripts/setup.js\n',
    );
  });

  test('schema prints JSON Schema', async () => {
    const { status, out } = await inProcess('schema');
    expect(status).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ type: 'object', required: ['name', 'tasks'], additionalProperties: false });
  });
});

describe('plan', () => {
  test('shows blocks, grids, bytes, order and outputs; writes nothing', async () => {
    write(fill() + copy);
    const { status, out, error } = await inProcess('plan', 'FOLDER/p.yaml');
    expect({ status, error }).toEqual({ status: 0, error: '' });
    expect(out).toBe(`toy: 18 blocks, run directory FOLDER/toy.run

task  type      blocks  grid   levels    reads   writes  after
fill  toy-fill      12  4 x 3       1      0 B  4.7 KiB
copy  toy-copy       6  2 x 3       1  4.7 KiB  4.7 KiB  fill

writes array  type    shape    chunk    store
a             uint32  40 x 30  10 x 10  FOLDER/d.zarr/a
b             uint32  40 x 30  20 x 10  FOLDER/d.zarr/b
`);
    expect(existsSync(join(folder, 'toy.run'))).toBe(false);
    expect(existsSync(join(folder, 'd.zarr'))).toBe(false);
  });

  test('lists what would be refused, and exits with 2', async () => {
    write(`${fill(', chunkShape: [20, 10]')}  copy: {type: toy-copy, input: b, blockSize: [20, 10]}\n`);
    const { status, out } = await inProcess('plan', 'FOLDER/p.yaml');
    expect(status).toBe(2);
    expect(out.split('This would be refused:\n')[1]).toBe(
      "  ERR_CHUNK_SHARED: FOLDER/p.yaml:8:34: tasks.fill.output: the array 'a': blocks of [10,10] voxels would write into the same chunk of [20,10] along axis 0; blocks of [20,10] voxels work\n" +
        "  ERR_ARRAY_MISSING: FOLDER/p.yaml:9:33: tasks.copy.input: the array 'b' is not there (FOLDER/d.zarr/b: nothing is there) and no task writes it\n",
    );
    const asJson = await inProcess('plan', 'FOLDER/p.yaml', '--json');
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
    write(fill(', blocksize: 3') + copy.replace('input: a', 'input: c'));
    const { status, out, error } = await inProcess('plan', 'FOLDER/p.yaml');
    expect({ status, out }).toEqual({ status: 2, out: '' });
    expect(error).toBe(`blockwright: ERR_CONFIG: 2 problems
  FOLDER/p.yaml:8:75: tasks.fill.blocksize: unknown key (did you mean 'blockSize'?)
  FOLDER/p.yaml:9:33: tasks.copy.input: expected one of the file's arrays ('a' or 'b'), found 'c'
`);
  });
});

describe('run', () => {
  test('does all, says so, and exits with 0; status, logs and failures agree', async () => {
    write(fill() + copy);
    const { status, out, error } = await cli('run', 'p.yaml');
    expect(status).toBe(0);
    expect(out).toMatch(/complete: every block is done/);
    expect(error).toContain('fill: ends, 12 done');
    const state = await inProcess('status', 'FOLDER/p.yaml');
    expect(local(state.out)).toContain('FOLDER/toy.run: complete\n');
    expect(state.out).toMatch(/fill\s+100\.0 %\s+12\s+12\s+0\s+0\s+0\s+0\n/);
    expect(JSON.parse((await inProcess('status', 'FOLDER/toy.run', '--json')).out)).toMatchObject({
      state: 'complete',
      epoch: 1,
    });
    expect((await inProcess('failures', 'FOLDER/toy.run')).out).toBe('No block failed.\n');
    expect((await inProcess('logs', 'FOLDER/p.yaml', '--task', 'fill', '--block', '7')).out).toMatch(
      /--- attempt 1 .*\nfilling block 7\n$/,
    );
    const all = (await inProcess('logs', 'FOLDER/p.yaml', '--task', 'fill')).out;
    expect([...all.matchAll(/block-(\d+)\.log/g)].map((match) => Number(match[1]))).toEqual([
      0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11,
    ]);
  });

  test('--json writes events and the result; --quiet only the result', async () => {
    write(fill());
    const first = await cli('run', 'p.yaml', '--json');
    const events = first.out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string });
    expect(first.error).toBe('');
    expect(events[0].type).toBe('run-start');
    expect(events.at(-1)).toMatchObject({ type: 'result', complete: true, tasks: [{ name: 'fill', done: 12 }] });
    const second = await cli('resume', 'p.yaml', '--quiet');
    expect(second.status).toBe(0);
    expect(second.error).toBe('');
    expect(second.out).toContain('complete');
  });

  test('with blocks that fail exits with 1, and failures tells why, by cause', async () => {
    write(fill(', failBlocks: [4, 8], retries: 0') + copy);
    const { status, out, error } = await cli('run', 'p.yaml', '--quiet');
    expect(status).toBe(1);
    expect(out).toContain('incomplete');
    expect(error).toBe('What failed: blockwright failures p.yaml\n');
    const told = await inProcess('failures', 'FOLDER/p.yaml');
    expect(told.status).toBe(0);
    expect(local(told.out)).toMatch(
      /^2 blocks of fill: block \d is not to my taste\n {2}blocks (4, 8|8, 4)\n {2}block \d, attempt 1, worker 1\.\d:\n {4}Error: block \d is not to my taste\n {4} +at .*toy-fill\.js/,
    );
    expect(local(told.out)).toMatch(/the end of FOLDER\/toy\.run\/tasks\/fill\/logs\/block-\d\.log:\n/);
    const data = JSON.parse((await inProcess('failures', 'FOLDER/p.yaml', '--json')).out) as {
      task: string;
      failures: { block: number }[];
    }[];
    expect(data).toHaveLength(1);
    expect(data[0].failures.map(({ block }) => block).sort()).toEqual([4, 8]);
    expect((await inProcess('status', 'FOLDER/p.yaml')).out).toContain(
      'ended with blocks that failed or were orphaned',
    );
  });

  test('with a changed file is refused with the difference', async () => {
    write(fill());
    expect((await cli('run', 'p.yaml')).status).toBe(0);
    write(fill(', add: 7'));
    const { status, error } = await cli('run', 'p.yaml');
    expect(status).toBe(2);
    expect(error).toContain('blockwright: ERR_PLAN_CHANGED: ');
    expect(error).toContain('add');
  });

  test('whose workers cannot load a plugin ends with the reason, and exits with 4', async () => {
    write(fill().replace('toy-fill', 'toy-licensed'), ['fails-in-workers']);
    const { status, error } = await cli('run', 'p.yaml', '--quiet', '--workers', '1');
    expect(status).toBe(4);
    expect(error).toContain('blockwright: ERR_WORKER_START: ');
    expect(error).toContain(
      `ERR_PLUGIN: cannot load the plugin ${pluginPath('fails-in-workers')}: this machine has no licence`,
    );
  });

  test('with --verbose shows stacks', async () => {
    expect((await inProcess('run', 'FOLDER/none.yaml', '--verbose')).error).toMatch(
      /\n {4}at .*\ncaused by: Error: ENOENT/,
    );
  });

  test('a damaged done record is refused, by name', async () => {
    write(fill());
    expect((await cli('run', 'p.yaml')).status).toBe(0);
    writeFileSync(join(folder, 'toy.run/tasks/fill/done/zarr.json'), '{"zarr_format":');
    const { status, error } = await cli('run', 'p.yaml');
    expect(status).toBe(2);
    expect(local(error)).toContain('FOLDER/toy.run/tasks/fill/done');
  });
});

describe('interruptions', () => {
  const slow = fill(', milliseconds: 300');

  test('Ctrl-C stops in order: blocks that run end, the same command continues', async () => {
    write(slow);
    const program = startProgram(folder, 'run', 'p.yaml');
    // A block's first line: it is at work, not only handed out.
    const logs = join(folder, 'toy.run/tasks/fill/logs');
    while (!existsSync(logs)) await new Promise((resolve) => setTimeout(resolve, 20));
    program.process.kill('SIGINT');
    const { status, out, error } = await program.ended;
    expect(status).toBe(3);
    expect(error).toContain(
      'Stopping: blocks that run may end, no others begin. Ctrl-C again stops at once.\nContinue with: blockwright resume p.yaml\n',
    );
    expect(out).toContain('interrupted');
    expect((await inProcess('status', 'FOLDER/p.yaml')).out).toContain('interrupted, resumable');
    const again = await cli('resume', 'p.yaml', '--json');
    expect(again.status).toBe(0);
    const result = JSON.parse(again.out.trimEnd().split('\n').at(-1)!) as { tasks: { alreadyDone: number }[] };
    expect(result.tasks[0].alreadyDone).toBeGreaterThan(0);
  });

  test('a second Ctrl-C stops at once', async () => {
    write(fill(', milliseconds: 600000'));
    const program = startProgram(folder, 'run', 'p.yaml');
    await program.says('fill: begins');
    program.process.kill('SIGINT');
    await program.says('Stopping: ');
    program.process.kill('SIGINT');
    const { status, error } = await program.ended;
    expect(status).toBe(3);
    expect(error).toContain('Stopping at once: blocks that run are given up.');
  });

  test('a second command on the same folder is refused while the first runs; a killed one is continued', async () => {
    write(slow);
    const program = startProgram(folder, 'run', 'p.yaml');
    await program.says('fill: begins');
    const second = await cli('run', 'p.yaml');
    expect(second.status).toBe(2);
    expect(second.error).toContain('blockwright: ERR_RUN_LOCKED: ');
    expect((await inProcess('status', 'FOLDER/p.yaml')).out).toContain(`coordinator: process ${program.process.pid}`);
    program.process.kill('SIGKILL');
    await program.ended;
    expect((await inProcess('status', 'FOLDER/p.yaml')).out).toContain('killed, resumable');
    expect((await cli('resume', 'p.yaml', '--quiet')).status).toBe(0);
  });

  test('resume without a run is refused', async () => {
    write(fill());
    const { status, error } = await inProcess('resume', 'FOLDER/p.yaml');
    expect(status).toBe(2);
    expect(error).toBe(
      'blockwright: ERR_CONFIG: FOLDER/toy.run: there is no run to resume. Start one with: blockwright run FOLDER/p.yaml\n',
    );
    expect(existsSync(join(folder, 'toy.run'))).toBe(false);
    expect(readFileSync(join(folder, 'p.yaml'), 'utf8')).toContain('toy');
  });
});
