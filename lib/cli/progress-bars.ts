import cliProgress from 'cli-progress';
import type { RunEvent } from '../coordinator/events.js';
import { formatCount, formatDuration, formatRate, plural, shorten } from './format.js';
import type { Progress, ProgressStream } from './progress-view.js';
import { idleText, RunFigures, type TaskFigures, troubles } from './run-figures.js';
import { RunNotices } from './run-notices.js';

const FRAMES_A_SECOND = 5;
const LONGEST_BAR = 30;
const LONGEST_NAME = 24;
const CLEAR_TO_END_OF_LINE = '\u001b[K';

/** One bar a task and a line about the workers, drawn again in place; what goes wrong scrolls by above them. */
export class BarsProgress implements Progress {
  private readonly figures: RunFigures;
  private readonly notices = new RunNotices();
  private bars: cliProgress.MultiBar | undefined;
  private tasks: readonly TaskFigures[] = [];
  private stopped = false;
  /** Whatever ends the process, its terminal gets its cursor back. */
  private readonly onExit = () => this.stop();

  constructor(
    private readonly stream: ProgressStream,
    now?: () => number,
  ) {
    this.figures = new RunFigures(now);
  }

  onEvent(event: RunEvent): void {
    this.figures.apply(event);
    this.log(this.notices.apply(event));
    if (event.type === 'run-start' && this.bars === undefined && !this.stopped) this.start();
  }

  say(line: string): void {
    if (this.bars === undefined) {
      this.stream.write(`${line}\n`);
    } else {
      this.log(line);
      this.bars.update();
    }
  }

  stop(): void {
    process.removeListener('exit', this.onExit);
    this.stopped = true;
    this.bars?.update(); // what was logged since the last draw
    this.bars?.stop();
    this.bars = undefined;
  }

  private start(): void {
    this.tasks = this.figures.tasks();
    const bars = new cliProgress.MultiBar({
      stream: this.stream as NodeJS.WritableStream,
      fps: FRAMES_A_SECOND,
      hideCursor: true,
      linewrap: false,
      gracefulExit: false, // signals are the command's
      forceRedraw: true, // lines above move the bars down
    });
    this.bars = bars;
    process.once('exit', this.onExit);
    bars.on('update-pre', () => {
      this.tasks = this.figures.tasks();
      this.log(this.notices.draw());
    });
    // A terminal cannot move the cursor above its first line: with many tasks, the ones at work are drawn.
    const room = Math.max(1, (this.stream.rows ?? 24) - 2);
    const lines = Math.min(this.tasks.length, room);
    for (let line = 0; line < lines; line++) {
      bars.create(1, 0, {}, { format: () => this.barLine(line, lines) });
    }
    bars.create(1, 0, {}, { format: () => this.workersLine() });
  }

  /** Shows a line above the bars with the next draw. */
  private log(text: string | undefined): void {
    if (text !== undefined) this.bars?.log(`${shorten(text, this.width)}${CLEAR_TO_END_OF_LINE}\n`);
  }

  private get width(): number {
    return (this.stream.columns ?? 80) - 1;
  }

  private barLine(line: number, lines: number): string {
    const shown = shownTasks(this.tasks, lines);
    return taskLine(shown, line, this.width);
  }

  private workersLine(): string {
    if (this.figures.state !== 'running') return ''; // the summary follows
    const { workers } = this.figures;
    return shorten(idleText(this.figures) ?? plural(workers, 'worker'), this.width);
  }
}

/** Of more tasks than lines, those at work, then those before and after them, in the order of the pipeline. */
export function shownTasks(tasks: readonly TaskFigures[], lines: number): readonly TaskFigures[] {
  if (tasks.length <= lines) return tasks;
  const isAtWork = ({ started, finished, total }: TaskFigures) => started && finished < total;
  const first = Math.max(0, tasks.findIndex(isAtWork));
  const begin = Math.min(first, tasks.length - lines);
  return tasks.slice(begin, begin + lines);
}

/** One line: name, bar, counts, rate, time left, troubles. Bars are of one length, and give way in a narrow terminal. */
export function taskLine(tasks: readonly TaskFigures[], index: number, width: number): string {
  const task = tasks[index];
  const completed = task.done + task.skipped;
  const nameWidth = Math.min(LONGEST_NAME, longest(tasks.map(({ name }) => name)));
  const countWidth = longest(tasks.map(({ total }) => `${formatCount(total)}/${formatCount(total)}`));
  const room = width - nameWidth - countWidth - longest(tasks.map(words)) - 4;
  const name = shorten(task.name, nameWidth).padEnd(nameWidth);
  const bar = drawBar(task.total === 0 ? 1 : completed / task.total, Math.min(LONGEST_BAR, room));
  const counts = `${formatCount(completed)}/${formatCount(task.total)}`.padStart(countWidth);
  return shorten([name, bar, counts, words(task)].filter((part) => part !== '').join(' '), width).trimEnd();
}

function longest(texts: readonly string[]): number {
  return Math.max(...texts.map((text) => text.length));
}

function words(task: TaskFigures): string {
  return [pace(task), ...troubles(task)].filter((word) => word !== '').join(', ');
}

function pace(task: TaskFigures): string {
  if (task.finished === task.total) return task.failed + task.orphaned === 0 ? 'done' : '';
  if (task.over) return '';
  if (!task.started) return 'waits';
  if (task.rate === undefined) return '';
  const left = task.secondsLeft === undefined ? '' : `, ${formatDuration(task.secondsLeft)} left`;
  return `${formatRate(task.rate)}${left}`;
}

function drawBar(fraction: number, width: number): string {
  if (width < 4) return '';
  const full = Math.floor(fraction * width);
  return '█'.repeat(full) + '░'.repeat(width - full);
}
