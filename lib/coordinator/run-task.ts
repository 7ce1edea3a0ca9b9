import type { GridRange } from '../blocks/grid-range.js';
import type { BlockPlan } from '../blocks/plan.js';
import { BlockwrightError } from '../errors.js';
import type { ScheduledTask } from '../scheduler/scheduler.js';

/**
 * Which blocks are to be skipped, asked before a run begins. Gets the index of a first block and one byte for each from there on,
 * 1 where it is asked about; gives as many bytes, 1 where such a block is to be skipped.
 */
export type FindSkipped = (first: number, asked: Uint8Array) => Promise<Uint8Array>;

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
  /** A mask: what it leaves out counts as skipped, until another run's mask does not. */
  readonly skip?: FindSkipped | undefined;
  /** The blocks that this run is to do, with all that they need upstream. @default all */
  readonly wanted?: GridRange | undefined;
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

/** A task for the scheduler, with what earlier runs left of it. */
export function scheduledTask(task: RunTask, recorded: ScheduledTask['recorded']): ScheduledTask {
  const { name, plan, upstreamIndices: upstream, barrierIndices: barriers, maxRetries, resources, pool } = task;
  return { name, plan, upstream, barriers, maxRetries, resources, pool, recorded };
}
