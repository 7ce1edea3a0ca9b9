import { formatBytes, formatCount, formatDuration, formatRate, shorten } from './format.js';
import type { ProgressStream } from './progress-view.js';

/** How far a walk over files has come. */
export interface ScanState {
  readonly files: number;
  /** Undefined until they are counted. */
  readonly expected: number | undefined;
  readonly bytes: number;
  readonly damaged: number;
}

const CLEAR_LINE = '\r\u001b[K';

/** One line that is drawn again in place where the stream is a terminal; else a plain line every 5 s, or JSON every second. */
export class ScanProgress<State extends object = ScanState> {
  private readonly began = performance.now();
  private readonly inPlace: boolean;
  private readonly timer: NodeJS.Timeout;
  private state: State | undefined;
  private shown = '';
  private stopped = false;

  constructor(
    private readonly stream: ProgressStream,
    private readonly text: (state: State, seconds: number) => string,
    private readonly options: {
      readonly json?: boolean;
      readonly terminal?: string | undefined;
    } = {},
  ) {
    const { json = false, terminal = process.env.TERM } = options;
    this.inPlace = !json && stream.isTTY === true && terminal !== 'dumb';
    this.timer = setInterval(() => this.tick(), this.inPlace ? 200 : json ? 1000 : 5000);
    this.timer.unref();
  }

  update(state: State): void {
    this.state = { ...state };
  }

  /** Lets something else be written to the terminal. */
  around(write: () => void): void {
    if (this.inPlace && this.shown !== '') this.stream.write(CLEAR_LINE);
    this.shown = '';
    write();
  }

  stop(): void {
    if (this.stopped) return;
    this.stopped = true;
    clearInterval(this.timer);
    if (this.inPlace && this.shown !== '') this.stream.write(CLEAR_LINE);
  }

  private tick(): void {
    if (this.state === undefined) return;
    const seconds = (performance.now() - this.began) / 1000;
    if (this.options.json === true) {
      this.stream.write(`${JSON.stringify({ type: 'progress', seconds, ...this.state })}\n`);
      return;
    }
    const text = this.text(this.state, seconds);
    if (!this.inPlace) {
      if (text !== this.shown) this.stream.write(`${text}\n`);
    } else this.stream.write(`${CLEAR_LINE}${shorten(text, (this.stream.columns ?? 80) - 1)}`);
    this.shown = text;
  }
}

/** '1,234 of 4,096 chunk files (30 %), 96/s, 512 MiB/s, 12 s left, 2 damaged'. */
export function scanText({ files, expected, bytes, damaged }: ScanState, seconds: number): string {
  const rate = files / seconds;
  const share = expected === undefined || expected === 0 ? undefined : files / expected;
  const parts = [
    share === undefined
      ? `${formatCount(files)} chunk files`
      : `${formatCount(files)} of ${formatCount(expected!)} chunk files (${Math.floor(100 * share)} %)`,
    `${formatRate(rate)}, ${formatBytes(bytes / seconds)}/s`,
    share === undefined || rate === 0 ? '' : `${formatDuration(Math.max(0, expected! - files) / rate)} left`,
    damaged > 0 ? `${formatCount(damaged)} damaged` : '',
  ];
  return parts.filter((part) => part !== '').join(', ');
}
