import { hostname } from 'node:os';
import type { Coordinator } from './coordinator.js';
import type { RunEvent, TaskCounts } from './events.js';
import type { RunTask } from './run-task.js';
import type { WorkerSession } from './worker-session.js';

/** Workers that a report lists. */
const LISTED_WORKERS = 256;
/** Events that are kept. */
const KEPT_EVENTS = 20;
/** Rates look back so far, ms. */
const WINDOW = 60_000;
const SAMPLE_INTERVAL = 1000;

/** A task of a run at work. */
export interface LiveTask extends TaskCounts {
  /** Attempts beyond the first in this run. */
  readonly retried: number;
  /** Blocks a second that came to an end, over the last minute; absent before there is one to tell. */
  readonly rate?: number | undefined;
  readonly secondsLeft?: number | undefined;
}

export interface LiveWorker {
  readonly id: string;
  readonly executor: string;
  /** Process or job. */
  readonly description: string;
  readonly host?: string | undefined;
  /** `starting`: it has not asked for a block yet. `ending`: it gets no more. */
  readonly state: 'starting' | 'idle' | 'working' | 'ending';
  /** In that state, or at that block; of a block, it may not be known yet. */
  readonly seconds?: number | undefined;
  /** Blocks that it holds. */
  readonly leases: number;
  /** The one at work. */
  readonly task?: string | undefined;
  readonly block?: number | undefined;
  readonly attempt?: number | undefined;
}

export interface LiveEvent {
  readonly secondsAgo: number;
  readonly event: RunEvent;
}

/** A run at work, as its coordinator knows it. */
export interface LiveStatus {
  readonly epoch: number;
  readonly host: string;
  readonly pid: number;
  readonly seconds: number;
  readonly stopping: boolean;
  readonly tasks: readonly LiveTask[];
  readonly workers: readonly LiveWorker[];
  /** More than are listed. */
  readonly workersUnlisted: number;
  /** Places that wait before they start another worker, because the last ones bore no fruit. */
  readonly pauses: readonly { readonly executor: string; readonly seconds: number }[];
  /** Jobs that wait in a queue, where the executor has one. */
  readonly queued?: { readonly workers: number; readonly reason: string } | undefined;
  /** What keeps blocks from beginning, where workers could: `finished`, `budget`, `dependencies` or `resource NAME`. */
  readonly idleReason?: string | undefined;
  readonly resources: readonly { readonly name: string; readonly capacity: number; readonly used: number }[];
  /** What went wrong lately, oldest first. */
  readonly events: readonly LiveEvent[];
}

interface Sample {
  readonly time: number;
  readonly ended: readonly number[];
}

/** Watches a run, to tell of it. */
export class RunReporter {
  private readonly events: { readonly time: number; readonly event: RunEvent }[] = [];
  private samples: Sample[] = [];
  private queued: LiveStatus['queued'];
  private readonly began: number;
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly coordinator: Coordinator,
    private readonly tasks: readonly RunTask[],
    private readonly epoch: number,
    private readonly time: () => number = () => performance.now(),
  ) {
    this.began = time();
    this.timer = setInterval(() => this.sample(), SAMPLE_INTERVAL).unref();
    this.sample();
  }

  apply(event: RunEvent): void {
    switch (event.type) {
      case 'block-failed':
      case 'block-lost':
      case 'executor-notice':
      case 'blocks-revived':
      case 'stop-asked':
        this.keep(event);
        break;
      case 'worker-end':
        if (!event.expected) this.keep(event);
        break;
      case 'workers-waiting':
        this.queued = event.workers > 0 ? { workers: event.workers, reason: event.reason } : undefined;
        break;
    }
  }

  /** Every worker, with all that it holds. */
  *allWorkers(): Generator<
    LiveWorker & { readonly held: readonly { readonly task: string; readonly block: number }[] }
  > {
    for (const session of this.coordinator.pools.sessions.values()) {
      const held = session.leases.all().map(({ task, block }) => ({ task: this.tasks[task].name, block }));
      yield { ...this.worker(session), held };
    }
  }

  status(): LiveStatus {
    const { coordinator } = this;
    const sessions = [...coordinator.pools.sessions.values()];
    const time = this.time();
    return {
      epoch: this.epoch,
      host: hostname(),
      pid: process.pid,
      seconds: (time - this.began) / 1000,
      stopping: coordinator.stopping,
      tasks: this.tasks.map((task) => this.task(task, time)),
      workers: sessions.slice(0, LISTED_WORKERS).map((session) => this.worker(session)),
      workersUnlisted: Math.max(0, sessions.length - LISTED_WORKERS),
      pauses: coordinator.pools.pauses.map(({ executor, until }) => ({
        executor,
        seconds: Math.max(0, until - coordinator.clock.now()) / 1000,
      })),
      queued: this.queued,
      idleReason: coordinator.scheduler.idleReason(),
      resources: coordinator.scheduler.resourceUse(),
      events: this.events.map((one) => ({ secondsAgo: (time - one.time) / 1000, event: one.event })),
    };
  }

  close(): void {
    clearInterval(this.timer);
  }

  private worker(session: WorkerSession): LiveWorker {
    const { id, host, handle, leases, asked, dismissed, draining, retired } = session;
    const { coordinator } = this;
    const now = coordinator.clock.now();
    const common = {
      id,
      executor: coordinator.pools.executorOf(session).name,
      description: handle.description,
      host,
      leases: leases.size,
    };
    const since = (time: number) => Math.max(0, now - time) / 1000;
    // workers say what they have begun with their signs of life; until then it is the oldest of what they hold
    const atWork = session.atWork ?? leases.first;
    if (atWork !== undefined && !dismissed) {
      const { task, block, attempt } = atWork;
      const seconds = session.atWork === undefined ? undefined : since(session.runningSince);
      const facts = { task: this.tasks[task].name, block, attempt };
      return { ...common, state: 'working', seconds, ...facts };
    }
    if (dismissed || draining || retired) return { ...common, state: 'ending', seconds: since(session.lastSeen) };
    return asked
      ? { ...common, state: 'idle', seconds: since(session.idleSince) }
      : { ...common, state: 'starting', seconds: since(session.started) };
  }

  private task({ index }: RunTask, time: number): LiveTask {
    const { ledger } = this.coordinator;
    const counts = ledger.counts(index);
    const { retried } = ledger.progress[index];
    const first = this.samples[0];
    const blocks = endedOf(counts) - first.ended[index];
    const rate = blocks > 0 && time > first.time ? (blocks * 1000) / (time - first.time) : undefined;
    const left = counts.total - endedOf(counts);
    const secondsLeft = rate === undefined || left === 0 ? undefined : left / rate;
    return { ...counts, retried, rate, secondsLeft };
  }

  private keep(event: RunEvent): void {
    this.events.push({ time: this.time(), event });
    if (this.events.length > KEPT_EVENTS) this.events.shift();
  }

  private sample(): void {
    const time = this.time();
    this.samples.push({ time, ended: this.tasks.map(({ index }) => endedOf(this.coordinator.ledger.counts(index))) });
    while (this.samples.length > 2 && this.samples[1].time <= time - WINDOW) this.samples.shift();
  }
}

/** Blocks of which nothing more is to come. */
function endedOf({ done, skipped, failed, orphaned }: TaskCounts): number {
  return done + skipped + failed + orphaned;
}
