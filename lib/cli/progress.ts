import { BarsProgress } from './progress-bars.js';
import { JsonProgress } from './progress-json.js';
import { LinesProgress } from './progress-lines.js';
import type { Progress, ProgressStream } from './progress-view.js';

export type { Progress, ProgressStream };

export interface ProgressOptions {
  /** JSON lines instead of text. */
  readonly json?: boolean;
  /** Clock in ms, for tests. */
  readonly now?: () => number;
  /** What kind of terminal a terminal is. @default the environment's TERM */
  readonly terminal?: string | undefined;
}

/**
 * Bars where the stream is a terminal, plain lines where it is not, JSON lines on request.
 *
 * A dumb terminal (TERM=dumb) gets plain lines.
 */
export function createProgress(stream: ProgressStream, options: ProgressOptions = {}): Progress {
  const { terminal = process.env.TERM } = options;
  if (options.json === true) return new JsonProgress(stream, options.now);
  if (stream.isTTY === true && terminal !== 'dumb') return new BarsProgress(stream, options.now);
  return new LinesProgress(stream, options.now);
}
