import { BlockwrightError, type ErrorCode, isBlockwrightError, messageOf } from '../errors.js';
import { place } from './issues.js';
import type { Pipeline } from './pipeline.js';
import { formatKey, formatProblem, type KeyPath, type Problem } from './problem.js';

/** Why a pipeline may not run as it is, although its file is well formed. */
export interface Refusal extends Problem {
  readonly code: ErrorCode;
  readonly task?: string;
}

/** A refusal that points at a key of the file. */
export function refusal(pipeline: Pipeline, path: KeyPath, text: string, code: ErrorCode = 'ERR_PLAN'): Refusal {
  const task = path[0] === 'tasks' ? { task: String(path[1]) } : {};
  return {
    ...place(pipeline.source, path, path.length === 2 ? 'key' : 'value'),
    key: formatKey(path),
    text,
    code,
    ...task,
  };
}

/** The error to throw for a refusal, e.g. from a task's plan. {@link refusalOf} gets the refusal back. */
export function refusalError(found: Refusal): BlockwrightError {
  return new BlockwrightError(found.code, formatProblem(found), { refusal: found });
}

/** What a task's plan threw, as a refusal that points at the task unless it knows better. */
export function refusalOf(pipeline: Pipeline, task: string, thrown: unknown): Refusal {
  const { details } = thrown as { details?: { refusal?: Refusal } };
  if (details?.refusal !== undefined) return details.refusal;
  if (isBlockwrightError(thrown)) return refusal(pipeline, ['tasks', task], thrown.message, thrown.code);
  const stack = thrown instanceof Error || (thrown as Error)?.stack ? `\n${(thrown as Error).stack}` : '';
  return refusal(pipeline, ['tasks', task], `the plan of the task failed: ${messageOf(thrown)}${stack}`, 'ERR_PLUGIN');
}

/** One error for all refusals: the code they share, else ERR_PLAN. */
export function refusalsError(refusals: readonly Refusal[]): BlockwrightError {
  const lines = refusals.map(formatProblem);
  const code = refusals.every((one) => one.code === refusals[0].code) ? refusals[0].code : 'ERR_PLAN';
  const message =
    lines.length === 1
      ? lines[0]
      : [`${lines.length} reasons not to run`, ...lines.map((line) => `  ${line.replaceAll('\n', '\n  ')}`)].join('\n');
  return new BlockwrightError(code, message, { problems: refusals });
}
