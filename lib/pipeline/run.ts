import type { RunEvent } from '../coordinator/events.js';
import type { Executor } from '../coordinator/executor.js';
import { type RunResult, runCoordinator } from '../coordinator/run.js';
import { loadAddon } from '../native/addon.js';
import { writePyramid } from '../storage/pyramid.js';
import type { RunContext } from '../workers/task-definition.js';
import { makePool } from './executors.js';
import { GRAPH_SERVICE } from './graph-service.js';
import { GraphStores } from './graph-stores.js';
import { OpenArrays, sourcesOf } from './open-arrays.js';
import { prepareOutput } from './outputs.js';
import { resolvePath } from './paths.js';
import type { Pipeline } from './pipeline.js';
import { assertRunnable, type PipelinePlan, type PlannedTask, planPipeline } from './plan.js';
import { outputStore, resourcePath } from './resource-key.js';
import { removeStrayFiles } from './stray-files.js';
import { writesOf } from './upstream.js';
import { workerConfig } from './worker-config.js';

export interface RunPipelineOptions {
  /** Starts the workers, in place of the pipeline's own executor. */
  readonly executor?: Executor | undefined;
  /** Of the pipeline's own executor. @default as it says, else the machine's cores */
  readonly workers?: number | undefined;
  /** After so many seconds the run stops in order. @default as the pipeline says, else never */
  readonly deadlineSeconds?: number | undefined;
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
  const { signal, killSignal, onEvent } = options;
  const own = makePool(pipeline.executor, pipeline.name);
  const executors = Object.entries(pipeline.executors).map(
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
        maxRetries: planned.task.retries,
        blockTimeoutSeconds: planned.task.blockTimeoutSeconds,
        resources: planned.resources,
        executor: planned.task.executor,
        identity: planned.identity,
        init: taskInit(pipeline, planned, context),
      })),
      executor: options.executor ?? own.executor,
      workers: options.workers ?? own.workers,
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

export function runContext(pipeline: Pipeline, graphs: GraphStores): RunContext {
  const arrays = new OpenArrays(sourcesOf(pipeline));
  return {
    array: (name, innerPath) => arrays.get(name, innerPath),
    pathInGroup: (name, group) => arrays.pathInGroup(name, group),
    graph: (name) => graphs.get(name),
    lutPath: (name) => resolvePath(pipeline.folder, name),
  };
}

/**
 * What happens before the first block, once the run folder is locked: outputs are made, then the task prepares itself. Rows
 * that a run with another record left in a graph would be added to those of this one: where no block is done they go.
 */
export function taskInit(pipeline: Pipeline, { task, plan }: PlannedTask, context: RunContext) {
  return async (fresh: boolean): Promise<void> => {
    for (const output of plan.outputs) await prepareOutput(outputStore(pipeline, output), output);
    for (const { name, pyramid } of plan.images ?? []) {
      await writePyramid(resourcePath(pipeline, { kind: 'array', name }), pyramid);
    }
    await task.definition.init?.(task.options, context);
    for (const { kind, name } of fresh ? plan.writes : []) {
      if (kind === 'graph') await context.graph(name).clear(task.name);
    }
  };
}
