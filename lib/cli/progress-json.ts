import type { RunEvent } from '../coordinator/events.js';
import type { Progress, ProgressStream } from './progress-view.js';
import { RunFigures } from './run-figures.js';

const INTERVAL = 1_000;

/**
 * One JSON object a line: every event as it comes, except that done and skipped blocks, of which there may be many
 * thousands a second, come as counts: `{"type":"progress","tasks":[...]}` once a second, while they change.
 */
export class JsonProgress implements Progress {
  private readonly figures: RunFigures;
  private timer: NodeJS.Timeout | undefined;
  private changed = false;

  constructor(
    private readonly stream: ProgressStream,
    now?: () => number,
  ) {
    this.figures = new RunFigures(now);
    this.timer = setInterval(() => this.tick(), INTERVAL);
    this.timer.unref();
  }

  onEvent(event: RunEvent): void {
    if (this.timer === undefined) return;
    this.figures.apply(event);
    if (event.type === 'block-done' || event.type === 'block-skipped') {
      this.changed = true;
      return;
    }
    if (event.type === 'idle') return; // in the next progress
    if (event.type === 'run-end') this.tick();
    this.write(event);
  }

  say(line: string): void {
    this.write({ type: 'note', text: line });
  }

  stop(): void {
    if (this.timer === undefined) return;
    this.tick();
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private tick(): void {
    if (!this.changed) return;
    this.changed = false;
    const { workers, idleWorkers } = this.figures;
    this.write({ type: 'progress', workers, idleWorkers, tasks: this.figures.tasks() });
  }

  private write(value: object): void {
    this.stream.write(`${JSON.stringify({ time: new Date().toISOString(), ...value })}\n`);
  }
}
