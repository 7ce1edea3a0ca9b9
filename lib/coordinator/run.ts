import { BlockwrightError, codeOf, isBlockwrightError, messageOf } from '../errors.js';
import type { BlockCounts } from '../scheduler/scheduler.js';
import { BlockState } from '../scheduler/scheduler.js';
import type { Connection } from './connection.js';
import { createControlFolder, removeControlFolder } from './control-folder.js';
import { Coordinator, type CoordinatorOptions } from './coordinator.js';
import { CostBook } from './cost-book.js';
import { DoneRecord } from './done-record.js';
import { RecordedState, recordIdentity } from './done-record-metadata.js';
import { removeTemporaries } from './durable-file.js';
import type { RunEvent, RunState, StopReason } from './events.js';
import type { Executor } from './executor.js';
import type { FreeSpaceOptions } from './free-space.js';
import { Journal } from './journal.js';
import { LEASE_BLOCKS } from './lease-size.js';
import { describeThrown } from './messages.js';
import { recallBlocks, unmaskedNotices } from './recalled-blocks.js';
import { RunControl } from './run-control.js';
import { RunFolder } from './run-folder.js';
import { RunLock } from './run-lock.js';
import type { Statistics } from './run-statistics.js';
import { cameToItsEnd, writeRunSummary } from './run-status.js';
import { type CoordinatedTask, type RunTask, resolveTasks } from './run-task.js';
import type { Service } from './service-desk.js';
import type { BlockFailure } from './task-progress.js';
import type { PoolOptions } from './worker-pools.js';

/** Milliseconds between events while a done record is read. */
const TELL_EVERY = 1000;

export interface RunOptions {
  /** Holds the done records, journal, logs and the run's key; made if missing. One run at a time. */
  readonly runDirectory: string;
  readonly tasks: readonly CoordinatedTask[];
  readonly executor: Executor;
  /** How many at once. */
  readonly workers: number;
  /** Further executors, which tasks name. */
  readonly executors?: Readonly<Record<string, PoolOptions>> | undefined;
  /** The most workers of all executors together. @default no limit */
  readonly maxWorkers?: number | undefined;
  /** How much there is of each named resource. */
  readonly resources?: Readonly<Record<string, number>> | undefined;
  /** What the blocks may call, by name. */
  readonly services?: Readonly<Record<string, Service>> | undefined;
  /** JSON that each worker gets, of which it makes its tasks. */
  readonly workerConfig: unknown;
  /**
   * Removes what killed workers may have left, e.g. temporary files. Called when no worker of this run is left, if one was
   * lost or the run before did not come to its end. Where it fails, the journal says so and nothing else changes.
   */
  readonly cleanUp?: (() => Promise<void>) | undefined;
  /** Called for everything that happens; must not throw. */
  readonly onEvent?: ((event: RunEvent) => void) | undefined;
  /** Orderly stop: no new blocks, those that run may end within the grace time. */
  readonly signal?: AbortSignal | undefined;
  /** Stop at once. */
  readonly killSignal?: AbortSignal | undefined;
  /** After so many seconds the run stops in order. @default never */
  readonly deadlineSeconds?: number | undefined;
  /** Where there is too little disk space, no blocks are begun until there is more. Beside `paths` the run folder is watched. */
  readonly freeSpace?: FreeSpaceOptions | undefined;
  /** @default 30 */
  readonly graceSeconds?: number | undefined;
  /** @default 1 */
  readonly heartbeatSeconds?: number | undefined;
  /** A worker that was not heard of for so long has lost its blocks. @default 15 */
  readonly leaseSeconds?: number | undefined;
  /** Blocks that one lease holds at most; fewer where they are long. @default 1024 */
  readonly leaseBlocks?: number | undefined;
  /** How many workers a block may lose before it is taken for the cause. @default 3 */
  readonly maxLosses?: number | undefined;
  /** Starts in a row, of one of the workers' places, that do not come to ask for a block. @default 5 */
  readonly maxRestarts?: number | undefined;
  /** Workers in a row, of one place, that ask for blocks and end without a single result. @default 20 */
  readonly maxCrashes?: number | undefined;
}

/** What became of one task. */
export interface TaskResult {
  readonly name: string;
  readonly total: number;
  /** In this run and those before. */
  readonly done: number;
  readonly skipped: number;
  readonly failed: number;
  readonly orphaned: number;
  /** Not asked for in this run, and not done before. */
  readonly unwanted: number;
  /** Done or skipped before this run began. */
  readonly alreadyDone: number;
  /** Blocks handed out in this run: done or skipped in it, or one of `errors`, `lost`, `givenBack`. */
  readonly attempts: number;
  /** Attempts beyond the first, of all blocks. */
  readonly retried: number;
  /** Attempts whose code threw, ran too long or ran out of memory. */
  readonly errors: number;
  /** Attempts whose worker ended. */
  readonly lost: number;
  /** Attempts that were given back, nothing having gone wrong. */
  readonly givenBack: number;
  /** From its first block's lease to the end of its last. */
  readonly seconds: number;
}

export interface RunResult {
  readonly tasks: readonly TaskResult[];
  readonly seconds: number;
  /** What the tasks took in this run; what earlier ones took is in the run folder. */
  readonly statistics: Statistics;
  /** Whether every block that was asked for is done or skipped. */
  readonly complete: boolean;
  readonly interrupted: boolean;
  /** Why it was interrupted, if it was. */
  readonly stopReason: StopReason | undefined;
  /** The first 1000; the journal has all. */
  readonly failures: readonly BlockFailure[];
  /** Connections from strangers. */
  readonly refusedConnections: number;
}

/**
 * Runs tasks block by block on workers, or goes on where a run in this folder stopped. What a run with failed blocks has to
 * say is in its result; it throws when it cannot begin or go on: ERR_RUN_LOCKED, ERR_PLAN_CHANGED, ERR_CONFIG, ERR_PLAN,
 * ERR_METADATA and ERR_CHUNK_CORRUPT (a damaged done record), ERR_WORKER_START, or what a task's `init` threw.
 */
export async function runCoordinator(options: RunOptions): Promise<RunResult> {
  checkOptions(options);
  const tasks = resolveTasks(options.tasks, Object.keys(options.executors ?? {}));
  const folder = new RunFolder(options.runDirectory);
  try {
    folder.create();
    const lock = RunLock.acquire(folder.path);
    try {
      removeTemporaries(folder.path);
      const journal = new Journal(folder.journal);
      try {
        return await runLocked(options, tasks, folder, lock.epoch, journal);
      } finally {
        journal.close();
      }
    } finally {
      lock.release();
    }
  } catch (error) {
    throw nameFolder(error, folder);
  }
}

/** What the system says of an open file (ENOSPC, EIO, ...) does not name it; here it is one of the run folder. */
function nameFolder(error: unknown, folder: RunFolder): unknown {
  if ((error as NodeJS.ErrnoException).syscall === undefined) return error;
  return new BlockwrightError(
    'ERR_IO',
    `run folder ${folder.path}: ${messageOf(error)}`,
    { path: folder.path, errno: codeOf(error) },
    { cause: error },
  );
}

async function runLocked(
  options: RunOptions,
  tasks: readonly RunTask[],
  folder: RunFolder,
  epoch: number,
  journal: Journal,
): Promise<RunResult> {
  const began = performance.now();
  const started = new Date().toISOString();
  const records: DoneRecord[] = [];
  let coordinator: Coordinator | undefined;
  let costs: CostBook | undefined;
  let state: RunState = 'failed';
  let control: RunControl | undefined;
  const stop = () => coordinator?.interrupt('signal');
  const kill = () => coordinator?.abandon();
  let strays = !cameToItsEnd(folder);
  const onEvent = (event: RunEvent) => {
    if (event.type === 'worker-end' && !event.expected) strays = true;
    control?.apply(event);
    costs?.hear(event);
    options.onEvent?.(event);
  };
  const stopAsked = (now: boolean) => {
    onEvent({ type: 'stop-asked', now });
    if (now) kill();
    else stop();
  };
  const summarize = (error?: unknown) =>
    writeRunSummary(folder, {
      state,
      epoch,
      started,
      ended: state === 'running' ? undefined : new Date().toISOString(),
      error: error === undefined ? undefined : describeThrown(error),
      tasks: tasks.map(({ index, name, plan, upstream }) => {
        const counts = coordinator?.scheduler.counts(index);
        if (counts === undefined) return { name, total: plan.count, upstream };
        const { unwanted } = counts;
        return { name, total: plan.count, upstream, unwanted, counts: finalCounts(counts) };
      }),
    });
  try {
    for (const task of tasks) records.push(openRecord(folder, task, onEvent));
    costs = new CostBook({ folder, epoch, journal, tasks });
    const onControl = (connection: Connection) => control?.admit(connection);
    const place = { folder, epoch, journal, costs, tasks, records, onEvent, onControl };
    coordinator = await openCoordinator(options, place);
    control = new RunControl(coordinator, tasks, epoch, stopAsked);
    options.signal?.addEventListener('abort', stop);
    options.killSignal?.addEventListener('abort', kill);
    if (options.signal?.aborted || options.killSignal?.aborted) coordinator.interrupt('signal');
    const { scheduler, ledger } = coordinator;
    const secondsOf = (task: number) => ledger.progress[task].seconds;
    state = 'running';
    summarize();
    journal.write('run-start', { epoch, pid: process.pid, tasks: tasks.map(({ index }) => ledger.counts(index)) });
    onEvent({ type: 'run-start', epoch, tasks: tasks.map(({ index }) => ledger.counts(index)) });
    for (const task of tasks) {
      const { done, skipped, unwanted, total } = scheduler.counts(task.index);
      const left = total - done - skipped - unwanted;
      // where a mask leaves everything out, others may read what is not written all the same
      if (left > 0 || (done === 0 && skipped > 0)) await initialize(task, done === 0);
    }
    try {
      await coordinator.run();
    } finally {
      // before the summary says that the run is over: else a kill in between would leave them for good
      if (strays) await cleanUp(options, journal);
    }
    const interrupted = !scheduler.finished;
    const results = tasks.map(({ index, name }): TaskResult => {
      const { alreadyDone, attempts, retried, errors, lost, givenBack, seconds } = ledger.progress[index];
      const counts = scheduler.counts(index);
      const { unwanted } = counts;
      const outcomes = { attempts, retried, errors, lost, givenBack };
      return { name, ...finalCounts(counts), unwanted, alreadyDone, ...outcomes, seconds };
    });
    const complete = results.every(({ done, skipped, unwanted, total }) => done + skipped + unwanted === total);
    for (const { index } of tasks) {
      if (scheduler.counts(index).orphaned > 0) {
        records[index].mark(scheduler.blocksIn(index, BlockState.orphaned), RecordedState.orphaned);
      }
      await records[index].flush();
    }
    state = complete ? 'complete' : interrupted ? 'interrupted' : 'incomplete';
    costs.write(state, secondsOf);
    summarize();
    const { refusedConnections } = coordinator;
    const stopReason = interrupted ? coordinator.stopReason : undefined;
    journal.write('run-end', { state, stopReason, tasks: results, refusedConnections });
    onEvent({ type: 'run-end', state, tasks: tasks.map(({ index }) => ledger.counts(index)) });
    return {
      tasks: results,
      seconds: (performance.now() - began) / 1000,
      statistics: costs.statistics(secondsOf),
      complete,
      interrupted,
      stopReason,
      failures: ledger.failures,
      refusedConnections,
    };
  } catch (error) {
    // a refused run leaves no trace of itself in the summary of the one before
    if (coordinator !== undefined) {
      const { ledger } = coordinator;
      state = 'failed';
      try {
        costs?.write(state, (task) => ledger.progress[task].seconds);
        summarize(error);
        journal.write('run-end', { state, error: describeThrown(error) });
        onEvent({ type: 'run-end', state, tasks: tasks.map(({ index }) => ledger.counts(index)) });
      } catch {
        // where it cannot be written down, the first error is still the one to tell
      }
    }
    throw error;
  } finally {
    options.signal?.removeEventListener('abort', stop);
    options.killSignal?.removeEventListener('abort', kill);
    control?.close();
    coordinator?.close();
    for (const record of records) record.close();
    removeControlFolder(folder);
  }
}

type CoordinatorPlace = Pick<
  CoordinatorOptions,
  'folder' | 'epoch' | 'journal' | 'costs' | 'tasks' | 'records' | 'onEvent' | 'onControl'
>;

/** A coordinator that knows what earlier runs left. */
async function openCoordinator(options: RunOptions, place: CoordinatorPlace): Promise<Coordinator> {
  const { folder, journal, tasks, records, onEvent } = place;
  const recalled = [];
  for (const task of tasks) recalled.push(await recallBlocks(records[task.index], task));
  for (const message of unmaskedNotices(tasks, recalled)) onEvent({ type: 'run-notice', message });
  for (const { index, name } of tasks) if (!records[index].resumed) journal.write('task-new', { task: name });
  const credentials = createControlFolder(folder);
  const masked = recalled.map((one) => one.masked);
  return new Coordinator(
    { ...withDefaults(options), ...place, masked, credentials },
    recalled.map(({ states }) => states),
  );
}

async function initialize(task: RunTask, fresh: boolean): Promise<void> {
  try {
    await task.init?.(fresh);
  } catch (error) {
    if (isBlockwrightError(error)) throw error;
    throw new BlockwrightError('ERR_PLUGIN', `task ${task.name}: init: ${messageOf(error)}`, {}, { cause: error });
  }
}

async function cleanUp(options: RunOptions, journal: Journal): Promise<void> {
  try {
    await options.cleanUp?.();
  } catch (error) {
    journal.write('clean-up-failed', { error: describeThrown(error) });
  }
}

function openRecord(folder: RunFolder, task: RunTask, onEvent: (event: RunEvent) => void): DoneRecord {
  const identity = recordIdentity(task.name, task.identity, task.plan);
  let told = performance.now();
  const tell = (blocks: number) => {
    if (performance.now() - told < TELL_EVERY) return;
    told = performance.now();
    onEvent({ type: 'reading-record', task: task.name, blocks, total: task.plan.count });
  };
  return DoneRecord.open(folder.doneRecord(task.name), task.plan.gridShape.values, identity, tell);
}

function finalCounts({ total, done, skipped, failed, orphaned }: BlockCounts) {
  return { total, done, skipped, failed, orphaned };
}

function checkOptions(options: RunOptions): void {
  const { graceSeconds, heartbeatSeconds, leaseSeconds, maxWorkers, leaseBlocks } = withDefaults(options);
  const refuse = (name: string, expected: string, found: number) => {
    throw new BlockwrightError('ERR_ARGUMENT', `${name}: expected ${expected}, found ${found}`);
  };
  const { workers, executors = {} } = options;
  const limits = Object.entries(executors).map(
    ([name, { workers }]) => [`executors.${name}.workers`, workers] as const,
  );
  for (const [name, count] of [['workers', workers] as const, ...limits]) {
    if (!Number.isSafeInteger(count) || count < 1) refuse(name, 'a whole number of at least 1', count);
  }
  const { deadlineSeconds = 1 } = options;
  if (!(deadlineSeconds > 0)) refuse('deadlineSeconds', 'more than 0', deadlineSeconds);
  if (!(maxWorkers >= 1)) refuse('maxWorkers', 'a number of at least 1', maxWorkers);
  if (!Number.isSafeInteger(leaseBlocks) || leaseBlocks < 1 || leaseBlocks > LEASE_BLOCKS) {
    refuse('leaseBlocks', `a whole number of 1 to ${LEASE_BLOCKS}`, leaseBlocks);
  }
  for (const [name, seconds] of Object.entries({ graceSeconds, heartbeatSeconds, leaseSeconds })) {
    const enough = name === 'graceSeconds' ? seconds >= 0 : seconds > 0;
    // timers hold 2^31 ms
    if (!enough || !(seconds <= 2e6)) refuse(name, 'seconds, at most 2,000,000', seconds);
  }
}

function withDefaults(options: RunOptions) {
  const { executor, workers, executors = {}, workerConfig, resources = {}, services = {} } = options;
  const { graceSeconds = 30, heartbeatSeconds = 1, leaseSeconds = 15 } = options;
  const { deadlineSeconds = Number.POSITIVE_INFINITY, freeSpace = {} } = options;
  const { maxLosses = 3, maxRestarts = 5, maxCrashes = 20, maxWorkers = Number.POSITIVE_INFINITY } = options;
  const { leaseBlocks = LEASE_BLOCKS } = options;
  const timing = { graceSeconds, heartbeatSeconds, leaseSeconds };
  return {
    pools: [{ executor, workers }, ...Object.values(executors)],
    maxWorkers,
    workerConfig,
    resources,
    services,
    ...timing,
    maxLosses,
    maxStarts: maxRestarts,
    maxCrashes,
    deadline: performance.now() + deadlineSeconds * 1000,
    freeSpace: { ...freeSpace, paths: [options.runDirectory, ...(freeSpace.paths ?? [])] },
    leaseBlocks,
  };
}
