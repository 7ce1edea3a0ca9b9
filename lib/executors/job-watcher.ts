import { setTimeout as delay } from 'node:timers/promises';
import type { ExecutorPlace } from '../coordinator/executor.js';
import { messageOf } from '../errors.js';
import type { BatchJob, BatchSystem } from './batch-system.js';
import type { JobRecord } from './job-record.js';
import type { PilotJob } from './pilot-job.js';

/** Milliseconds between questions while jobs are about to end. */
const SOON = 1000;
/** Questions in a row without a usable answer after which people are told. */
const SILENCES = 3;
/** Milliseconds for the last jobs to end when the run is over. */
const FAREWELL = 90_000;

/**
 * Asks now and then how the jobs stand, all at once, and ends those that shall not be: killed ones, and those that carry a
 * name which no worker goes by, from a coordinator that was killed or a submission that got no answer. An answer that fails
 * says nothing about jobs.
 */
export class JobWatcher {
  /** Jobs in the system by their submission. */
  private readonly submissions = new Map<string, Set<PilotJob>>();
  /** Names whose jobs shall end, whatever jobs there are. */
  private readonly unwanted = new Set<string>();
  /** Not ended, submitted or not. */
  private readonly alive = new Set<PilotJob>();
  private place: ExecutorPlace | undefined;
  private record: JobRecord | undefined;
  private timer: NodeJS.Timeout | undefined;
  private due = Number.POSITIVE_INFINITY;
  private asking: Promise<void> | undefined;
  private silences = 0;
  private waiting = '';
  private closed = false;
  /** Whether jobs that nobody wants are known to be there. */
  private chasing = false;

  constructor(
    private readonly system: BatchSystem,
    private readonly pollSeconds: number,
  ) {}

  /** Cancels what earlier coordinators of the run left; where that fails it is tried again until {@link close}. */
  async open(place: ExecutorPlace, record: JobRecord): Promise<void> {
    this.place = place;
    this.record = record;
    for (const name of record.left) this.unwanted.add(name);
    if (this.unwanted.size > 0) await this.ask();
  }

  add(job: PilotJob): void {
    this.alive.add(job);
    void job.ended.then(() => {
      this.alive.delete(job);
      this.tellWaiting();
    });
  }

  submitted(name: string, jobs: readonly PilotJob[]): void {
    this.submissions.set(name, new Set(jobs));
    this.schedule(SOON);
    for (const job of jobs) if (job.killed) this.cancel(job);
  }

  /** Something may have been submitted by that name, nobody knows. */
  unclear(name: string): void {
    this.unwanted.add(name);
    this.schedule(SOON);
  }

  cancel({ id }: PilotJob): void {
    // one that is on its way to the system comes here again
    if (id === undefined) return;
    this.schedule(0);
  }

  look(): void {
    this.schedule(SOON / 2);
  }

  /** Resolves when no job is left, or after a while; what is left then is told, and cancelled by who runs next. */
  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.timer);
    for (const jobs of this.submissions.values()) for (const job of jobs) job.kill();
    const end = performance.now() + FAREWELL;
    while (this.submissions.size + this.unwanted.size > 0) {
      await this.ask();
      if (this.submissions.size + this.unwanted.size === 0 || performance.now() > end) break;
      await delay(SOON);
    }
    clearTimeout(this.timer);
    const names = [...this.submissions.keys(), ...this.unwanted];
    if (names.length > 0)
      this.place?.notice(`${this.system.name} jobs of these names may be left: ${names.join(', ')}`);
  }

  /** Says how many workers wait, and why most of them do, when it has changed. */
  tellWaiting(): void {
    const reasons = new Map<string, number>();
    let workers = 0;
    for (const { state, reason } of this.alive) {
      if (state !== 'waiting' && state !== 'unsubmitted') continue;
      workers++;
      if (reason !== undefined) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    }
    const [reason = ''] = [...reasons].sort((a, b) => b[1] - a[1])[0] ?? [];
    const text = `${workers} ${reason}`;
    // a job that was just submitted has no reason to wait yet
    if (text === this.waiting || (workers > 0 && reason === '')) return;
    this.waiting = text;
    this.place?.waiting(workers, reason);
  }

  private schedule(milliseconds: number): void {
    if (this.closed) return;
    const due = performance.now() + milliseconds;
    if (due >= this.due) return;
    this.due = due;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.due = Number.POSITIVE_INFINITY;
      void this.ask();
    }, milliseconds);
  }

  /** One at a time: an answer that overtakes another would tell old news. */
  private ask(): Promise<void> {
    this.asking ??= this.askNow().finally(() => {
      this.asking = undefined;
      this.plan();
    });
    return this.asking;
  }

  private plan(): void {
    if (this.submissions.size + this.unwanted.size === 0) return;
    const restless = this.chasing || [...this.alive].some((job) => job.restless);
    this.schedule(restless ? Math.min(SOON, this.pollSeconds * 1000) : this.pollSeconds * 1000);
  }

  private async askNow(): Promise<void> {
    const names = [...this.submissions.keys(), ...this.unwanted];
    if (names.length === 0) return;
    try {
      const jobs = await this.system.query(names);
      this.silences = 0;
      const ids = this.apply(jobs, names);
      if (ids.length > 0) await this.system.cancel(ids);
    } catch (error) {
      await this.cancelKilled();
      if (++this.silences === SILENCES) {
        this.place?.notice(`${this.system.name} does not answer, jobs are taken to go on: ${messageOf(error)}`);
      }
    }
  }

  /** Where nothing is known, those that shall end are still known by id. */
  private async cancelKilled(): Promise<void> {
    const ids = [...this.alive].flatMap(({ killed, id }) => (killed && id !== undefined ? [id] : []));
    if (ids.length > 0) await this.system.cancel(ids).catch(() => undefined);
  }

  /** Takes in an answer to a question about `names`; returns which jobs shall be cancelled. */
  private apply(jobs: ReadonlyMap<string, BatchJob>, names: readonly string[]): string[] {
    const cancel = new Set<string>();
    const living = new Set<string>();
    for (const [id, { name, state }] of jobs) {
      if (state === 'ended') continue;
      living.add(name);
      // one that was requeued is no worker of anybody
      if (state !== 'ending' && (this.unwanted.has(name) || state === 'requeued')) cancel.add(id);
    }
    this.chasing = [...this.unwanted].some((name) => living.has(name));
    for (const name of names) {
      const submission = this.submissions.get(name);
      for (const job of submission ?? []) {
        const found = jobs.get(job.id!);
        if (job.killed && (found?.state === 'waiting' || found?.state === 'running')) cancel.add(job.id!);
        job.update(found);
        if (job.state === 'ended') submission!.delete(job);
      }
      if (living.has(name) || (submission?.size ?? 0) > 0) continue;
      // one without an answer may still come: only the end of the run ends the search for it
      if (this.unwanted.has(name) && !this.closed && !this.record!.left.includes(name)) continue;
      this.submissions.delete(name);
      this.unwanted.delete(name);
      this.record!.over(name);
    }
    this.tellWaiting();
    return [...cancel];
  }
}
