import type { WorkerEnd, WorkerEndCause, WorkerHandle } from '../coordinator/executor.js';
import { readTailOf } from '../workers/log-tail.js';
import type { BatchJob } from './batch-system.js';

/** Answers in a row without a job after which it has ended: one that never ran, or whose connection is closed; any. */
const MISSED = 3;
const MISSED_BY_ALL = 20;

/** What a job needs of those who watch over it. */
export interface JobWatch {
  /** It shall end. */
  cancel(job: PilotJob): void;
  /** It may have ended. */
  look(): void;
}

/** One worker of a batch system: waits to be submitted, then in the queue, runs, ends. */
export class PilotJob implements WorkerHandle {
  /** In the batch system; undefined until it was submitted. */
  id: string | undefined;
  /** Of its submission. */
  name: string | undefined;
  state: 'unsubmitted' | 'waiting' | 'running' | 'ended' = 'unsubmitted';
  /** Why it waits. */
  reason: string | undefined;
  /** It shall end. */
  killed = false;
  /** Its worker is said to be gone. */
  gone = false;
  readonly ended: Promise<WorkerEnd>;
  private missed = 0;
  private resolve: (end: WorkerEnd) => void = () => undefined;

  constructor(
    private readonly system: string,
    readonly workerId: string,
    private readonly logFile: string,
    private readonly watch: JobWatch,
  ) {
    this.ended = new Promise((resolve) => {
      this.resolve = resolve;
    });
  }

  get description(): string {
    return this.id === undefined ? `${this.system} job, to be submitted` : `${this.system} job ${this.id}`;
  }

  /** Whether its end is near, so that one should look often. */
  get restless(): boolean {
    return this.id !== undefined && this.state !== 'ended' && (this.killed || this.gone);
  }

  kill(): void {
    if (this.killed || this.state === 'ended') return;
    this.killed = true;
    this.watch.cancel(this);
  }

  look(): void {
    this.gone = true;
    this.watch.look();
  }

  submitted(name: string, id: string): void {
    this.name = name;
    this.id = id;
    this.state = 'waiting';
    this.reason = undefined;
  }

  /** It was never submitted, or can never be. */
  drop(reason: string, cause?: WorkerEndCause): void {
    this.finish({ status: null, signal: null, lastLines: '', cause, reason });
  }

  /** What the system says of it in an answer; undefined: nothing. */
  update(job: BatchJob | undefined): void {
    if (this.state === 'ended') return;
    if (job === undefined) {
      this.missed++;
      const limit = this.state === 'waiting' || this.gone || this.killed ? MISSED : MISSED_BY_ALL;
      if (this.missed >= limit) this.finish(this.endOf({ word: 'not known any more', status: null }));
      return;
    }
    this.missed = 0;
    if (job.state === 'ended') this.finish(this.endOf(job));
    else if (job.state === 'requeued') this.finish(this.endOf({ word: 'requeued', status: null, cause: 'preempted' }));
    else {
      this.state = job.state === 'waiting' ? 'waiting' : 'running';
      this.reason = job.reason;
    }
  }

  private endOf({ word, cause, status = null, signal = null, node }: Omit<BatchJob, 'name' | 'state'>): WorkerEnd {
    const where = node === undefined || node === '' ? '' : ` on ${node}`;
    const how = status !== null && status !== 0 ? `, exit status ${status}` : signal === null ? '' : `, ${signal}`;
    const lastLines = readTailOf(this.logFile);
    return { status, signal, lastLines, cause, reason: `${this.system} job ${this.id}${where}: ${word}${how}` };
  }

  private finish(end: WorkerEnd): void {
    this.state = 'ended';
    this.resolve(end);
  }
}
