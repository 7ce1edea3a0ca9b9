import type { ProgressStream } from './progress-view.js';

/** Where a command writes to, so that tests can look. */
export interface Console {
  /** Results. */
  out(text: string): void;
  /** Hints and errors. */
  error(text: string): void;
  /** Progress. */
  readonly progress: ProgressStream;
}

export const processConsole: Console = {
  out: (text) => void process.stdout.write(`${text}\n`),
  error: (text) => void process.stderr.write(`${text}\n`),
  progress: process.stderr,
};

/** Someone who reads our output may leave (`| head`, a closed terminal); that is no reason to end a run. */
export function ignoreClosedStreams(): void {
  for (const stream of [process.stdout, process.stderr]) {
    if (stream.listenerCount('error') === 0) stream.on('error', () => undefined);
  }
}
