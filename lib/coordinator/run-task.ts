import type { BlockPlan } from '../blocks/plan.js';
import { BlockwrightError } from '../errors.js';
import { Scheduler, type SchedulerOptions } from '../scheduler/scheduler.js';

/** A task as the coordinator sees it. */
export interface CoordinatedTask {
  /** Unique in the run; names its folder. */
  readonly name: string;
  readonly plan: BlockPlan;
  /** Tasks whose blocks are waited for where their writeRoi meets the readRoi. */
  readonly upstream: readonly string[];
  /** Tasks of which every block is waited for. */
  readonly barriers?: readonly string[] | undefined;
  /** @default 2 */
  readonly maxRetries?: number | undefined;
  /** A block that runs longer has failed, and its worker is ended. @default no limit */
  readonly blockTimeoutSeconds?: number | undefined;
  /** What a block holds while it runs, e.g. { gpu: 1 }. */
  readonly resources?: Readonly<Record<string, number>> | undefined;
  /** Name of the executor that runs its blocks, of those that the run has. @default the run's own */
  readonly executor?: string | undefined;
  /** JSON of everything that decides the outcome. A run folder with another one is refused. */
  readonly identity: unknown;
  /**
   * Runs before any block of the run, if the task has blocks left; in the order of the tasks. `fresh`: none of its blocks
   * is done, so that whatever stands in its outputs is of no more use.
   */
  readonly init?: ((fresh: boolean) => Promise<void>) | undefined;
}

/** The same with its place among the tasks resolved. */
export interface RunTask extends CoordinatedTask {
  readonly index: number;
  readonly upstreamIndices: readonly number[];
  readonly barrierIndices: readonly number[];
  readonly blockTimeout: number;
  /** Place of its executor's workers among the run's pools; the first is that of the run's own. */
  readonly pool: number;
}

/** The schedule of a run's tasks. @param recorded what earlier runs left of each */
export function scheduleOf(
  tasks: readonly RunTask[],
  options: SchedulerOptions,
  recorded: readonly (Uint8Array | undefined)[],
): Scheduler {
  return new Scheduler(
    tasks.map((task) => ({
      name: task.name,
      plan: task.plan,
      upstream: task.upstreamIndices,
      barriers: task.barrierIndices,
      maxRetries: task.maxRetries,
      resources: task.resources,
      pool: task.pool,
      recorded: recorded[task.index],
    })),
    options,
  );
}

/** Checks names and references: ERR_CONFIG. */
export function resolveTasks(tasks: readonly CoordinatedTask[], executors: readonly string[] = []): RunTask[] {
  const places = new Map<string, number>();
  tasks.forEach(({ name }, index) => {
    if (name === '' || Buffer.byteLength(name) > 80) {
      throw new BlockwrightError('ERR_CONFIG', `task name: expected 1 to 80 bytes, found ${JSON.stringify(name)}`);
    }
    if (places.has(name)) throw new BlockwrightError('ERR_CONFIG', `task ${name}: expected a name that is used once`);
    places.set(name, index);
  });
  const find = (task: string, names: readonly string[] = []) =>
    names.map((name) => {
      const place = places.get(name);
      if (place === undefined) throw new BlockwrightError('ERR_CONFIG', `task ${task}: no upstream task ${name}`);
      return place;
    });
  return tasks.map((task, index) => {
    const { blockTimeoutSeconds = Number.POSITIVE_INFINITY } = task;
    if (!(blockTimeoutSeconds > 0)) {
      throw new BlockwrightError(
        'ERR_CONFIG',
        `task ${task.name}: blockTimeoutSeconds: expected more than 0, found ${blockTimeoutSeconds}`,
      );
    }
    const pool = task.executor === undefined ? 0 : executors.indexOf(task.executor) + 1;
    if (task.executor !== undefined && pool === 0) {
      throw new BlockwrightError('ERR_CONFIG', `task ${task.name}: no executor ${task.executor}`);
    }
    return {
      ...task,
      index,
      pool,
      upstreamIndices: find(task.name, task.upstream),
      barrierIndices: find(task.name, task.barriers),
      blockTimeout: blockTimeoutSeconds * 1000,
    };
  });
}
