import { describe, expect, test } from '@jest/globals';
import { sequence, together } from '../../lib/pipeline/operators.js';
import { type PipelineInput, pipeline, type TaskInput } from '../../lib/pipeline/pipeline.js';
import { planPipeline } from '../../lib/pipeline/plan.js';
import { pluginPath } from '../support/plugins.js';
import { temporaryFolder } from '../support/stores.js';

const fill = (output: string): TaskInput => ({ type: 'toy-fill', output, shape: [20, 30], blockSize: [10, 10] });
const part = (name: string, tasks: Record<string, TaskInput>, more: Partial<PipelineInput> = {}): PipelineInput => ({
  name,
  arrays: { a: { store: 'd.zarr/a' }, [name]: { store: `d.zarr/${name}` } },
  plugins: [pluginPath('toy-fill'), pluginPath('toy-copy')],
  tasks,
  ...more,
});
const one = part('one', { fill: fill('a'), other: fill('one') });
const two = part('two', { copy: { type: 'toy-copy', input: 'a', output: 'two', blockSize: [20, 10] } });

async function orders(input: PipelineInput) {
  const folder = temporaryFolder();
  try {
    const plan = await planPipeline(await pipeline(input, { folder: folder.path, definitions: [] }));
    expect(plan.refusals).toEqual([]);
    return Object.fromEntries(plan.tasks.map(({ task, upstream, barriers }) => [task.name, { upstream, barriers }]));
  } finally {
    folder.remove();
  }
}

describe('two pipelines as one', () => {
  test('one after the other: every task of the second waits for all of the first', async () => {
    const both = sequence(one, two, { runDirectory: 'r' });
    expect(both).toMatchObject({ name: 'one-two', runDirectory: 'r' });
    expect((await orders(both)).copy).toEqual({ upstream: [], barriers: ['fill', 'other'] });
    expect(two.tasks.copy.after).toBeUndefined();
  });

  test('together: only what they share orders them', async () => {
    expect((await orders(together(one, two, { name: 'both' }))).copy).toEqual({ upstream: ['fill'], barriers: [] });
  });

  test('must not use one name for two things', () => {
    expect(() => together(one, one)).toThrow(
      "tasks: expected names that are used once, found 'fill' in both pipelines",
    );
    const other = part('two', two.tasks, { arrays: { a: { store: 'e.zarr' } } });
    expect(() => sequence(one, other)).toThrow(
      'arrays.a: expected the same in both pipelines, found {"store":"d.zarr/a"} and {"store":"e.zarr"}',
    );
  });
});
