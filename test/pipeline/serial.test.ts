import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { pipeline, type TaskInput } from '../../lib/pipeline/pipeline.js';
import { runPipeline } from '../../lib/pipeline/run.js';
import { ChunkedArray } from '../../lib/storage/chunked-array.js';
import { pluginPath } from '../support/plugins.js';
import { temporaryFolder } from '../support/stores.js';
import { copyTask, fillTask, ToyPipeline } from '../support/toy-pipeline.js';

let store: ReturnType<typeof temporaryFolder>;
beforeEach(() => {
  store = temporaryFolder();
});
afterEach(() => store.remove());

function make(fill: Partial<TaskInput> = {}, more: Record<string, TaskInput> = {}) {
  const tasks = {
    fill: { type: 'toy-fill', output: 'a', shape: [20, 30], blockSize: [10, 10], ...fill },
    copy: { type: 'toy-copy', input: 'a', output: 'b', blockSize: [20, 10] },
    ...more,
  };
  return pipeline(
    {
      name: 'toy',
      arrays: { a: { store: 'd.zarr/a' }, b: { store: 'd.zarr/b' } },
      graphs: { g: { type: 'sqlite', path: 'g.sqlite' } },
      executors: { other: { type: 'local', workers: 2 } },
      plugins: ['toy-fill', 'toy-copy', 'toy-graph'].map(pluginPath),
      tasks,
    },
    { definitions: [], folder: store.path },
  );
}

test('a serial run stays in this process, keeps its record and goes on where one stopped', async () => {
  const thrown: [string, number, string][] = [];
  const workers: string[] = [];
  const first = await runPipeline(await make({ failBlocks: [4], retries: 5, executor: 'other' }), {
    serial: true,
    onThrown: (task, block, error) => thrown.push([task, block, (error as Error).stack ?? '']),
    onEvent: (event) => event.type === 'worker-start' && workers.push(event.description),
  });
  expect(first.tasks.map(({ done, failed, orphaned, retried }) => [done, failed, orphaned, retried])).toEqual([
    [5, 1, 0, 0],
    [2, 0, 1, 0],
  ]);
  expect(thrown).toEqual([['fill', 4, expect.stringMatching(/block 4 is not to my taste\n.*toy-fill\.js/)]]);
  expect(workers).toEqual([`process ${process.pid}, which runs the coordinator too`]);
  const written = await ChunkedArray.open(join(store.path, 'd.zarr/b'));
  expect([...(await written.readRegion([0, 0], [1, 1]))]).toEqual([1]);
  // as with workers: the block that failed left its log, and nothing is left of the connection
  expect(readdirSync(join(store.path, 'toy.run/tasks/fill/logs'))).toContain('block-4.log');
  expect(existsSync(join(store.path, 'toy.run/control'))).toBe(false);
});

test('what it did is kept by a run with workers, and the other way round; graphs are reached as by workers', async () => {
  const graph = (): Record<string, TaskInput> => ({
    write: { type: 'toy-graph', graph: 'g', blocks: 3 },
    read: { type: 'toy-graph', graph: 'g', lut: 'x.lut' },
  });
  const part = await runPipeline(await make({}, graph()), { until: ['fill', 'write'], workers: 1 });
  expect(part.tasks.map(({ done }) => done)).toEqual([6, 0, 3, 0]);
  const rest = await runPipeline(await make({}, graph()), { serial: true });
  expect(rest.tasks.map(({ done, alreadyDone }) => [done, alreadyDone])).toEqual([
    [6, 6],
    [3, 0],
    [3, 3],
    [1, 0],
  ]);
  const again = await runPipeline(await make({}, graph()), { workers: 1 });
  expect(again.complete).toBe(true);
});

test('a stop lets the block at work end', async () => {
  const stop = new AbortController();
  const onEvent = () => stop.abort();
  const result = await runPipeline(await make({ slowBlocks: [0, 1, 2, 3, 4, 5] }), {
    serial: true,
    signal: stop.signal,
    onEvent: (event) => event.type === 'block-done' && onEvent(),
  });
  expect(result.interrupted).toBe(true);
  expect(result.tasks[0].done).toBeLessThan(6);
  const again = await make({ slowBlocks: [0, 1, 2, 3, 4, 5] });
  expect((await runPipeline(again, { serial: true })).complete).toBe(true);
});

test('run --serial tells of what a block throws, with the stack', async () => {
  const toy = new ToyPipeline();
  try {
    toy.write(fillTask(', failBlocks: [2], retries: 0') + copyTask);
    const { status, error } = await toy.inProcess('run', 'FOLDER/p.yaml', '--serial', '--quiet');
    expect(status).toBe(1);
    expect(error).toMatch(/fill block 2: Error: block 2 is not to my taste\n {4}at .*toy-fill\.js:\d+/);
  } finally {
    toy.remove();
  }
});
