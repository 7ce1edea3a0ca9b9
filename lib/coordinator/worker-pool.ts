import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { BlockwrightError } from '../errors.js';
import { type Executor, isEviction, type WorkerEnd } from './executor.js';
import type { RunFolder } from './run-folder.js';
import { describeEnd, WorkerSession } from './worker-session.js';

const FIRST_PAUSE = 100;
const LONGEST_PAUSE = 10_000;
const LONG_START = 5000;

export interface WorkerPoolOptions {
  /** Its place among the pools of the run. @default 0 */
  readonly pool?: number | undefined;
  readonly executor: Executor;
  readonly folder: RunFolder;
  /** Names the next worker: an id that was never used in the run folder. */
  readonly nextId: () => string;
  /** Whether workers are started one by one as {@link WorkerPool.summon} says, not all at once. @default false */
  readonly onDemand?: boolean | undefined;
  /** Starts in a row, of one place, that never came to ask for a block. */
  readonly maxStarts: number;
  /** Workers in a row, of one place, that asked for blocks and ended, or were ended from outside, without a result. */
  readonly maxCrashes: number;
  readonly now: () => number;
  onStart(session: WorkerSession): void;
  onEnd(session: WorkerSession, end: WorkerEnd): void;
  /** Milliseconds after which a worker on its way keeps others from starting no more. @default 5000 */
  readonly longStart?: number | undefined;
  /** Waits before a start; rejects when the signal is raised. @default a timer */
  readonly pause?: ((milliseconds: number, signal: AbortSignal) => Promise<void>) | undefined;
  /** No place is left that could start a worker. */
  onExhausted(error: BlockwrightError): void;
}

/**
 * Keeps a number of workers of one executor going: one that ends is replaced, after a pause that doubles while starts bear
 * no fruit, and a place whose workers never get to work is given up.
 */
export class WorkerPool {
  /** Started and not ended. */
  readonly sessions = new Set<WorkerSession>();
  private readonly stopped = new AbortController();
  /** Places without a worker that wait to be summoned. */
  private readonly vacant: (() => void)[] = [];
  /** Places that wait to start a worker until fewer are on their way. */
  private readonly queue: (() => void)[] = [];
  /** Workers on their way, those among them that are about to be started. */
  private coming = 0;
  /** Places that will start a worker and have not done so yet. */
  private promised = 0;
  private places = 0;
  /** Places that wait before they start another worker, until when by the pool's clock. */
  readonly pauses = new Set<{ readonly until: number }>();

  constructor(private readonly options: WorkerPoolOptions) {
    // each place may wait for it
    setMaxListeners(0, this.stopped.signal);
    this.stopped.signal.addEventListener('abort', () => {
      this.summon(this.vacant.length);
      for (const start of this.queue.splice(0)) start();
    });
  }

  get executor(): Executor {
    return this.options.executor;
  }

  /** Starts the workers, or waits until they are summoned. Resolves when all have ended for good. */
  async run(workers: number): Promise<void> {
    this.places = workers;
    await Promise.all(Array.from({ length: workers }, () => this.keepPlace()));
  }

  /** How many more workers could be started now. */
  get vacancies(): number {
    return this.vacant.length;
  }

  /** How many workers will be started, soon or when fewer are on their way. */
  get queued(): number {
    return this.promised;
  }

  /** Starts workers at so many vacant places. */
  summon(workers: number): void {
    for (const start of this.vacant.splice(0, workers)) {
      // counted from now on: it is only in a later turn that it starts
      this.promised++;
      start();
    }
  }

  /** Ended workers are no longer replaced. */
  stop(): void {
    this.stopped.abort();
  }

  private async keepPlace(): Promise<void> {
    let starts = 0;
    let crashes = 0;
    let evictions = 0;
    let summoned = this.options.onDemand !== true;
    while (true) {
      if (summoned) this.promised++;
      else await this.vacancy();
      await this.turn();
      this.promised--;
      if (this.stopped.signal.aborted) return;
      const session = this.start();
      // one that hangs does not keep others from starting
      const late = delay(this.options.longStart ?? LONG_START, undefined, {
        ref: false,
        signal: this.stopped.signal,
      }).catch(() => undefined);
      void Promise.race([session.came, session.ended, late]).then(() => this.arrived());
      const end = await session.ended;
      this.sessions.delete(session);
      this.options.onEnd(session, end);
      if (session.results > 0 || session.retired) starts = crashes = evictions = 0;
      else if (isEviction(end, session.reason) || session.draining) evictions++;
      else if (session.asked) crashes++;
      else starts++;
      const { maxStarts, maxCrashes } = this.options;
      if (end.cause === 'refused' || starts >= maxStarts || Math.max(crashes, evictions) >= maxCrashes) {
        this.giveUp(session, end, { starts, evictions });
        return;
      }
      const fruitless = starts + crashes + evictions;
      if (fruitless > 0) await this.pause(Math.min(FIRST_PAUSE * 2 ** (fruitless - 1), LONGEST_PAUSE));
      summoned = this.options.onDemand !== true && !session.retired;
    }
  }

  private async vacancy(): Promise<void> {
    if (this.stopped.signal.aborted) {
      this.promised++;
      return;
    }
    await new Promise<void>((resolve) => {
      this.vacant.push(resolve);
    });
  }

  /** Waits while too many workers are on their way. */
  private async turn(): Promise<void> {
    const { startsAtOnce = Number.POSITIVE_INFINITY } = this.executor;
    if (this.stopped.signal.aborted) return;
    if (this.coming < startsAtOnce) {
      this.coming++;
      return;
    }
    await new Promise<void>((resolve) => {
      this.queue.push(resolve);
    });
  }

  /** One is on its way no more: the next place takes its turn. */
  private arrived(): void {
    const next = this.queue.shift();
    if (next === undefined) this.coming--;
    else next();
  }

  private start(): WorkerSession {
    const { executor, folder, nextId, pool = 0 } = this.options;
    const id = nextId();
    const handle = executor.start({ workerId: id, runDirectory: folder.path, logFile: folder.workerLog(id) });
    const session = new WorkerSession(id, handle, this.options.now(), pool, executor.endSeconds);
    this.sessions.add(session);
    this.options.onStart(session);
    return session;
  }

  private giveUp(
    session: WorkerSession,
    end: WorkerEnd,
    { starts, evictions }: Record<'starts' | 'evictions', number>,
  ) {
    this.places--;
    if (this.places > 0 || this.stopped.signal.aborted) return;
    const { maxStarts, maxCrashes } = this.options;
    let what = `${maxCrashes} in a row ended without the result of a block`;
    if (end.cause === 'refused') what = 'they cannot be started';
    else if (starts >= maxStarts) what = `none came to work in ${starts} starts in a row`;
    else if (evictions >= maxCrashes)
      what = `${evictions} in a row were ended from outside before the result of a block`;
    const lastLines =
      end.lastLines === '' ? '' : ` Its last lines (${this.options.folder.workerLog(session.id)}):\n${end.lastLines}`;
    this.options.onExhausted(
      new BlockwrightError(
        'ERR_WORKER_START',
        `workers of executor ${this.options.executor.name}: ${what}. ` +
          `The last: ${session.reason ?? describeEnd(end)}.${lastLines}`,
        { status: end.status, signal: end.signal, lastLines: end.lastLines },
      ),
    );
  }

  private async pause(milliseconds: number): Promise<void> {
    const { pause = (time, signal) => delay(time, undefined, { signal }) } = this.options;
    const entry = { until: this.options.now() + milliseconds };
    this.pauses.add(entry);
    await pause(milliseconds, this.stopped.signal).catch(() => undefined);
    this.pauses.delete(entry);
  }
}
