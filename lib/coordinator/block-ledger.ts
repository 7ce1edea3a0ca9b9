import { BlockState, type Revived, type Scheduler } from '../scheduler/scheduler.js';
import type { BlockCost } from './block-cost.js';
import { appendToBlockLog } from './block-log.js';
import type { CostBook } from './cost-book.js';
import { DoneCommits } from './done-commits.js';
import type { DoneRecord } from './done-record.js';
import { RecordedState } from './done-record-metadata.js';
import type { RunEvent, TaskCounts } from './events.js';
import type { Journal } from './journal.js';
import { LeaseSize } from './lease-size.js';
import type { Thrown } from './messages.js';
import type { RunFolder } from './run-folder.js';
import type { RunTask } from './run-task.js';
import { type BlockFailure, TaskProgress } from './task-progress.js';

/** Failures that a result lists; the journal has all. */
const LISTED_FAILURES = 1000;

/** A block in a worker's hands. */
export interface HeldBlock {
  readonly task: number;
  readonly block: number;
  /** From 1. */
  readonly attempt: number;
}

/** How long an attempt took, and what else. */
export interface Took {
  readonly seconds: number;
  readonly cost?: BlockCost | undefined;
}

interface Finished extends HeldBlock, Took {
  readonly outcome: 'done' | 'skipped';
  readonly workerId: string;
}

/** Which worker, and on which machine, where that is known. */
export interface WorkerPlace {
  readonly id: string;
  readonly host?: string | undefined;
}

/** How a worker ended. */
export interface WorkerLoss {
  readonly reason: string;
  /** The end of its output; empty when we ended it. */
  readonly lastLines: string;
  /** Whether the block may have been the cause. */
  readonly blamed: boolean;
}

/** How a block failed. */
export interface Circumstances extends Took {
  /** Whether it is the block's own fault. @default true */
  readonly counts?: boolean | undefined;
  /** The most bytes that its worker was seen to hold. */
  readonly peakMemory?: number | undefined;
}

export interface BlockLedgerOptions {
  readonly scheduler: Scheduler;
  readonly tasks: readonly RunTask[];
  readonly records: readonly DoneRecord[];
  /** By task, how many blocks a mask left out when the run began. */
  readonly masked: readonly number[];
  readonly folder: RunFolder;
  readonly journal: Journal;
  readonly costs: CostBook;
  /** How many workers each pool may have. */
  readonly pools: readonly { readonly workers: number }[];
  /** Blocks that one lease holds at most. */
  readonly leaseBlocks: number;
  onEvent(event: RunEvent): void;
  /** Blocks were committed: others may have become ready. */
  onCommitted(): void;
  /** Whether a worker has nothing to do. */
  isUrgent(): boolean;
  /** The record or the journal cannot be written. */
  onFailure(error: unknown): void;
}

/** Hands out blocks and books what becomes of them: in the schedule, the done record, the journal, the logs and the events. */
export class BlockLedger {
  readonly progress: readonly TaskProgress[];
  readonly failures: BlockFailure[] = [];
  /** Blocks handed out whose fate is not booked yet. */
  outstanding = 0;
  private readonly commits: DoneCommits<Finished>;
  private readonly sizes = new LeaseSize();

  constructor(private readonly options: BlockLedgerOptions) {
    const { scheduler, tasks, records } = options;
    this.progress = tasks.map(({ index }) => {
      const { done, skipped } = scheduler.counts(index);
      return new TaskProgress(done + skipped - options.masked[index]);
    });
    this.commits = new DoneCommits(
      records,
      (group) => this.committed(group),
      (error) => options.onFailure(error),
      options.isUrgent,
    );
  }

  counts(task: number): TaskCounts {
    const { tasks, scheduler, masked } = this.options;
    return { name: tasks[task].name, ...scheduler.counts(task), masked: masked[task] };
  }

  /** As many blocks of a pool's tasks as make a lease. One that was tried before comes last: it may end the worker. */
  take(pool: number): HeldBlock[] {
    const { scheduler } = this.options;
    const { workers } = this.options.pools[pool];
    const blocks: HeldBlock[] = [];
    let filled = 0;
    let most = this.options.leaseBlocks;
    while (blocks.length < most && filled < 1) {
      const next = scheduler.acquire(pool);
      if (next === undefined) break;
      blocks.push(next);
      this.announce(next);
      if (next.attempt > 1 || scheduler.limit(next.task) < Number.POSITIVE_INFINITY) break;
      filled += this.sizes.share(next.task);
      // leave some for the other workers
      if (blocks.length === 1 && filled < 1) {
        most = Math.min(most, Math.ceil((1 + scheduler.counts(next.task).ready) / workers));
      }
    }
    this.outstanding += blocks.length;
    return blocks;
  }

  /** Its outputs are on disk; it counts once its mark is there, too. */
  finished({ task, block, attempt }: HeldBlock, workerId: string, outcome: 'done' | 'skipped', took: Took): void {
    this.sizes.observe(task, took.seconds);
    this.commits.add({ task, block, attempt, outcome, seconds: took.seconds, cost: took.cost, workerId });
  }

  /** Its code threw, or it ran too long. */
  failed(held: HeldBlock, worker: WorkerPlace, error: Thrown, circumstances: Circumstances): void {
    const { task, block, attempt } = held;
    const { scheduler, journal } = this.options;
    const { seconds, cost, counts = true, peakMemory } = circumstances;
    const { id: workerId, host } = worker;
    this.options.costs.add(task, { block, attempt, worker: workerId, outcome: 'failed', seconds, cost });
    const willRetry = counts
      ? scheduler.fail(task, block, attempt) === 'retry'
      : scheduler.giveBack(task, block, attempt);
    this.progress[task].errors++;
    const facts = this.book(held, workerId);
    const { message, code } = error;
    journal.write('block-failed', { ...facts, host, seconds, message, code, counts, peakMemory, willRetry });
    this.options.onEvent({ type: 'block-failed', ...facts, message, willRetry });
    appendToBlockLog(this.logFile(held), 'failed', { attempt, workerId }, error.stack);
    if (!willRetry) this.gaveUp(held, worker, error);
  }

  /** Its worker ended. */
  lost(held: HeldBlock, worker: WorkerPlace, { reason, lastLines, blamed }: WorkerLoss): void {
    const { task, block, attempt } = held;
    const { scheduler, folder } = this.options;
    const { id: workerId, host } = worker;
    const willRetry = blamed
      ? scheduler.lose(task, block, attempt) === 'retry'
      : scheduler.giveBack(task, block, attempt);
    this.progress[task].lost++;
    this.options.costs.lost(task, block);
    const facts = { ...this.book(held, workerId), reason, counts: blamed, willRetry };
    this.options.journal.write('block-lost', { ...facts, host });
    this.options.onEvent({ type: 'block-lost', ...facts });
    const story = lastLines === '' ? reason : `${reason}; the end of ${folder.workerLog(workerId)}:\n${lastLines}`;
    appendToBlockLog(this.logFile(held), 'lost', { attempt, workerId }, story);
    if (!willRetry) {
      const because = 'its worker ended each time it ran, at last: ';
      const error = { message: because + reason, stack: because + story, code: 'ERR_WORKER_LOST' };
      this.gaveUp(held, worker, error);
    }
  }

  /** It was not finished, and that is no fault: the run stops, or its worker ended before it came to it. */
  givenBack(held: HeldBlock, worker: string): void {
    this.options.scheduler.giveBack(held.task, held.block, held.attempt);
    this.progress[held.task].givenBack++;
    this.options.journal.write('block-given-back', this.book(held, worker));
  }

  /**
   * Failed blocks are tried again, those of the given ones that failed. Their marks go when the record is next written; until
   * then a coordinator that is killed leaves them failed, and every run begins by trying those again.
   */
  revive(task: number, blocks: readonly number[]): Revived {
    const { scheduler, records, tasks, journal, onEvent } = this.options;
    const { name } = tasks[task];
    const failed = blocks.filter((block) => scheduler.state(task, block) === BlockState.failed);
    const revived = scheduler.revive(task, failed);
    const back = failed.filter((block) => scheduler.state(task, block) < BlockState.done).sort((a, b) => a - b);
    records[task].mark(back, RecordedState.pending);
    const facts = (block: number) => ({ task: name, block, attempts: scheduler.attempts(task, block) });
    journal.writeAll(back.map((block) => ({ event: 'block-revived', facts: facts(block) })));
    const gone = new Set(back);
    const kept = this.failures.filter((failure) => failure.task !== name || !gone.has(failure.block));
    this.failures.splice(0, this.failures.length, ...kept);
    onEvent({ type: 'blocks-revived', task: name, ...revived, tasks: tasks.map(({ index }) => this.counts(index)) });
    return revived;
  }

  /** It was not begun. */
  returned(held: HeldBlock): void {
    this.outstanding--;
    this.progress[held.task].returned(held.attempt);
    this.options.scheduler.withdraw(held.task, held.block, held.attempt);
  }

  /** How long a block of a task will take, in seconds, as far as is known. */
  secondsOf(task: number): number {
    return this.sizes.secondsOf(task);
  }

  /** A worker is there: it asked for blocks for the first time. */
  joined(workerId: string): void {
    this.options.costs.joined(workerId);
  }

  /** Resolves when no mark is on its way to the disk. */
  settled(): Promise<void> {
    return this.commits.settled();
  }

  private announce({ task, attempt }: HeldBlock): void {
    const progress = this.progress[task];
    if (!progress.started) {
      this.options.onEvent({ type: 'task-start', task: this.options.tasks[task].name, counts: this.counts(task) });
    }
    progress.leased(attempt);
  }

  private committed(group: readonly Finished[]): void {
    const { scheduler, journal, costs, onEvent } = this.options;
    const entries = group.map((finished) => {
      const { task, block, attempt, outcome, seconds, cost, workerId } = finished;
      scheduler.complete(task, block, attempt, outcome);
      costs.add(task, { block, attempt, worker: workerId, outcome, seconds, cost });
      return { event: `block-${outcome}` as const, facts: { ...this.book(finished, workerId), seconds } };
    });
    journal.writeAll(entries);
    costs.writeIfDue((task) => this.progress[task].seconds);
    for (const { event, facts } of entries) onEvent({ type: event, ...facts });
    this.options.onCommitted();
  }

  private gaveUp(held: HeldBlock, { id: workerId, host }: WorkerPlace, { message, stack, code }: Thrown): void {
    const { task, block, attempt } = held;
    const { name } = this.options.tasks[task];
    const failure = { task: name, block, attempt, message, stack, code, workerId, host, logFile: this.logFile(held) };
    this.options.journal.write('block-given-up', failure);
    if (this.failures.length < LISTED_FAILURES) this.failures.push(failure);
    try {
      this.options.records[task].mark([block], RecordedState.failed);
    } catch (error) {
      this.options.onFailure(error);
    }
  }

  private book({ task, block, attempt }: HeldBlock, worker: string) {
    this.outstanding--;
    this.progress[task].ended();
    return { task: this.options.tasks[task].name, block, attempt, worker };
  }

  private logFile({ task, block }: HeldBlock): string {
    return this.options.folder.blockLog(this.options.tasks[task].name, block);
  }
}
