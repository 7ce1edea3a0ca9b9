import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { groupByCause } from '../../lib/cli/commands/failures.js';
import { until } from '../support/processes.js';
import { copyTask, fillTask, ToyPipeline } from '../support/toy-pipeline.js';

let toy: ToyPipeline;
beforeEach(() => {
  toy = new ToyPipeline();
});
afterEach(() => toy.remove());

interface Task {
  readonly name: string;
  readonly done: number;
  readonly alreadyDone: number;
}

const journal = () => readFileSync(join(toy.folder, 'toy.run/journal.jsonl'), 'utf8');
const statusOf = async () =>
  (JSON.parse((await toy.inProcess('status', 'FOLDER/p.yaml', '--json')).out) as { tasks: Task[] }).tasks;
const result = (out: string) => JSON.parse(out.trimEnd().split('\n').at(-1)!) as { tasks: Task[] };

describe('cancel', () => {
  test('stops a run in order from another process; without one it says so', async () => {
    toy.write(fillTask(', waitFor: go'));
    const program = toy.start('run', 'p.yaml');
    await until('a block is at work', () => existsSync(join(toy.folder, 'toy.run/tasks/fill/logs')));
    for (const command of [
      ['retry', '--task', 'fill', '--done'],
      ['replay', 'fill', '0'],
    ]) {
      const refused = await toy.inProcess(command[0], 'FOLDER/p.yaml', ...command.slice(1));
      expect(refused.status).toBe(2);
      expect(refused.error).toContain(`found process ${program.process.pid} on host`);
    }
    const { status, out } = await toy.run('cancel', 'p.yaml');
    expect(status).toBe(0);
    expect(out).toContain(`Process ${program.process.pid} was asked to stop`);
    await program.says('Stopping, as asked from elsewhere: ');
    writeFileSync(join(toy.folder, 'go'), '');
    expect((await program.ended).status).toBe(3);
    expect((await toy.inProcess('cancel', 'FOLDER/toy.run')).out).toContain('The run is not at work');
  });
});

describe('retry', () => {
  test('does what failed again, and nothing else', async () => {
    toy.write(fillTask(', failOnce: once, retries: 0') + copyTask);
    expect((await toy.run('run', 'p.yaml')).status).toBe(1);
    const taken = await toy.inProcess('retry', 'FOLDER/p.yaml', '--no-run');
    expect([taken.status, taken.error]).toEqual([
      0,
      'Nothing to take back: the next run tries 1 failed block again, and 1 orphaned.\n',
    ]);
    const { status, out } = await toy.run('retry', 'p.yaml', '--json');
    expect(status).toBe(0);
    expect(result(out).tasks[0]).toMatchObject({ name: 'fill', done: 12, alreadyDone: 11 });
    const none = await toy.inProcess('retry', 'FOLDER/p.yaml', '--no-run');
    expect(none.error).toBe('No block failed: there is nothing to take back.\n');
  });

  test('does a task and what uses its results again, not what comes before it', async () => {
    toy.write(fillTask() + copyTask);
    expect((await toy.run('run', 'p.yaml')).status).toBe(0);
    const taken = await toy.inProcess('retry', 'FOLDER/p.yaml', '--task', 'copy', '--done', '--no-run');
    expect(taken.status).toBe(0);
    expect((await statusOf()).map(({ done }) => done)).toEqual([12, 0]);
    expect((await toy.inProcess('status', 'FOLDER/p.yaml')).out).toContain('interrupted, resumable');
    const both = await toy.inProcess('retry', 'FOLDER/p.yaml', '--task', 'fill', '--done', '--no-run');
    expect(both.error).toContain('All blocks are to be done again: fill, copy');
    expect((await statusOf()).map(({ done }) => done)).toEqual([0, 0]);
    const { status, out } = await toy.run('resume', 'p.yaml', '--json');
    expect(status).toBe(0);
    expect(result(out).tasks.map(({ alreadyDone }) => alreadyDone)).toEqual([0, 0]);
  });

  test('refuses a task that is not there, and a file without a run', async () => {
    toy.write(fillTask());
    expect((await toy.inProcess('retry', 'FOLDER/p.yaml')).error).toContain('there is no run');
    expect((await toy.run('run', 'p.yaml')).status).toBe(0);
    expect((await toy.inProcess('retry', 'FOLDER/p.yaml', '--task', 'fill')).error).toContain(
      'retry: expected a block that failed among those asked for, found none',
    );
    const { status, error } = await toy.inProcess('retry', 'FOLDER/p.yaml', '--task', 'full', '--done');
    expect(status).toBe(2);
    expect(error).toContain('task: expected one of fill, found full');
  });
});

describe('replay', () => {
  test('runs a block again, with its log, its bytes and its error; journal and record stay', async () => {
    toy.write(fillTask(', failBlocks: [4], retries: 0'));
    expect((await toy.run('run', 'p.yaml')).status).toBe(1);
    const before = journal();
    const chunk = join(toy.folder, 'd.zarr/a/c/1/2');
    const bytes = readFileSync(chunk);
    writeFileSync(chunk, '');
    const { status, out, error } = await toy.run('replay', 'p.yaml', 'fill', '5');
    expect([status, out]).toEqual([0, 'filling block 5\n']);
    expect(error).toMatch(/^Block 5 of fill ran to its end in /);
    expect(readFileSync(chunk).equals(bytes)).toBe(true);
    const failing = await toy.run('replay', 'p.yaml', 'fill', '4');
    expect(failing.status).toBe(4);
    expect(failing.error).toMatch(/^blockwright: block 4 is not to my taste\n/);
    expect(failing.error).toMatch(/\n {4}at .*toy-fill\.js/);
    expect(failing.error).not.toContain('--verbose');
    expect(journal()).toBe(before);
    expect((await statusOf())[0].done).toBe(11);
  });

  test('refuses a block that is not there', async () => {
    toy.write(fillTask());
    const { status, error } = await toy.inProcess('replay', 'FOLDER/p.yaml', 'fill', '12');
    expect(status).toBe(2);
    expect(error).toContain('block: expected a whole number from 0 to 11, as fill has 12 blocks, found 12');
  });
});

describe('explain', () => {
  test('tells what a block waits for, why it failed, and what could run', async () => {
    toy.write(fillTask(', failBlocks: [4], retries: 0') + copyTask);
    expect((await toy.run('run', 'p.yaml')).status).toBe(1);
    const explain = async (...args: string[]) => (await toy.inProcess('explain', 'FOLDER/p.yaml', ...args)).out;
    expect(await explain('fill', '5')).toBe('block 5 of fill: done\n');
    expect(await explain('fill', '4')).toContain('block 4 of fill: failed\n  block 4 is not to my taste\n');
    // blocks of copy are two of fill high: 4 is below 1
    expect(await explain('copy', '1')).toBe(
      'block 1 of copy: orphaned\n  1 of the 2 blocks of fill that it needs not done: 4 (failed)\n' +
        'block 4 of fill: failed\n  block 4 is not to my taste\n  The next run tries it again. More: blockwright failures\n',
    );
    expect(await explain('copy', '0')).toBe('block 0 of copy: done\n');
    const data = JSON.parse(await explain('copy', '1', '--json')) as object;
    expect(data).toMatchObject({
      state: 'orphaned',
      waitsFor: [{ task: 'fill', needed: 2, missing: [{ block: 4, state: 'failed' }] }],
      chain: [{ block: 1 }, { task: 'fill', block: 4, state: 'failed', reason: 'block 4 is not to my taste' }],
    });
    await toy.inProcess('retry', 'FOLDER/p.yaml', '--task', 'fill', '--done', '--no-run');
    expect(await explain('fill', '5')).toContain('the run is not at work');
    expect(await explain('copy', '0')).toContain(
      '2 of the 2 blocks of fill that it needs not done: 0 (pending), 3 (pending)',
    );
  });
});

describe('failures', () => {
  test('names the first blocks of a cause, with --all every one', async () => {
    const blocks = Array.from({ length: 24 }, (_, block) => block);
    toy.write(fillTask(`, failBlocks: [${blocks}], retries: 0`).replace('[40, 30]', '[40, 60]'));
    expect((await toy.run('run', 'p.yaml')).status).toBe(1);
    const told = (await toy.inProcess('failures', 'FOLDER/p.yaml')).out;
    expect(told).toContain('24 blocks of fill: ');
    expect(told).toContain('blocks 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19 and 4 more\n');
    expect((await toy.inProcess('failures', 'FOLDER/p.yaml', '--all')).out).toContain(` blocks ${blocks.join(', ')}\n`);
  });
});

test('failures with different codes have different causes', () => {
  const failure = { task: 't', attempt: 1, message: 'bad 7', stack: '', workerId: '1.1', logFile: '' };
  const groups = groupByCause([
    { ...failure, block: 1, code: 'ERR_IO' },
    { ...failure, block: 2, code: 'ERR_LIMIT' },
    { ...failure, block: 3, code: 'ERR_IO', message: 'bad 8' },
  ]);
  expect(groups.map(({ failures }) => failures.map(({ block }) => block))).toEqual([[1, 3], [2]]);
});
