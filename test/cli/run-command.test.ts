import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { pluginPath } from '../support/plugins.js';
import { copyTask, fillTask, ToyPipeline } from '../support/toy-pipeline.js';

let toy: ToyPipeline;
beforeEach(() => {
  toy = new ToyPipeline();
});
afterEach(() => toy.remove());

describe('run', () => {
  test('does all, says so, and exits with 0; status, logs and failures agree', async () => {
    toy.write(fillTask() + copyTask);
    const { status, out, error } = await toy.run('run', 'p.yaml');
    expect(status).toBe(0);
    expect(out).toMatch(/complete: every block is done/);
    expect(error).toContain('fill: ends, 12 done');
    const state = await toy.inProcess('status', 'FOLDER/p.yaml');
    expect(toy.local(state.out)).toContain('FOLDER/toy.run: complete\n');
    expect(state.out).toMatch(/fill\s+100\.0 %\s+12\s+12\s+0\s+0\s+0\s+0\n/);
    expect(JSON.parse((await toy.inProcess('status', 'FOLDER/toy.run', '--json')).out)).toMatchObject({
      state: 'complete',
      epoch: 1,
    });
    expect((await toy.inProcess('failures', 'FOLDER/toy.run')).out).toBe('No block failed.\n');
    expect((await toy.inProcess('logs', 'FOLDER/p.yaml', '--task', 'fill', '--block', '7')).out).toMatch(
      /--- attempt 1 .*\nfilling block 7\n$/,
    );
    const all = (await toy.inProcess('logs', 'FOLDER/p.yaml', '--task', 'fill')).out;
    expect([...all.matchAll(/block-(\d+)\.log/g)].map((match) => Number(match[1]))).toEqual([
      0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11,
    ]);
  });

  test('--json writes events and the result; --quiet only the result', async () => {
    toy.write(fillTask());
    const first = await toy.run('run', 'p.yaml', '--json');
    const events = first.out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string });
    expect(first.error).toBe('');
    expect(events[0].type).toBe('run-start');
    expect(events.at(-1)).toMatchObject({ type: 'result', complete: true, tasks: [{ name: 'fill', done: 12 }] });
    const second = await toy.run('resume', 'p.yaml', '--quiet');
    expect(second.status).toBe(0);
    expect(second.error).toBe('');
    expect(second.out).toContain('complete');
  });

  test('with blocks that fail exits with 1, and failures tells why, by cause', async () => {
    toy.write(fillTask(', failBlocks: [4, 8], retries: 0') + copyTask);
    const { status, out, error } = await toy.run('run', 'p.yaml', '--quiet');
    expect(status).toBe(1);
    expect(out).toContain('incomplete');
    expect(error).toBe('What failed: blockwright failures p.yaml\n');
    const told = await toy.inProcess('failures', 'FOLDER/p.yaml');
    expect(told.status).toBe(0);
    expect(toy.local(told.out)).toMatch(
      /^2 blocks of fill: block 4 is not to my taste\n {2}blocks 4, 8\n {2}block 4, attempt 1, worker 1\.\d on \S+:\n {4}Error: block 4 is not to my taste\n {4} +at .*toy-fill\.js/,
    );
    expect(toy.local(told.out)).toMatch(
      /\n {2}FOLDER\/toy\.run\/tasks\/fill\/logs\/block-4\.log\n {4}filling block 4\n$/,
    );
    const data = JSON.parse((await toy.inProcess('failures', 'FOLDER/p.yaml', '--json')).out) as {
      task: string;
      failures: { block: number }[];
    }[];
    expect(data).toHaveLength(1);
    expect(data[0].failures.map(({ block }) => block).sort()).toEqual([4, 8]);
    expect((await toy.inProcess('status', 'FOLDER/p.yaml')).out).toContain(
      'ended with blocks that failed or were orphaned',
    );
  });

  test('with a changed file is refused with the difference', async () => {
    toy.write(fillTask());
    expect((await toy.run('run', 'p.yaml')).status).toBe(0);
    toy.write(fillTask(', add: 7'));
    const { status, error } = await toy.run('run', 'p.yaml');
    expect(status).toBe(2);
    expect(error).toContain('blockwright: ERR_PLAN_CHANGED: ');
    expect(error).toContain('add');
  });

  test('whose workers cannot load a plugin ends with the reason, and exits with 4', async () => {
    toy.write(fillTask().replace('toy-fill', 'toy-licensed'), ['fails-in-workers']);
    const { status, error } = await toy.run('run', 'p.yaml', '--quiet', '--workers', '1');
    expect(status).toBe(4);
    expect(error).toContain('blockwright: ERR_WORKER_START: ');
    expect(error).toContain(
      `ERR_PLUGIN: cannot load the plugin ${pluginPath('fails-in-workers')}: this machine has no licence`,
    );
  });

  test('with --verbose shows stacks', async () => {
    expect((await toy.inProcess('run', 'FOLDER/none.yaml', '--verbose')).error).toMatch(
      /\n {4}at .*\ncaused by: Error: ENOENT/,
    );
  });

  test('a damaged done record is refused, by name', async () => {
    toy.write(fillTask());
    expect((await toy.run('run', 'p.yaml')).status).toBe(0);
    writeFileSync(join(toy.folder, 'toy.run/tasks/fill/done/zarr.json'), '{"zarr_format":');
    const { status, error } = await toy.run('run', 'p.yaml');
    expect(status).toBe(2);
    expect(toy.local(error)).toContain('FOLDER/toy.run/tasks/fill/done');
  });
});
