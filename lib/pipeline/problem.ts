import { BlockwrightError, type ErrorCode } from '../errors.js';

/** Where in a config: mapping keys and list indices from the root. */
export type KeyPath = readonly (string | number)[];

/** A place in the text of a pipeline file, both from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** One thing that is wrong with a pipeline, and where. */
export interface Problem {
  /** Absent for a pipeline that was made in code. */
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
  /** e.g. 'tasks.fragments.blockSize[1]'; '' = the whole file. */
  readonly key: string;
  /** What is wrong, e.g. "expected a list, found 64". */
  readonly text: string;
  readonly expected?: string;
  readonly found?: string;
  /** What was most likely meant. */
  readonly suggestion?: string;
}

/** 'tasks.fragments.blockSize[1]'. */
export function formatKey(path: KeyPath): string {
  return path.map((part, i) => (typeof part === 'number' ? `[${part}]` : i === 0 ? part : `.${part}`)).join('');
}

/** 'segment.yaml:14:17', or nothing for a pipeline that was made in code. */
export function formatPlace(problem: Pick<Problem, 'file' | 'line' | 'column'>): string {
  if (problem.file === undefined) return '';
  return problem.line === undefined ? problem.file : `${problem.file}:${problem.line}:${problem.column}`;
}

/** 'segment.yaml:14:17: tasks.fragments.fit: expected 'valid' or 'shrink', found 'shrnk' (did you mean 'shrink'?)'. */
export function formatProblem(problem: Problem): string {
  const hint = problem.suggestion === undefined ? '' : ` (did you mean '${problem.suggestion}'?)`;
  return [formatPlace(problem), problem.key, `${problem.text}${hint}`].filter((part) => part !== '').join(': ');
}

/** One error for all problems; `details.problems` has them as data. */
export function problemsError(problems: readonly Problem[], code: ErrorCode = 'ERR_CONFIG'): BlockwrightError {
  const sorted = problems.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0));
  const lines = sorted.map(formatProblem);
  const message =
    lines.length === 1 ? lines[0] : [`${lines.length} problems`, ...lines.map((line) => `  ${line}`)].join('\n');
  return new BlockwrightError(code, message, { problems: sorted });
}

/** A value as a message shows it: "the text 'abc'", '64', 'a list of 3', 'a mapping'. */
export function describeValue(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : `a list of ${value.length}`;
  if (typeof value === 'object') return 'a mapping';
  if (typeof value === 'string') {
    // Never what could move the cursor of a terminal.
    const text = value.replace(/[\p{Cc}\ufffd]+/gu, ' ');
    return value === '' ? 'empty text' : `'${text.length > 60 ? `${text.slice(0, 57)}...` : text}'`;
  }
  return String(value);
}

/** "'a', 'b' or 'c'". */
export function listOf(names: readonly string[], quote = true): string {
  const quoted = quote ? names.map((name) => `'${name}'`) : names;
  return quoted.length < 2 ? quoted.join('') : `${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1)}`;
}
