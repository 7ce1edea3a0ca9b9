import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { authenticateToCoordinator } from '../../lib/coordinator/authentication.js';
import { Connection } from '../../lib/coordinator/connection.js';
import { ControlClient } from '../../lib/coordinator/control-client.js';
import { readCredentials } from '../../lib/coordinator/control-folder.js';
import { RunFolder } from '../../lib/coordinator/run-folder.js';
import { until } from '../support/processes.js';
import type { Program } from '../support/program.js';
import { copyTask, fillTask, ToyPipeline } from '../support/toy-pipeline.js';

let toy: ToyPipeline;
beforeEach(() => {
  toy = new ToyPipeline();
});
const programs: Program[] = [];
const start = (...args: string[]): Program => {
  const program = toy.start(...args);
  programs.push(program);
  return program;
};
afterEach(async () => {
  // of a test that failed
  for (const { process } of programs) process.kill('SIGKILL');
  await Promise.all(programs.splice(0).map(({ ended }) => ended));
  toy.remove();
});

const ask = async (...args: string[]) => {
  const { status, out, error } = await toy.inProcess(...args);
  // times and processes are never the same twice
  const told = out
    .replaceAll(/process \d+ on \S+?(?=[)\n])/g, 'PROCESS')
    .replaceAll(/worker 1\.\d/g, 'worker N')
    .replaceAll(/\d[\d.]* s\b/g, 'TIME');
  return { status, out: told, error };
};

/** Blocks of fill fail or end; those of hold wait for the file go. */
const holdTask = '  hold: {type: toy-fill, output: b, shape: [40, 30], blockSize: [10, 10], waitFor: go}\n';
/** Two workers have their first block of hold, and have said so with a sign of life. */
const held = async () => {
  await until('blocks of hold are at work', () => logsOf('hold').length === 2);
  let out = '';
  while (!/(working [^\n]* s {2}block[^\n]*\n[^$]*){2}$/.test(out))
    out = (await toy.inProcess('status', 'FOLDER/toy.run')).out;
};
const logsOf = (task: string) => {
  const logs = join(toy.folder, 'toy.run/tasks', task, 'logs');
  return existsSync(logs) ? readdirSync(logs) : [];
};

describe('a run at work', () => {
  test('tells how it stands, why blocks wait, and tries again what failed', async () => {
    toy.write(fillTask(', failOnce: once, retries: 0') + holdTask);
    const program = start('run', 'p.yaml', '--json');
    await held();
    const failed = Number(/block (\d+) failed/.exec((await ask('status', 'FOLDER/toy.run')).out)?.[1]);
    const status = await ask('status', 'FOLDER/toy.run');
    expect(status.out).toContain(`FOLDER/toy.run: running for TIME\ncoordinator: PROCESS\n\n`);
    expect(status.out).toMatch(
      /^task +% {2}blocks {2}done {2}running {2}ready {2}waiting {2}failed +rate +left\nfill {2}91\.7 +12 +11 +0 +0 +0 +1 +\S+ +-$/m,
    );
    expect(status.out).toMatch(/^hold {3}0\.0 +12 +0 +[234] +(8|9|10) +0 +0 +- +-$/m);
    expect(status.out).toContain('2 workers: 2 working\n  1.');
    expect(status.out).toMatch(/^ {2}1\.\d {2}working TIME {2}block \d of hold( and 1 more)? {2}PROCESS$/m);
    expect(status.out).toContain(`ago  fill block ${failed} failed (attempt 1, gave up): only once`);
    const json = JSON.parse((await toy.inProcess('status', 'FOLDER/p.yaml', '--json')).out) as {
      tasks: object[];
      live: { workers: object[] };
    };
    expect(json.tasks[0]).toMatchObject({ name: 'fill', done: 11, failed: 1 });
    expect(json.live.workers).toHaveLength(2);

    expect((await ask('explain', 'FOLDER/toy.run', 'fill', String(failed))).out).toBe(
      `block ${failed} of fill: failed\n  attempt 1 failed: Error: only once\n` +
        '  It failed for good after 1 attempt. Try again with: blockwright retry\n',
    );
    expect((await ask('explain', 'FOLDER/toy.run', 'hold', '0')).out).toBe(
      'block 0 of hold: running on worker N (PROCESS) for TIME\n',
    );
    expect((await ask('explain', 'FOLDER/toy.run', 'hold', '11')).out).toMatch(
      /^block 11 of hold: ready\n {2}It waits for a worker that is free, as (7|8|9) other blocks of hold do\. 2 workers: 2 working\.\n$/,
    );
    expect((await ask('explain', 'FOLDER/p.yaml')).out).toMatch(
      /^FOLDER\/toy\.run: running, 2 workers: 2 working\n(8|9|10) blocks could run and wait for a worker that is free\.\n$/,
    );

    const refusals: [string[], string][] = [
      [['retry', 'FOLDER/toy.run', '--task', 'full'], 'task: expected one of fill, hold, found full'],
      [['retry', 'FOLDER/toy.run', '--task', 'hold', '--block', '11'], 'expected one that failed, found it ready'],
      [['retry', 'FOLDER/toy.run', '--task', 'fill', '--block', '12'], 'expected a whole number from 0 to 11'],
      [['retry', 'FOLDER/toy.run', '--roi', '0,0,0:1,1,1'], 'roi: expected 2 dimensions as task fill has, found 3'],
      [['explain', 'FOLDER/toy.run', 'fill', '12'], 'expected a whole number from 0 to 11'],
      [['explain', 'FOLDER/toy.run', 'fill'], 'expected the index of a block of fill, found none'],
    ];
    for (const [command, text] of refusals) {
      const refused = await ask(...command);
      expect([refused.status, refused.error]).toEqual([2, expect.stringContaining(text)]);
    }
    const elsewhere = failed < 6 ? '30,0:10,30' : '0,0:10,30';
    expect((await ask('retry', 'FOLDER/toy.run', '--task', 'fill', '--roi', elsewhere)).out).toBe(
      'No block of fill that was asked for has failed: nothing to try again.\n',
    );
    expect((await ask('retry', 'FOLDER/p.yaml')).out).toBe(
      'The run tries 1 failed block again; orphaned blocks that wait for them: 0.\n',
    );
    expect((await ask('explain', 'FOLDER/toy.run', 'fill', String(failed))).out).toContain(
      `block ${failed} of fill: ready\n  attempt 1 failed: Error: only once\n  It waits for a worker that is free. `,
    );
    expect((await ask('failures', 'FOLDER/toy.run')).out).toBe('No block failed.\n');
    writeFileSync(join(toy.folder, 'go'), '');
    const { status: exit, out } = await program.ended;
    expect(exit).toBe(0);
    const lines = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(lines).toContainEqual(
      expect.objectContaining({ type: 'blocks-revived', task: 'fill', failed: 1, orphaned: 0 }),
    );
    expect(lines.at(-1)).toMatchObject({ tasks: [{ done: 12, failed: 0, retried: 1 }, { done: 12 }], failures: [] });
  });

  test('follows what a block waits for down to the cause, and brings orphans back', async () => {
    toy.write(fillTask(', failOnce: once, retries: 0') + copyTask + holdTask.replace('output: b', 'output: c'));
    toy.addArray('c');
    const program = start('run', 'p.yaml');
    await held();
    const client = await ControlClient.open(join(toy.folder, 'toy.run'));
    try {
      const [, copy] = (await client.status()).tasks;
      expect(copy).toMatchObject({ name: 'copy', orphaned: 1 });
      const [orphan] = await Promise.all(
        Array.from({ length: 6 }, (_, block) => block).map(async (block) => {
          const one = await toy.inProcess('explain', 'FOLDER/toy.run', 'copy', String(block));
          return one.out.includes('orphaned') ? one.out : undefined;
        }),
      ).then((texts) => texts.filter((text) => text !== undefined));
      expect(orphan).toMatch(
        /^block \d of copy: orphaned\n {2}1 of the 2 blocks of fill that it needs not done: (\d+) \(failed\)\nblock \1 of fill: failed\n {2}attempt 1 failed: Error: only once\n/,
      );
      expect(await client.retry({ task: 'fill' })).toEqual({ failed: 1, orphaned: 1 });
    } finally {
      client.close();
    }
    writeFileSync(join(toy.folder, 'go'), '');
    expect((await program.ended).status).toBe(0);
  });

  test('is disturbed by nobody who asks wrongly, slowly or too much', async () => {
    toy.write(holdTask);
    const program = start('run', 'p.yaml');
    await held();
    const { socket, key } = readCredentials(new RunFolder(join(toy.folder, 'toy.run')));
    const visit = async () => {
      const connection = new Connection(connect(socket));
      await authenticateToCoordinator(connection, key, { role: 'control', workerId: 'control-test' });
      return connection;
    };
    const hostile: { type: string; [key: string]: unknown }[] = [
      { type: 'shutdown' },
      { type: 'work', results: [{ lease: 1, outcome: 'done', seconds: 1 }], acquire: true },
      { type: 'retry', roi: { offset: [0, 0], shape: [Number.NaN, 1] } },
      { type: 'retry', roi: { offset: [0, 0], shape: [1e300, 1] } },
      { type: 'retry', task: 'x'.repeat(10_000) },
      { type: 'retry', task: 'hold', done: true },
    ];
    for (const message of hostile) {
      const connection = await visit();
      connection.send(message);
      await connection.closed;
    }
    const hasty = await visit();
    for (let i = 0; i < 10_000; i++) hasty.send({ type: 'status' });
    await hasty.closed;
    // it says nothing, for as long as the run takes
    const silent = await visit();
    writeFileSync(join(toy.folder, 'go'), '');
    const { status, out } = await program.ended;
    await silent.closed;
    expect(status).toBe(0);
    expect(out).toMatch(/^hold +12 +12 +0 +0 +0 +0 +0 /m);
    expect(out).not.toContain('refused');
  });

  test('stops at once with --now, or when asked twice', async () => {
    for (const commands of [['--now'], ['', '']]) {
      rmSync(join(toy.folder, 'toy.run'), { recursive: true, force: true });
      toy.write(holdTask);
      const program = start('run', 'p.yaml');
      await held();
      for (const option of commands) {
        expect((await toy.inProcess('cancel', 'FOLDER/toy.run', ...(option === '' ? [] : [option]))).status).toBe(0);
      }
      await program.says('Stopping at once, as asked from elsewhere');
      expect((await program.ended).status).toBe(3);
    }
  });

  test('that does not answer is told from its files', async () => {
    toy.write(holdTask);
    const program = start('run', 'p.yaml');
    await held();
    rmSync(join(toy.folder, 'toy.run/control/address.json'));
    const { status, out, error } = await toy.inProcess('status', 'FOLDER/toy.run');
    expect(status).toBe(0);
    expect(error).toMatch(/^From the run's files, for its process \d+ on host \S+ does not answer: /);
    expect(out).toContain('FOLDER/toy.run: running\n');
    expect((await toy.inProcess('explain', 'FOLDER/toy.run', 'hold', '0')).error).toContain(
      'expected the pipeline file, as no run at work answers here',
    );
    expect((await toy.inProcess('explain', 'FOLDER/p.yaml', 'hold', '0')).out).toContain('block 0 of hold: pending\n');
    expect((await toy.inProcess('retry', 'FOLDER/p.yaml')).error).toContain(
      'retry: the run is at work, but its process',
    );
    const cancelled = await toy.inProcess('cancel', 'FOLDER/toy.run', '--now');
    expect(cancelled.error).toContain('By a signal, for its process');
    expect((await program.ended).status).toBe(3);
  });
});
