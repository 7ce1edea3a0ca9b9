import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { RunLock } from '../../lib/coordinator/run-lock.js';
import { readFailures } from '../../lib/coordinator/run-status.js';
import { noteWriter, refuseOthers } from '../../lib/pipeline/output-writer.js';
import { type Pipeline, type PipelineInput, pipeline, type TaskInput } from '../../lib/pipeline/pipeline.js';
import { planPipeline } from '../../lib/pipeline/plan.js';
import { prepareOutputs, runPipeline, runPlan } from '../../lib/pipeline/run.js';
import { runSerially } from '../../lib/pipeline/run-serially.js';
import { ChunkedArray } from '../../lib/storage/chunked-array.js';
import { pluginPath } from '../support/plugins.js';
import { until } from '../support/processes.js';

let folder = '';
const folders: string[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'blockwright-run-'));
  folders.push(folder);
});
afterAll(() => {
  for (const one of folders) rmSync(one, { recursive: true, force: true });
});

const fill = (more: Partial<TaskInput> = {}): TaskInput => ({
  type: 'toy-fill',
  output: 'a',
  shape: [20, 30],
  blockSize: [10, 10],
  ...more,
});
const copy: TaskInput = { type: 'toy-copy', input: 'a', output: 'b', blockSize: [20, 10] };

function make(tasks: Record<string, TaskInput>, more: Partial<PipelineInput> = {}): Promise<Pipeline> {
  return pipeline(
    {
      name: 'toy',
      arrays: { a: { store: 'd.zarr/a' }, b: { store: 'd.zarr/b' } },
      graphs: { g: { type: 'sqlite', path: 'g.sqlite' } },
      executor: { type: 'local', workers: 2 },
      plugins: ['toy-fill', 'toy-copy', 'toy-graph'].map(pluginPath),
      tasks,
      ...more,
    },
    { definitions: [], folder },
  );
}

async function content(name: string): Promise<number[][]> {
  const array = await ChunkedArray.open(join(folder, 'd.zarr', name));
  const [rows, columns] = array.shape;
  const data = (await array.readRegion([0, 0], [rows, columns])) as Uint32Array;
  return Array.from({ length: rows }, (_, row) => [...data.subarray(row * columns, (row + 1) * columns)]);
}

/** What toy-fill writes. */
const filled = (add = 1) =>
  Array.from({ length: 20 }, (_, row) =>
    Array.from({ length: 30 }, (_, column) => Math.floor(row / 10) * 3 + Math.floor(column / 10) + add),
  );

describe('a run with worker processes', () => {
  test('does every block, and the next one finds nothing left to do', async () => {
    const result = await runPipeline(await make({ fill: fill(), copy }));
    expect(result).toMatchObject({ complete: true, interrupted: false, failures: [] });
    expect(result.tasks.map(({ name, done, total }) => [name, done, total])).toEqual([
      ['fill', 6, 6],
      ['copy', 3, 3],
    ]);
    expect(await content('b')).toEqual(filled());
    const again = await runPipeline(await make({ fill: fill(), copy }), { workers: 1 });
    expect(again.complete).toBe(true);
    expect(again.tasks.map(({ alreadyDone }) => alreadyDone)).toEqual([6, 3]);
  });

  test('hears of a slow block that was leased together with fast ones', async () => {
    const tasks = { fill: fill({ shape: [100, 100], slowBlocks: [20, 50, 80] }) };
    const result = await runPipeline(await make(tasks), { workers: 1 });
    expect(result.tasks[0]).toMatchObject({ done: 100, retried: 0 });
  });

  test('continues in a folder that was moved, with other retries and workers', async () => {
    const tasks = (retries: number) => ({ fill: fill({ retries, failOnce: 'was-here' }), copy });
    const first = await runPipeline(await make(tasks(0)));
    expect(first.complete).toBe(false);
    const moved = `${folder}-moved`;
    renameSync(folder, moved);
    folder = moved;
    folders.push(moved);
    const second = await runPipeline(await make(tasks(3), { executor: { type: 'local', workers: 1 } }));
    expect(second.complete).toBe(true);
    expect(second.tasks[0].alreadyDone).toBe(5);
    expect(await content('b')).toEqual(filled());
  });

  test('with other options is refused, with the difference', async () => {
    await runPipeline(await make({ fill: fill() }));
    await expect(runPipeline(await make({ fill: fill({ add: 5 }) }))).rejects.toMatchObject({
      code: 'ERR_PLAN_CHANGED',
      message: expect.stringMatching(/add/),
    });
    expect(await content('a')).toEqual(filled());
  });

  test('with a task that cannot be planned says that, and not that those after it have another plan', async () => {
    expect((await runPipeline(await make({ fill: fill(), copy }))).complete).toBe(true);
    const error = await runPipeline(await make({ fill: fill({ blockSize: [10] }), copy })).catch((one: unknown) => one);
    expect(String((error as Error).message)).toMatch(/tasks\.fill/);
    expect(String((error as Error).message)).not.toMatch(/another plan|tasks\.copy/);
  });

  test('whose outputs are gone is refused, with all that is missing, until the task may run again', async () => {
    const tasks = {
      fill: fill(),
      copy,
      write: { type: 'toy-graph', graph: 'g', blocks: 3 },
      read: { type: 'toy-graph', graph: 'g', lut: 'x.lut' },
    };
    expect((await runPipeline(await make(tasks))).complete).toBe(true);
    for (const name of ['d.zarr/a', 'g.sqlite', 'x.lut']) rmSync(join(folder, name), { recursive: true });
    const error = await runPipeline(await make(tasks)).catch((one: unknown) => one);
    expect(error).toMatchObject({ code: 'ERR_PLAN' });
    const lines = String((error as Error).message)
      .replaceAll(folder, 'FOLDER')
      .split('\n');
    expect(lines).toEqual([
      '3 reasons not to run',
      "  tasks.fill.output: blocks of the task are recorded as done, and the array 'a' that they wrote is not there (FOLDER/d.zarr/a). Put it back, or delete FOLDER/toy.run/tasks/fill/done to do them again",
      expect.stringMatching(
        /^ {2}tasks\.write\.graph: .* the graph 'g' .* or delete FOLDER\/toy\.run\/tasks\/write\/done to/,
      ),
      expect.stringMatching(
        /^ {2}tasks\.read\.lut: .* the LUT 'x\.lut' .* or delete FOLDER\/toy\.run\/tasks\/read\/done to/,
      ),
    ]);
    expect(existsSync(join(folder, 'd.zarr/a'))).toBe(false);
    for (const name of ['fill', 'write', 'read'])
      rmSync(join(folder, 'toy.run/tasks', name, 'done'), { recursive: true });
    const again = await runPipeline(await make(tasks));
    expect(again.complete).toBe(true);
    expect(again.tasks.map(({ name, alreadyDone }) => [name, alreadyDone])).toEqual([
      ['fill', 0],
      ['copy', 3],
      ['write', 0],
      ['read', 0],
    ]);
    expect(await content('a')).toEqual(filled());
  });

  test('may have other options as long as nothing was done with those before', async () => {
    const failed = await runPipeline(await make({ fill: fill({ failBlocks: [0, 1, 2, 3, 4, 5], retries: 0 }) }));
    expect(failed.tasks).toMatchObject([{ done: 0, failed: 6 }]);
    const mended = await runPipeline(await make({ fill: fill({ add: 3 }) }));
    expect(mended.complete).toBe(true);
    expect(await content('a')).toEqual(filled(3));
    expect(await readFailures(join(folder, 'toy.run'))).toEqual([]);
  });

  test('says which blocks failed and which were orphaned', async () => {
    const result = await runPipeline(await make({ fill: fill({ failBlocks: [4], retries: 1 }), copy }));
    expect(result).toMatchObject({ complete: false, interrupted: false });
    expect(result.tasks.map(({ done, failed, orphaned, retried }) => [done, failed, orphaned, retried])).toEqual([
      [5, 1, 0, 1],
      [2, 0, 1, 0],
    ]);
    expect(result.failures).toMatchObject([
      { task: 'fill', block: 4, attempt: 2, message: 'block 4 is not to my taste' },
    ]);
    expect(readFileSync(result.failures[0].logFile, 'utf8')).toContain('filling block 4');
  });

  test('a refused plan leaves no trace', async () => {
    await expect(runPipeline(await make({ copy }))).rejects.toMatchObject({ code: 'ERR_ARRAY_MISSING' });
    await expect(runPipeline(await make({ fill: fill({ chunkShape: [20, 10] }) }))).rejects.toMatchObject({
      code: 'ERR_CHUNK_SHARED',
      message:
        "tasks.fill.output: the array 'a': blocks of [10,10] voxels would write into the same chunk of [20,10] along axis 0; blocks of [20,10] voxels work",
    });
    expect(existsSync(join(folder, 'toy.run'))).toBe(false);
    expect(existsSync(join(folder, 'd.zarr'))).toBe(false);
  });

  test('a signal stops it, and what is left is done later', async () => {
    const stop = new AbortController();
    const tasks = { fill: fill({ waitFor: 'go' }) };
    const running = runPipeline(await make(tasks), { signal: stop.signal });
    await until('a block is at work', () => existsSync(join(folder, 'toy.run/tasks/fill/logs')));
    stop.abort();
    writeFileSync(join(folder, 'go'), '');
    const result = await running;
    expect(result).toMatchObject({ complete: false, interrupted: true });
    const done = result.tasks[0].done;
    // those that were at work were let end
    expect([1, 2]).toContain(done);
    const again = await runPipeline(await make(tasks));
    expect(again.complete).toBe(true);
    expect(again.tasks[0].alreadyDone).toBe(done);
  });
});

describe('graphs', () => {
  const tasks = (blocks: number) => ({
    write: { type: 'toy-graph', graph: 'g', blocks, initLog: join(folder, 'init.log') },
    read: { type: 'toy-graph', graph: 'g', lut: 'out/x.lut' },
  });
  const lut = () => readFileSync(join(folder, 'out/x.lut'), 'utf8');
  const expected = (blocks: number) => {
    const ids = Array.from({ length: blocks }, (_, i) => i + 1);
    return `nodes ${ids.join(' ')}; edges ${ids
      .slice(1)
      .map((id) => `${id - 1}-${id}`)
      .join(' ')}`;
  };

  test('are written by workers through the coordinator, and read by a task that waits for all of it', async () => {
    cpSync(pluginPath('no-definition'), join(folder, 'out/.keep'));
    expect((await runPipeline(await make(tasks(7)))).complete).toBe(true);
    expect(lut()).toBe(expected(7));
    expect((await runPipeline(await make(tasks(7)))).complete).toBe(true);
    expect(readFileSync(join(folder, 'init.log'), 'utf8')).toBe('init\n');
    // Another run directory: the rows of the first run, which is given up, must not be added to those of the second.
    rmSync(join(folder, 'toy.run'), { recursive: true });
    expect((await runPipeline(await make(tasks(3), { runDirectory: 'second.run' }))).complete).toBe(true);
    expect(lut()).toBe(expected(3));
  });

  test('keep the rows of a task that is called otherwise now, which are not read', async () => {
    cpSync(pluginPath('no-definition'), join(folder, 'out/.keep'));
    const { write, read } = tasks(7);
    await runPipeline(await make({ old: write, read }));
    expect(lut()).toBe(expected(7));
    const renamed = await make({ new: { ...write, blocks: 3 }, other: { ...read, lut: 'out/y.lut' } });
    expect((await runPipeline(renamed)).complete).toBe(true);
    expect(readFileSync(join(folder, 'out/y.lut'), 'utf8')).toBe(expected(3));
    expect((await runPipeline(await make({ old: write, read: { ...read, lut: 'out/x.lut' } }))).complete).toBe(true);
  });

  test('get the rows of a task that does not wait for them, too', async () => {
    cpSync(pluginPath('no-definition'), join(folder, 'out/.keep'));
    const { write, read } = tasks(5);
    const result = await runPipeline(await make({ write: { ...write, hasty: true }, read }));
    expect(result).toMatchObject({ complete: true, tasks: [{ done: 5, retried: 0 }, { done: 1 }] });
    expect(lut()).toBe('nodes 1 2 3 4 5; edges ');
  });

  test('with rows of a run that was ended before its first block was done are cleared', async () => {
    cpSync(pluginPath('no-definition'), join(folder, 'out/.keep'));
    await runPipeline(await make(tasks(7)));
    rmSync(join(folder, 'toy.run'), { recursive: true });
    // it comes as far as the done records
    const { write, read } = tasks(3);
    const again = await make({ write: { ...write, initLog: join(folder, 'logs/init.log') }, read });
    await expect(runPipeline(again)).rejects.toMatchObject({ code: 'ERR_PLUGIN' });
    mkdirSync(join(folder, 'logs'));
    expect((await runPipeline(again)).complete).toBe(true);
    expect(lut()).toBe(expected(3));
  });

  test('and arrays: the same in one process', async () => {
    cpSync(pluginPath('no-definition'), join(folder, 'out/.keep'));
    const lines: string[] = [];
    await runSerially(await planPipeline(await make({ ...tasks(4), fill: fill(), copy })), {
      onLog: (task, block, line) => lines.push(`${task} ${block} ${line}`),
    });
    expect(lut()).toBe(expected(4));
    expect(await content('b')).toEqual(filled());
    expect(lines).toContain('fill 5 filling block 5');
    expect(existsSync(join(folder, 'toy.run'))).toBe(false);
  });
});

test('a run does not write over what another one wrote since it was planned', async () => {
  const [first, other] = await Promise.all(
    ['first.run', 'other.run'].map((runDirectory) => make({ fill: fill() }, { runDirectory })),
  );
  const plan = await planPipeline(other);
  await runPipeline(first);
  await expect(runPlan(plan)).rejects.toMatchObject({
    code: 'ERR_PLAN',
    message: expect.stringContaining(`was written by another run, whose folder is ${join(folder, 'first.run')}`),
  });
  expect(await content('a')).toEqual(filled());
});

test.each(['nobody', 'a run that is over'])(
  'of two runs that begin in the same moment, or just after each other, one becomes the writer of an array of %s',
  async (whose) => {
    for (let round = 0; round < 10; round++) {
      const store = `d.zarr/${round}`;
      const plans = await Promise.all(
        ['first', 'other'].map(async (name) => {
          const runDirectory = join(folder, `${name}-${round}.run`);
          return planPipeline(await make({ fill: fill() }, { arrays: { a: { store } }, runDirectory }));
        }),
      );
      const locks = plans.map(({ pipeline: { runDirectory } }) => {
        mkdirSync(runDirectory);
        return RunLock.acquire(runDirectory);
      });
      for (const { pipeline, tasks } of plans) await prepareOutputs(pipeline, tasks[0]);
      const note = JSON.stringify({ run: '../../gone.run', tasks: ['fill'] });
      if (whose !== 'nobody') writeFileSync(join(folder, store, '.blockwright.json'), note);
      // neither sees the other yet
      for (const { pipeline, tasks } of plans) refuseOthers(pipeline, tasks[0]);
      const [first, second] = plans.map(
        ({ pipeline, tasks }) =>
          () =>
            noteWriter(pipeline, tasks[0]),
      );
      const noted =
        round % 2 === 0
          ? await Promise.allSettled([first(), second()])
          : [...(await Promise.allSettled([first()])), ...(await Promise.allSettled([second()]))];
      expect(noted.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
      const refused = noted.find(({ status }) => status === 'rejected') as PromiseRejectedResult;
      expect(refused.reason).toMatchObject({ code: 'ERR_PLAN', message: expect.stringContaining('another run') });
      for (const lock of locks) lock.release();
    }
  },
);

test('what one of two tasks wrote into an array is not written over where the other has done nothing', async () => {
  const two = fill({ failBlocks: [0, 1, 2, 3, 4, 5], after: ['one'], retries: 0 });
  const first = await runPipeline(await make({ one: fill(), two }, { runDirectory: 'first.run' }));
  expect(first.tasks.map(({ done }) => done)).toEqual([6, 0]);
  await expect(make({ fill: fill() }, { runDirectory: 'other.run' }).then(planPipeline)).resolves.toMatchObject({
    refusals: [{ text: expect.stringContaining("first.run (its task 'one')") }],
  });
});

test('a note of a writer that cannot be read is an error; one that says nothing is none', async () => {
  const made = await make({ fill: fill() });
  const note = join(folder, 'd.zarr/a/.blockwright.json');
  mkdirSync(note, { recursive: true });
  await expect(planPipeline(made)).rejects.toMatchObject({ code: 'ERR_IO', message: expect.stringContaining(note) });
  rmSync(note, { recursive: true });
  for (const text of ['', '{"run": 1}', '{"run": "..", "tasks": []}']) {
    writeFileSync(note, text);
    expect((await planPipeline(made)).refusals).toEqual([]);
  }
  expect((await runPipeline(made)).complete).toBe(true);
  expect(JSON.parse(readFileSync(note, 'utf8'))).toEqual({ run: '../../toy.run', tasks: ['fill'] });
});

test('a run does not write over the LUT and the rows of a graph that another one wrote, but beside them', async () => {
  mkdirSync(join(folder, 'out'));
  const write: TaskInput = { type: 'toy-graph', graph: 'g', blocks: 5 };
  const read: TaskInput = { type: 'toy-graph', graph: 'g', lut: 'out/lut' };
  const written = () => readFileSync(join(folder, 'out/lut'), 'utf8');
  await runPipeline(await make({ write, read }, { runDirectory: 'first.run' }));
  const before = written();
  const again = await make({ write: { ...write, blocks: 3 }, read }, { runDirectory: 'other.run' });
  for (const text of ["the graph 'g'", "the LUT 'out/lut'"]) {
    await expect(runPipeline(again)).rejects.toMatchObject({
      code: 'ERR_PLAN',
      message: expect.stringMatching(`${text} \\(.*\\) was written by another run, whose folder is .*first.run`),
    });
  }
  expect(written()).toBe(before);
  // rows of a task with another name are others
  const more = await make({ more: write }, { runDirectory: 'other.run' });
  expect((await runPipeline(more)).complete).toBe(true);
  rmSync(join(folder, 'first.run'), { recursive: true });
  expect((await runPipeline(again)).complete).toBe(true);
});
