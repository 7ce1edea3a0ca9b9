import type { RunEvent } from '../coordinator/events.js';

/** Where progress goes: process.stderr, a file, a pipe. */
export interface ProgressStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
}

/** Shows the progress of one run. */
export interface Progress {
  onEvent(event: RunEvent): void;
  /** A line for the reader, where what is drawn does not cover it. */
  say(line: string): void;
  /** Draws the last state and stops its timers; events that come later are ignored. */
  stop(): void;
}
