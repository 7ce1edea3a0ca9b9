import type { RunEvent } from '../coordinator/events.js';
import { formatCount, formatDuration, formatRate, plural } from './format.js';
import type { Progress, ProgressStream } from './progress-view.js';
import { idleText, RunFigures, type TaskFigures, troubles } from './run-figures.js';
import { RunNotices } from './run-notices.js';

const INTERVAL = 5_000;

/** Plain lines for logs and pipes: at the start and end of each task, when something goes wrong, and every 5 s. */
export class LinesProgress implements Progress {
  private readonly figures: RunFigures;
  private readonly notices = new RunNotices();
  private readonly began: number;
  private readonly open = new Set<string>();
  private timer: NodeJS.Timeout | undefined;
  private last = '';

  constructor(
    private readonly stream: ProgressStream,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.figures = new RunFigures(now);
    this.began = now();
    this.timer = setInterval(() => this.tick(), INTERVAL);
    this.timer.unref();
  }

  onEvent(event: RunEvent): void {
    if (this.timer === undefined) return;
    this.figures.apply(event);
    this.write(this.notices.apply(event));
    if (event.type === 'run-start') this.write(this.figures.tasks().map(beginning).join('; '));
    else if (event.type === 'task-start') {
      this.open.add(event.task);
      this.write(`${event.task}: begins`);
    } else if ('block' in event && this.open.has(event.task) && this.figures.isFinished(event.task)) {
      this.open.delete(event.task);
      const task = this.figures.tasks().find(({ name }) => name === event.task)!;
      this.write(`${task.name}: ends, ${outcome(task)}`);
    }
  }

  say(line: string): void {
    this.write(line);
  }

  stop(): void {
    if (this.timer === undefined) return;
    clearInterval(this.timer);
    this.timer = undefined;
    this.write(this.notices.draw());
    for (const task of this.figures.tasks()) {
      if (!this.open.has(task.name)) continue;
      const finished = task.finished === task.total;
      this.write(`${task.name}: ${finished ? `ends, ${outcome(task)}` : `stops at ${state(task)}`}`);
    }
  }

  /** The state of tasks at work, when it has changed. */
  private tick(): void {
    this.write(this.notices.draw());
    const tasks = this.figures.tasks().filter(({ name }) => this.open.has(name));
    const line = [...tasks.map((task) => `${task.name} ${state(task)}`), idleText(this.figures)]
      .filter((text) => text !== undefined)
      .join('; ');
    if (line !== '' && line !== this.last) this.write(line);
    this.last = line;
  }

  private write(text: string | undefined): void {
    if (text === undefined) return;
    this.stream.write(`[${clockTime((this.now() - this.began) / 1000)}] ${text}\n`);
  }
}

function beginning({ name, total, alreadyDone }: TaskFigures): string {
  return `${name} ${plural(total, 'block')}${alreadyDone > 0 ? ` (${formatCount(alreadyDone)} already done)` : ''}`;
}

/** '1,234/4,096 (30 %), 12/s, 3 min 52 s left, 2 failed, 5 retried'. */
function state(task: TaskFigures): string {
  const completed = task.done + task.skipped;
  const percent = task.total === 0 ? 100 : Math.floor((100 * completed) / task.total);
  const parts = [`${formatCount(completed)}/${formatCount(task.total)} (${percent} %)`];
  if (task.rate !== undefined) parts.push(formatRate(task.rate));
  if (task.secondsLeft !== undefined) parts.push(`${formatDuration(task.secondsLeft)} left`);
  return [...parts, ...troubles(task)].join(', ');
}

function outcome(task: TaskFigures): string {
  const parts = [`${formatCount(task.done)} done`];
  if (task.skipped > 0) parts.push(`${formatCount(task.skipped)} skipped`);
  return [...parts, ...troubles(task)].join(', ');
}

/** '00:01:05'. */
function clockTime(seconds: number): string {
  const whole = Math.floor(seconds);
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return parts.map((part) => String(part).padStart(2, '0')).join(':');
}
