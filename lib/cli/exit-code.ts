import type { RunResult } from '../coordinator/run.js';
import { codeOf, type ErrorCode } from '../errors.js';

/** What the process tells its caller. */
export const ExitCode = {
  /** Every block is done. */
  complete: 0,
  /** Blocks failed, or were orphaned by those that failed. */
  incomplete: 1,
  /** The command line, the file, the plan or the run folder was refused; the same command will be refused again. */
  refused: 2,
  /** Stopped on request; the same command continues. */
  interrupted: 3,
  /** The run could not go on (disk full, workers that do not start); the same command continues once that is mended. */
  broken: 4,
} as const;

export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

/** Errors of the world around us, not of what was asked. */
const BROKEN: readonly ErrorCode[] = [
  'ERR_IO',
  'ERR_OUT_OF_MEMORY',
  'ERR_NATIVE',
  'ERR_PROTOCOL',
  'ERR_AUTHENTICATION',
  'ERR_WORKER_LOST',
  'ERR_WORKER_START',
];

export function exitCodeOfError(error: unknown): ExitCode {
  const code = codeOf(error);
  if (code === 'ERR_INTERRUPTED' || code === 'ERR_CANCELLED') return ExitCode.interrupted;
  const ours = code?.startsWith('ERR_') && !(BROKEN as readonly string[]).includes(code);
  return ours ? ExitCode.refused : ExitCode.broken;
}

export function exitCodeOfResult({ complete, interrupted }: Pick<RunResult, 'complete' | 'interrupted'>): ExitCode {
  if (complete) return ExitCode.complete;
  return interrupted ? ExitCode.interrupted : ExitCode.incomplete;
}
