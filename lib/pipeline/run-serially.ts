import type { BlockPlan } from '../blocks/plan.js';
import { BlockwrightError } from '../errors.js';
import { GraphStores } from './graph-stores.js';
import { loadTasks } from './load-tasks.js';
import { assertRunnable, type PipelinePlan } from './plan.js';
import { runContext, taskInit } from './run.js';
import { workerConfig } from './worker-config.js';

export interface SerialOptions {
  readonly signal?: AbortSignal;
  /** A line of a block's log. */
  readonly onLog?: (task: string, block: number, line: string) => void;
}

/**
 * Runs all blocks of a plan in this process, one after the other, for tests, notebooks and debuggers: no workers, no done
 * record, no retries; the first error is thrown. The outputs are those of a run with workers.
 */
export async function runSerially(plan: PipelinePlan, { signal, onLog }: SerialOptions = {}): Promise<void> {
  assertRunnable(plan);
  const { pipeline } = plan;
  const graphs = new GraphStores(pipeline.graphs);
  try {
    const context = runContext(pipeline, graphs);
    // The definitions are here already, those of plugins too.
    const definitions = [...new Set(pipeline.tasks.map(({ definition }) => definition))];
    const tasks = await loadTasks({ ...workerConfig(plan), plugins: [] }, definitions);
    const inits = plan.tasks.map((planned) => taskInit(pipeline, planned, context));
    for (const init of inits) await init(true);
    for (const { task, plan: taskPlan } of plan.tasks) {
      for (const block of inOrder(taskPlan.blocks)) {
        signal?.throwIfAborted();
        await tasks.get(task.name)!(block, {
          task: task.name,
          block,
          attempt: 1,
          epoch: 1,
          workerId: 'serial',
          signal: signal ?? new AbortController().signal,
          log: (line) => onLog?.(task.name, block, line),
          call: () => Promise.reject(new BlockwrightError('ERR_UNSUPPORTED', 'there is no coordinator')),
          stream: (_service, graph, header, payload) => graphs.get(graph).serve(header, payload ?? new Uint8Array()),
        });
      }
    }
  } finally {
    await graphs.close();
  }
}

/** Level by level, so that a block reads what its neighbours wrote before it. */
function* inOrder(blocks: BlockPlan): Generator<number> {
  for (let level = 0; level < blocks.levels; level++) yield* blocks.blocksOfLevel(level);
}
