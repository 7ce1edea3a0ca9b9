import type { RunEvent, RunState, TaskCounts } from '../coordinator/events.js';
import { formatCount } from './format.js';

/** How a task stands, for those who draw it. */
export interface TaskFigures {
  readonly name: string;
  readonly total: number;
  readonly done: number;
  readonly skipped: number;
  readonly failed: number;
  readonly orphaned: number;
  /** Done or skipped before this run began. */
  readonly alreadyDone: number;
  /** Attempts that ended badly and will be made again. */
  readonly retried: number;
  /** Blocks of which nothing more is to come: done, skipped, failed, orphaned. Bars show done and skipped alone. */
  readonly finished: number;
  readonly started: boolean;
  /** The run has ended: nothing more will happen. */
  readonly over: boolean;
  /** Blocks a second of late; undefined before there is one to tell. */
  readonly rate: number | undefined;
  readonly secondsLeft: number | undefined;
}

/** Rates look back so far, ms. */
const WINDOW = 30_000;
const SAMPLE_INTERVAL = 500;

interface Sample {
  readonly time: number;
  readonly finished: number;
}

class Task {
  done = 0;
  skipped = 0;
  failed = 0;
  orphaned = 0;
  retried = 0;
  started = false;
  readonly name: string;
  readonly total: number;
  readonly alreadyDone: number;
  private samples: Sample[] = [];

  constructor(counts: TaskCounts) {
    this.name = counts.name;
    this.total = counts.total - counts.unwanted;
    this.set(counts);
    this.alreadyDone = this.done + this.skipped - counts.masked;
  }

  get finished(): number {
    return this.done + this.skipped + this.failed + this.orphaned;
  }

  set({ done, skipped, failed, orphaned }: TaskCounts): void {
    Object.assign(this, { done, skipped, failed, orphaned });
  }

  start(time: number): void {
    if (!this.started) this.samples = [{ time, finished: this.finished }];
    this.started = true;
  }

  figures(time: number, over: boolean): TaskFigures {
    const { name, total, done, skipped, failed, orphaned, alreadyDone, retried, finished, started } = this;
    const rate = started && !over ? this.rate(time) : undefined;
    const secondsLeft = rate !== undefined && rate > 0 ? (total - finished) / rate : undefined;
    const counts = { total, done, skipped, failed, orphaned, alreadyDone, retried, finished };
    return { name, ...counts, started, over, rate, secondsLeft };
  }

  /** Over the last {@link WINDOW}, or since the task began. */
  private rate(time: number): number | undefined {
    const last = this.samples[this.samples.length - 1];
    if (time - last.time >= SAMPLE_INTERVAL) this.samples.push({ time, finished: this.finished });
    while (this.samples.length > 2 && this.samples[1].time <= time - WINDOW) this.samples.shift();
    const first = this.samples[0];
    const blocks = this.finished - first.finished;
    if (blocks === 0 && time - first.time < WINDOW) return undefined;
    return time === first.time ? undefined : (blocks * 1000) / (time - first.time);
  }
}

/** The figures of a run, from its events. */
export class RunFigures {
  state: RunState = 'running';
  /** Workers that are connected, and how many of them wait for blocks. */
  workers = 0;
  idleWorkers = 0;
  /** Why they wait, where that is known. */
  idleReason: string | undefined;
  /** Workers that were started and do not run yet, and why. */
  waitingWorkers = 0;
  waitingReason = '';
  private readonly tasksByName = new Map<string, Task>();

  /** @param now milliseconds that only grow */
  constructor(private readonly now: () => number = () => performance.now()) {}

  apply(event: RunEvent): void {
    switch (event.type) {
      case 'run-start':
        for (const counts of event.tasks) this.tasksByName.set(counts.name, new Task(counts));
        break;
      case 'task-start':
        this.task(event.task)?.start(this.now());
        break;
      case 'block-done':
      case 'block-skipped':
        this.count(event.task, event.type === 'block-done' ? 'done' : 'skipped');
        break;
      case 'block-failed':
      case 'block-lost':
        this.count(event.task, event.willRetry ? 'retried' : 'failed');
        break;
      case 'worker-start':
        this.workers++;
        break;
      case 'worker-end':
        this.workers = Math.max(0, this.workers - 1);
        this.idleWorkers = Math.min(this.idleWorkers, this.workers);
        break;
      case 'blocks-revived':
        for (const counts of event.tasks) this.task(counts.name)?.set(counts);
        break;
      case 'idle':
        this.idleWorkers = event.workers;
        this.idleReason = reasonOf(event);
        break;
      case 'workers-waiting':
        this.waitingWorkers = event.workers;
        this.waitingReason = event.reason;
        break;
      case 'run-end':
        this.state = event.state;
        this.waitingWorkers = 0;
        this.idleWorkers = 0;
        for (const counts of event.tasks) this.task(counts.name)?.set(counts);
        break;
    }
  }

  /** In the order of the pipeline. */
  tasks(): TaskFigures[] {
    const time = this.now();
    return [...this.tasksByName.values()].map((task) => task.figures(time, this.state !== 'running'));
  }

  /** Whether every block of a task has come to its end. */
  isFinished(name: string): boolean {
    const task = this.task(name);
    return task !== undefined && task.finished === task.total;
  }

  private task(name: string): Task | undefined {
    return this.tasksByName.get(name);
  }

  private count(name: string, figure: 'done' | 'skipped' | 'failed' | 'retried'): void {
    const task = this.task(name);
    if (task === undefined) return;
    task.start(this.now());
    task[figure]++;
    // Each end of a block is a chance for those that wait; if they still do, an idle event follows.
    this.idleWorkers = 0;
  }
}

/** The scheduler's word for it, where the event has it. */
function reasonOf(event: { readonly workers: number; readonly reason?: string }): string | undefined {
  return event.reason;
}

/** A line about workers that wait, or undefined. */
export function idleText(figures: RunFigures): string | undefined {
  const { workers, idleWorkers, idleReason, waitingWorkers, waitingReason } = figures;
  if (waitingWorkers > 0) return `${waitingWorkers} of ${workers} workers wait in the queue: ${waitingReason}`;
  if (idleWorkers === 0) return undefined;
  const who = `${idleWorkers} of ${Math.max(workers, idleWorkers)} workers idle`;
  const resource = /^resource (.+)$/.exec(idleReason ?? '')?.[1];
  if (resource !== undefined) return `${who}: all of resource ${resource} is in use`;
  return `${who}: no other block can start before one that runs ends`;
}

/** Failed, orphaned and retried, where there are some. */
export function troubles({ failed, orphaned, retried }: TaskFigures): string[] {
  return Object.entries({ failed, orphaned, retried })
    .filter(([, count]) => count > 0)
    .map(([what, count]) => `${formatCount(count)} ${what}`);
}
