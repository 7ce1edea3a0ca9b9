import type { RunEvent } from '../coordinator/events.js';
import type { Executor } from '../coordinator/executor.js';
import { type RunResult, runCoordinator } from '../coordinator/run.js';
import { loadAddon } from '../native/addon.js';
import { writePyramid } from '../storage/pyramid.js';
import { SerialExecutor } from '../workers/serial-executor.js';
import type { RunContext } from '../workers/task-definition.js';
import { makePool } from './executors.js';
import { GRAPH_SERVICE } from './graph-service.js';
import { GraphStores } from './graph-stores.js';
import { loadTasks } from './load-tasks.js';
import { OpenArrays, sourcesOf } from './open-arrays.js';
import { noteWriter, refuseOthers } from './output-writer.js';
import { prepareOutput } from './outputs.js';
import { resolvePath } from './paths.js';
import type { Pipeline } from './pipeline.js';
import { assertRunnable, type PipelinePlan, planPipeline } from './plan.js';
import type { PlannedTask } from './planned-task.js';
import { outputStore, resourcePath } from './resource-key.js';
import { skippedBlocks } from './skip-blocks.js';
import { removeStrayFiles } from './stray-files.js';
import { writesOf } from './upstream.js';
import { type RoiInput, wantedOf } from './wanted-tasks.js';
import { type WorkerConfig, workerConfig } from './worker-config.js';

export interface RunPipelineOptions {
  /** World units: only blocks of the final tasks that write in it are done, and what they need upstream. @default everything */
  readonly roi?: RoiInput | undefined;
  /** Names of the tasks to come to; others are only done as far as these need them. @default those that no other waits for */
  readonly until?: readonly string[] | undefined;
  /** Seconds that blocks may go on after an orderly stop. @default 30 */
  readonly graceSeconds?: number | undefined;
  /** How many workers a block may lose before it is taken for the cause. @default 3 */
  readonly maxLosses?: number | undefined;
  /** Starts in a row, of one of the workers' places, that do not come to ask for a block. @default 5 */
  readonly maxRestarts?: number | undefined;
  /** Workers in a row, of one place, that ask for blocks and end without a single result. @default 20 */
  readonly maxCrashes?: number | undefined;
  /** Short blocks that one lease may hold at most, 1 to 1024; 1: each block is asked for and reported by itself. @default 1024 */
  readonly leaseBlocks?: number | undefined;
  /** Starts the workers, in place of the pipeline's own executor. */
  readonly executor?: Executor | undefined;
  /** Of the pipeline's own executor. @default as it says, else the machine's cores */
  readonly workers?: number | undefined;
  /** After so many seconds the run stops in order. @default as the pipeline says, else never */
  readonly deadlineSeconds?: number | undefined;
  /**
   * In this process, one block after the other, for debuggers: whatever the executors are, no block is tried again, and none has a
   * time limit. The record is kept as in any run. @default false
   */
  readonly serial?: boolean | undefined;
  /** In a serial run called at once for what a block throws. */
  readonly onThrown?: ((task: string, block: number, error: unknown) => void) | undefined;
  /** Orderly stop: no new blocks, those that run may end. */
  readonly signal?: AbortSignal | undefined;
  /** Stop at once. */
  readonly killSignal?: AbortSignal | undefined;
  /** Called for everything that happens; must not throw. */
  readonly onEvent?: ((event: RunEvent) => void) | undefined;
}

/**
 * Plans a pipeline and runs it, or goes on where its run stopped. Blocks that fail are in the result; what keeps it from
 * running is thrown: ERR_PLAN, ERR_CHUNK_SHARED, ERR_ARRAY_MISSING (the plan was refused), and what
 * {@link runCoordinator} throws.
 */
export async function runPipeline(pipeline: Pipeline, options: RunPipelineOptions = {}): Promise<RunResult> {
  return runPlan(await planPipeline(pipeline), options);
}

/** The same for a plan that was made already. */
export async function runPlan(plan: PipelinePlan, options: RunPipelineOptions = {}): Promise<RunResult> {
  assertRunnable(plan);
  loadAddon(); // without it every block would fail
  const { pipeline } = plan;
  const { limits } = pipeline;
  const {
    serial = false,
    signal,
    killSignal,
    onEvent,
    graceSeconds,
    maxLosses,
    maxRestarts,
    maxCrashes,
    leaseBlocks,
  } = options;
  const wanted = wantedOf(plan, options);
  const own = serial ? serialPool(plan, options) : makePool(pipeline.executor, pipeline.name);
  const executors = Object.entries(serial ? {} : pipeline.executors).map(
    ([name, config]) => [name, makePool(config, pipeline.name)] as const,
  );
  const graphs = new GraphStores(pipeline.graphs);
  const context = runContext(pipeline, graphs);
  try {
    return await runCoordinator({
      runDirectory: pipeline.runDirectory,
      tasks: plan.tasks.map((planned) => ({
        name: planned.task.name,
        plan: planned.plan.blocks,
        upstream: planned.upstream,
        barriers: planned.barriers,
        maxRetries: serial ? 0 : planned.task.retries,
        blockTimeoutSeconds: serial ? undefined : planned.task.blockTimeoutSeconds,
        resources: planned.resources,
        executor: serial ? undefined : planned.task.executor,
        identity: planned.identity,
        skip: skippedBlocks(pipeline, planned),
        wanted: wanted?.get(planned.task.name),
        init: async (fresh) => {
          // another run may have written there since the plan was made
          refuseOthers(pipeline, planned);
          await prepareOutputs(pipeline, planned);
          await noteWriter(pipeline, planned);
          await taskInit(planned, context)(fresh);
        },
      })),
      executor: serial ? own.executor : (options.executor ?? own.executor),
      workers: serial ? 1 : (options.workers ?? own.workers),
      executors: Object.fromEntries(executors),
      maxWorkers: pipeline.maxWorkers,
      deadlineSeconds: options.deadlineSeconds ?? limits.deadline,
      freeSpace: {
        paths: writtenPlaces(plan),
        minimumBytes: limits.minimumFreeSpace,
        patienceSeconds: limits.spacePatience,
      },
      resources: pipeline.resources,
      services: { [GRAPH_SERVICE]: graphs.service() },
      workerConfig: workerConfig(plan),
      cleanUp: () => removeStrayFiles(plan),
      graceSeconds,
      maxLosses,
      maxRestarts,
      maxCrashes,
      leaseBlocks,
      signal,
      killSignal,
      onEvent,
    });
  } finally {
    await graphs.close();
  }
}

/** Files and folders that the tasks write. */
function writtenPlaces({ pipeline, tasks }: PipelinePlan): string[] {
  return [...new Set(tasks.flatMap(({ plan }) => writesOf(plan)).map((one) => resourcePath(pipeline, one)))];
}

function serialPool({ pipeline }: PipelinePlan, { onThrown }: RunPipelineOptions) {
  // the definitions are here already, those of plugins too
  const definitions = [...new Set(pipeline.tasks.map(({ definition }) => definition))];
  const load = (config: unknown) => loadTasks({ ...(config as WorkerConfig), plugins: [] }, definitions);
  return { executor: new SerialExecutor({ load, onThrown }), workers: 1 };
}

export function runContext(pipeline: Pipeline, graphs: GraphStores): RunContext {
  const arrays = new OpenArrays(sourcesOf(pipeline));
  return {
    array: (name, innerPath) => arrays.get(name, innerPath),
    pathInGroup: (name, group) => arrays.pathInGroup(name, group),
    graph: (name) => graphs.get(name),
    lutPath: (name) => resolvePath(pipeline.folder, name),
    filePath: (name) => resolvePath(pipeline.folder, name),
  };
}

/** Makes the arrays of a task where there are none. Throws where another array is in the place of one. */
export async function prepareOutputs(pipeline: Pipeline, { plan }: PlannedTask): Promise<void> {
  for (const output of plan.outputs) await prepareOutput(outputStore(pipeline, output), output);
  for (const { name, pyramid } of plan.images ?? []) {
    await writePyramid(resourcePath(pipeline, { kind: 'array', name }), pyramid);
  }
}

/**
 * What happens before the first block, once the run folder is locked and the outputs are made: the task prepares itself. Rows
 * that a run with another record left in a graph would be added to those of this one: where no block is done they go.
 */
export function taskInit({ task, plan }: PlannedTask, context: RunContext) {
  return async (fresh: boolean): Promise<void> => {
    await task.definition.init?.(task.options, context, fresh);
    for (const { kind, name } of fresh ? plan.writes : []) {
      if (kind === 'graph') await context.graph(name).clear(task.name);
    }
  };
}
