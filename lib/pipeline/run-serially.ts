import type { BlockPlan } from '../blocks/plan.js';
import { BlockwrightError } from '../errors.js';
import { BlockMeter } from '../workers/block-meter.js';
import { GraphStores } from './graph-stores.js';
import { loadTasks } from './load-tasks.js';
import { assertRunnable, type PipelinePlan } from './plan.js';
import { prepareOutputs, runContext, taskInit } from './run.js';
import { skippedBlocks } from './skip-blocks.js';
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
export async function runSerially(plan: PipelinePlan, options: SerialOptions = {}): Promise<void> {
  assertRunnable(plan);
  await withBlocks(plan, options, async (runBlock, initialize) => {
    for (const { task } of plan.tasks) await initialize(task.name);
    for (const planned of plan.tasks) {
      const { task, plan: taskPlan } = planned;
      const skip = skippedBlocks(plan.pipeline, planned);
      const skipped = await skip?.(0, new Uint8Array(taskPlan.blocks.count).fill(1));
      for (const block of inOrder(taskPlan.blocks)) {
        options.signal?.throwIfAborted();
        if (skipped?.[block] === 1) continue;
        await runBlock(task.name, block);
      }
    }
  });
}

/**
 * Runs one block in this process, as {@link runSerially} does: for a debugger. Tasks are not initialised, so its inputs and
 * outputs must be there, from an earlier run. Writes what the block writes in a run, the same bytes. What the block throws
 * is thrown.
 */
export async function replayBlock(
  plan: PipelinePlan,
  task: string,
  block: number,
  options: SerialOptions = {},
): Promise<void> {
  assertRunnable(plan);
  await withBlocks(plan, options, (runBlock) => runBlock(task, block));
}

type RunBlock = (task: string, block: number) => Promise<void>;
type Initialize = (task: string) => Promise<void>;

/** Opens what blocks need, and closes it at the end. */
async function withBlocks(
  plan: PipelinePlan,
  { signal, onLog }: SerialOptions,
  use: (runBlock: RunBlock, initialize: Initialize) => Promise<void>,
): Promise<void> {
  const { pipeline } = plan;
  const graphs = new GraphStores(pipeline.graphs);
  try {
    const context = runContext(pipeline, graphs);
    // The definitions are here already, those of plugins too.
    const definitions = [...new Set(pipeline.tasks.map(({ definition }) => definition))];
    const tasks = await loadTasks({ ...workerConfig(plan), plugins: [] }, definitions);
    const tasksByName = new Map(plan.tasks.map((planned) => [planned.task.name, planned]));
    const initialize: Initialize = async (task) => {
      const planned = tasksByName.get(task)!;
      await prepareOutputs(pipeline, planned);
      await taskInit(planned, context)(true);
    };
    const runBlock: RunBlock = async (task, block) => {
      await tasks.get(task)!(block, {
        task,
        block,
        attempt: 1,
        epoch: 1,
        workerId: 'serial',
        meter: new BlockMeter(false),
        signal: signal ?? new AbortController().signal,
        log: (line) => onLog?.(task, block, line),
        call: () => Promise.reject(new BlockwrightError('ERR_UNSUPPORTED', 'there is no coordinator')),
        stream: (_service, graph, header, payload) => graphs.get(graph).serve(header, payload ?? new Uint8Array()),
      });
    };
    await use(runBlock, initialize);
  } finally {
    await graphs.close();
  }
}

/** Level by level, so that a block reads what its neighbours wrote before it. */
function* inOrder(blocks: BlockPlan): Generator<number> {
  for (let level = 0; level < blocks.levels; level++) yield* blocks.blocksOfLevel(level);
}
