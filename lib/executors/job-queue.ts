import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { ExecutorPlace } from '../coordinator/executor.js';
import { messageOf } from '../errors.js';
import { type BatchSystem, kindOf } from './batch-system.js';
import type { JobRecord } from './job-record.js';
import type { JobWatcher } from './job-watcher.js';
import type { PilotJob } from './pilot-job.js';

export interface JobQueueOptions {
  readonly system: BatchSystem;
  readonly command: readonly string[];
  readonly label: string;
  readonly retrySeconds: number;
  readonly watcher: JobWatcher;
}

/** Milliseconds in which workers that are started come together. */
const GATHER = 100;
const LONGEST_PAUSE = 60;
/** Refusals in a row of what was taken before, until it is believed that it never will be again. */
const REFUSALS = 10;

/** Jobs that are to be submitted: those of a moment together, fewer where the cluster takes no more, again where it did not answer. */
export class JobQueue {
  private readonly jobs: PilotJob[] = [];
  private readonly closed = new AbortController();
  private place: ExecutorPlace | undefined;
  private record: JobRecord | undefined;
  private most = 1;
  /** How many the cluster is trusted to take at once. */
  private atOnce = 1;
  private refusals = 0;
  private pauseSeconds: number;
  /** Whether any was taken since the run began. */
  private accepted = false;
  private told = '';
  private work: Promise<void> | undefined;
  /** Nodes that further jobs shall not get. */
  exclude: readonly string[] = [];

  constructor(private readonly options: JobQueueOptions) {
    this.pauseSeconds = options.retrySeconds;
  }

  open(place: ExecutorPlace, record: JobRecord, most: number): void {
    this.place = place;
    this.record = record;
    this.most = this.atOnce = most;
  }

  add(job: PilotJob): void {
    if (this.closed.signal.aborted) {
      job.drop('it was not submitted');
      return;
    }
    this.jobs.push(job);
    this.options.watcher.add(job);
    this.work ??= this.submitAll();
  }

  /** Takes back a job that was not submitted; whether it could. */
  remove(job: PilotJob): boolean {
    const at = this.jobs.indexOf(job);
    if (at < 0) return false;
    this.jobs.splice(at, 1);
    job.drop('it was not submitted');
    return true;
  }

  /** Submits no more; resolves when no submission is on its way. */
  async close(): Promise<void> {
    this.closed.abort();
    await this.work;
    for (const job of [...this.jobs]) this.remove(job);
  }

  private async submitAll(): Promise<void> {
    await delay(GATHER);
    while (this.jobs.length > 0 && !this.closed.signal.aborted) {
      const some = this.jobs.splice(0, this.atOnce);
      try {
        await this.submit(some);
      } catch (error) {
        // what cannot be written down is not submitted
        for (const job of some) job.drop(messageOf(error), 'refused');
      }
    }
    this.work = undefined;
  }

  private async submit(some: readonly PilotJob[]): Promise<void> {
    const { system, command, label, watcher } = this.options;
    const { runDirectory } = this.place!;
    const name = `${label.replace(/[^A-Za-z0-9_.-]/g, '')}-${randomBytes(4).toString('hex')}`;
    const workerIds = some.map(({ workerId }) => workerId);
    this.record!.submitting(name, workerIds);
    try {
      const ids = await system.submit({ name, workerIds, runDirectory, command, exclude: this.exclude });
      this.record!.submitted(name, ids);
      for (const [i, job] of some.entries()) job.submitted(name, ids[i]);
      const jobs = some.length === 1 ? `${system.name} job` : `${some.length} ${system.name} jobs`;
      this.place!.notice(`submitted ${jobs}: ${shortList(ids)}`);
      watcher.submitted(name, some);
      this.accepted = true;
      this.refusals = 0;
      this.pauseSeconds = this.options.retrySeconds;
      this.atOnce = Math.min(this.most, this.atOnce * 2);
    } catch (error) {
      await this.refused(name, some, error);
    }
  }

  private async refused(name: string, some: readonly PilotJob[], error: unknown): Promise<void> {
    const kind = kindOf(error);
    if (kind === 'unavailable') this.options.watcher.unclear(name);
    else this.record!.over(name);
    const final = kind === 'missing' || (kind === 'invalid' && !(this.accepted && ++this.refusals < REFUSALS));
    if (final) {
      for (const job of some) job.drop(messageOf(error), 'refused');
      return;
    }
    const reason = kind === 'limit' ? 'no more jobs are taken for now' : 'submitting fails for now';
    const back = some.filter(({ killed }) => !killed);
    for (const job of some) {
      job.reason = reason;
      if (job.killed) job.drop('it was not submitted');
    }
    this.jobs.unshift(...back);
    if (kind === 'limit') this.atOnce = Math.max(1, Math.floor(some.length / 2));
    this.tell(`${reason}, ${some.length} will be tried again: ${messageOf(error)}`);
    this.options.watcher.tellWaiting();
    // fewer may be taken at once: only one that is refused is worth a long pause
    await this.pause(kind === 'limit' && some.length > 1 ? Math.min(1, this.options.retrySeconds) : this.pauseSeconds);
    if (kind !== 'limit' || some.length === 1) this.pauseSeconds = Math.min(LONGEST_PAUSE, this.pauseSeconds * 2);
  }

  private async pause(seconds: number): Promise<void> {
    await delay(seconds * 1000, undefined, { signal: this.closed.signal }).catch(() => undefined);
  }

  private tell(message: string): void {
    // sbatch says things in several lines
    if (message !== this.told) this.place!.notice(message.replaceAll('\n', '; '));
    this.told = message;
  }
}

/** The first and the last of many. */
function shortList(ids: readonly string[]): string {
  return ids.length <= 3 ? ids.join(', ') : `${ids[0]} to ${ids[ids.length - 1]}`;
}
