import { hashOf } from './canonical-json.js';
import { CostRecord } from './cost-record.js';
import { gridWorld, recordIdentity } from './done-record-metadata.js';
import { writeDurably } from './durable-file.js';
import type { RunEvent, RunState } from './events.js';
import type { Journal } from './journal.js';
import { describeThrown } from './messages.js';
import type { RunFolder } from './run-folder.js';
import {
  type RunTally,
  readStatisticsFile,
  type Statistics,
  type StatisticsFile,
  statisticsOf,
  withRun,
} from './run-statistics.js';
import type { RunTask } from './run-task.js';
import type { Attempt } from './task-tally.js';
import { TaskTally } from './task-tally.js';

/** Milliseconds between writes to the disk while a run goes on: what a crash may cost. */
const WRITE_INTERVAL = 5000;

export interface CostBookOptions {
  readonly folder: RunFolder;
  readonly epoch: number;
  readonly journal: Journal;
  readonly tasks: readonly RunTask[];
}

/**
 * What the attempts of a run took: per block in the cost arrays, per task in the statistics. It is information, no promise: where
 * it cannot be written, the journal says so once, and the run goes on without.
 */
export class CostBook {
  private readonly records: readonly CostRecord[];
  private readonly tallies: readonly TaskTally[];
  private readonly before: StatisticsFile | undefined;
  private readonly started = new Date().toISOString();
  private readonly began = performance.now();
  /** When the workers that are there first asked for blocks, by id. */
  private readonly workers = new Map<string, number>();
  private workerSeconds = 0;
  private written = performance.now();
  private broken = false;

  constructor(private readonly options: CostBookOptions) {
    const { folder, tasks } = options;
    const hashes = tasks.map(({ name, identity, plan }) => hashOf(recordIdentity(name, identity, plan).identity));
    this.tallies = tasks.map(({ name }, index) => new TaskTally(name, hashes[index]));
    this.before = this.attempt(() => readStatisticsFile(folder), false);
    this.records =
      this.attempt(() =>
        tasks.map(({ name, plan }, index) => {
          const owner = { task: name, planHash: hashes[index], world: gridWorld(plan) };
          return new CostRecord(folder.costs(name), plan.gridShape.values, owner);
        }),
      ) ?? [];
  }

  /** A worker can take blocks from now on: not since it was started, for a job may wait for hours. */
  joined(worker: string): void {
    this.workers.set(worker, performance.now());
  }

  /** Notes when workers go. */
  hear(event: RunEvent): void {
    if (event.type !== 'worker-end') return;
    this.workerSeconds += this.presence(event.worker);
    this.workers.delete(event.worker);
  }

  /** An attempt ended with a result; for a block that is done: after its mark is on disk. */
  add(task: number, attempt: Attempt): void {
    this.tallies[task].add(attempt, this.options.tasks[task].plan);
    this.note(() => this.records[task].add(attempt.block, attempt));
  }

  /** A block was lost with its worker. */
  lost(task: number, block: number): void {
    this.tallies[task].lost();
    this.note(() => this.records[task].add(block));
  }

  /** Writes what is new, if the last time was some seconds ago. */
  writeIfDue(seconds: (task: number) => number): void {
    if (performance.now() - this.written > WRITE_INTERVAL) this.write('running', seconds);
  }

  /**
   * Writes everything.
   *
   * @param seconds how long each task took
   */
  write(state: RunState, seconds: (task: number) => number): void {
    const run = this.tally(state, seconds);
    // one that had nothing to do says nothing
    if (run.tasks.every(({ sums }) => sums.done + sums.skipped + sums.failed + sums.lost === 0)) return;
    this.note(() => {
      for (const record of this.records) record.flush();
      writeDurably(this.options.folder.statistics, `${JSON.stringify(withRun(this.before, run))}\n`);
    });
    this.written = performance.now();
  }

  /** Of this run, as it is now. */
  statistics(seconds: (task: number) => number): Statistics {
    return statisticsOf(this.tally('running', seconds));
  }

  private tally(state: RunState, seconds: (task: number) => number): RunTally {
    const { epoch } = this.options;
    this.tallies.forEach((tally, task) => {
      tally.sums.seconds = seconds(task);
    });
    return {
      epoch,
      started: this.started,
      written: new Date().toISOString(),
      state,
      seconds: (performance.now() - this.began) / 1000,
      workerSeconds: [...this.workers.keys()].reduce((sum, id) => sum + this.presence(id), this.workerSeconds),
      tasks: this.tallies.map((tally) => tally.toJSON()),
    };
  }

  private presence(worker: string): number {
    const start = this.workers.get(worker);
    return start === undefined ? 0 : (performance.now() - start) / 1000;
  }

  private note(action: () => void): void {
    if (!this.broken) this.attempt(action);
  }

  /** @param breaks whether nothing more is written when it fails */
  private attempt<Value>(action: () => Value, breaks = true): Value | undefined {
    try {
      return action();
    } catch (error) {
      this.broken ||= breaks;
      this.options.journal.write('costs-failed', { error: describeThrown(error) });
      return undefined;
    }
  }
}
