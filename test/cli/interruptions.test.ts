import { existsSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import Database from 'better-sqlite3';
import { serveFolder } from '../support/http-server.js';
import { until } from '../support/processes.js';
import { fillTask, ToyPipeline } from '../support/toy-pipeline.js';

let toy: ToyPipeline;
beforeEach(() => {
  toy = new ToyPipeline();
});
afterEach(() => toy.remove());

function isOpen(pid: number, path: string): boolean {
  const folder = `/proc/${pid}/fd`;
  try {
    return readdirSync(folder).some((name) => readlinkSync(join(folder, name)) === path);
  } catch {
    return false; // it closed another one meanwhile
  }
}

describe('interruptions', () => {
  // no block ends before the test says so
  const waiting = fillTask(', waitFor: go');
  const go = () => writeFileSync(join(toy.folder, 'go'), '');

  test('Ctrl-C stops in order: blocks that run end, the same command continues', async () => {
    toy.write(waiting);
    const program = toy.start('run', 'p.yaml');
    // A block's first line: it is at work, not only handed out.
    await until('a block is at work', () => existsSync(join(toy.folder, 'toy.run/tasks/fill/logs')));
    program.process.kill('SIGINT');
    await program.says('Stopping: ');
    go();
    const { status, out, error } = await program.ended;
    expect(status).toBe(3);
    expect(error).toContain('Stopping: blocks that run may end, no others begin. Ctrl-C again stops at once.\n');
    expect(out).toMatch(/\ninterrupted after .*; the same command goes on from here\n$/);
    expect((await toy.inProcess('status', 'FOLDER/p.yaml')).out).toContain('interrupted, resumable');
    const again = await toy.run('resume', 'p.yaml', '--json');
    expect(again.status).toBe(0);
    const result = JSON.parse(again.out.trimEnd().split('\n').at(-1)!) as { tasks: { alreadyDone: number }[] };
    expect(result.tasks[0].alreadyDone).toBeGreaterThan(0);
  });

  test('a second Ctrl-C stops at once', async () => {
    toy.write(waiting);
    const program = toy.start('run', 'p.yaml');
    await program.says('fill: begins');
    program.process.kill('SIGINT');
    await program.says('Stopping: ');
    program.process.kill('SIGINT');
    const { status, error } = await program.ended;
    expect(status).toBe(3);
    expect(error).toContain('Stopping at once: blocks that run are given up.');
  });

  test('Ctrl-C ends a run whose plan waits for a server that does not answer', async () => {
    const server = await serveFolder(toy.folder);
    server.fault = () => true;
    const text = `name: p
arrays: {a: {store: '${server.address}/a.zarr'}, b: {store: b.zarr}}
tasks: {t: {type: copy, source: a, target: b}}`;
    writeFileSync(join(toy.folder, 'remote.yaml'), text);
    const program = toy.start('run', 'remote.yaml');
    await until('the server was asked', () => server.requests.length > 0);
    program.process.kill('SIGINT');
    await program.ended;
    expect(program.process.signalCode).toBe('SIGINT');
    expect(existsSync(join(toy.folder, 'p.run'))).toBe(false);
    await server.close();
  });

  const onLinux = process.platform === 'linux' ? test : test.skip;
  onLinux('Ctrl-C ends the comparison of two graphs, in which nothing else is heard', async () => {
    const path = join(toy.folder, 'graph.db');
    const database = new Database(path);
    database.exec('CREATE TABLE nodes (id); CREATE TABLE edges (u, v)');
    // SQLite waits 5 s for a file that is locked
    database.exec('BEGIN EXCLUSIVE');
    const program = toy.start('compare', 'graph.db', 'graph.db');
    // the command looks what it is first, and opens it for no more than a moment
    let seen = 0;
    await until('the graph is being read', () => {
      seen = isOpen(program.process.pid!, path) ? seen + 1 : 0;
      return seen === 30;
    });
    program.process.kill('SIGINT');
    await program.ended;
    expect(program.process.signalCode).toBe('SIGINT');
    database.close();
  });

  test('a second command on the same folder is refused while the first runs; a killed one is continued', async () => {
    toy.write(waiting);
    const program = toy.start('run', 'p.yaml');
    await program.says('fill: begins');
    const second = await toy.run('run', 'p.yaml');
    expect(second.status).toBe(2);
    expect(second.error).toContain('blockwright: ERR_RUN_LOCKED: ');
    expect((await toy.inProcess('status', 'FOLDER/p.yaml')).out).toContain(
      `coordinator: process ${program.process.pid}`,
    );
    program.process.kill('SIGKILL');
    await program.ended;
    expect((await toy.inProcess('status', 'FOLDER/p.yaml')).out).toContain('killed, resumable');
    go();
    expect((await toy.run('resume', 'p.yaml', '--quiet')).status).toBe(0);
  });

  test('resume without a run is refused', async () => {
    toy.write(fillTask());
    const { status, error } = await toy.inProcess('resume', 'FOLDER/p.yaml');
    expect(status).toBe(2);
    expect(error).toBe(
      'blockwright: ERR_CONFIG: FOLDER/toy.run: there is no run to resume. Start one with: blockwright run FOLDER/p.yaml\n',
    );
    expect(existsSync(join(toy.folder, 'toy.run'))).toBe(false);
    expect(readFileSync(join(toy.folder, 'p.yaml'), 'utf8')).toContain('toy');
  });
});
