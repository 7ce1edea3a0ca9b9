import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { BlockwrightError, codeOf } from '../errors.js';
import { readRecordedStates } from './done-record.js';
import { RecordedState } from './done-record-metadata.js';
import { writeDurably } from './durable-file.js';
import type { RunState } from './events.js';
import { readJournal } from './journal.js';
import { RunFolder } from './run-folder.js';
import { type LockOwner, lockOwner } from './run-lock.js';
import type { BlockFailure } from './task-progress.js';

const COUNTS = z.object({
  total: z.number(),
  done: z.number(),
  skipped: z.number(),
  failed: z.number(),
  orphaned: z.number(),
});

const SUMMARY = z.object({
  format: z.literal(1),
  state: z.enum(['running', 'complete', 'incomplete', 'interrupted', 'failed']),
  epoch: z.number(),
  started: z.string(),
  ended: z.string().optional(),
  error: z.object({ message: z.string(), stack: z.string(), code: z.string().optional() }).optional(),
  tasks: z.array(
    z.object({
      name: z.string(),
      total: z.number(),
      upstream: z.array(z.string()),
      unwanted: z.number().optional(),
      counts: COUNTS.optional(),
    }),
  ),
});

type Summary = z.infer<typeof SUMMARY>;

/** How many blocks of a task have which final state; the others are pending. */
export type FinalCounts = z.infer<typeof COUNTS>;

/** How a task stands. */
export interface TaskStatus extends FinalCounts {
  readonly name: string;
  readonly upstream: readonly string[];
  /** Blocks that the last run was not asked to do. */
  readonly unwanted: number;
}

/** What another process can know of a run. */
export interface RunStatus {
  /** `killed`: no coordinator lives, and none said goodbye. */
  readonly state: RunState | 'killed';
  readonly epoch: number;
  readonly started: string;
  readonly ended: string | undefined;
  /** Why it could not go on. */
  readonly error: string | undefined;
  /** The coordinator's process, while it lives. */
  readonly owner: LockOwner | undefined;
  readonly tasks: readonly TaskStatus[];
}

export function writeRunSummary(folder: RunFolder, summary: { [Key in keyof Omit<Summary, 'format'>]: unknown }): void {
  writeDurably(folder.summary, `${JSON.stringify({ format: 1, ...summary }, undefined, 2)}\n`);
}

/** Whether the run before this one, if there was one, ended with every block done. */
export function cameToItsEnd(folder: RunFolder): boolean {
  try {
    return (readSummary(folder)?.state ?? 'complete') === 'complete';
  } catch {
    return false;
  }
}

/** How a run stands, from its folder, whether it is at work or not. Undefined when there was none. Throws ERR_METADATA. */
export function readRunStatus(runDirectory: string): RunStatus | undefined {
  const folder = new RunFolder(runDirectory);
  const summary = readSummary(folder);
  if (summary === undefined) return undefined;
  const owner = lockOwner(folder.path);
  const { state, epoch, started, ended, error } = summary;
  const tasks = summary.tasks.map(({ name, total, upstream, unwanted = 0 }) => ({
    name,
    upstream,
    unwanted,
    ...countStates(folder.doneRecord(name), total),
  }));
  const killed = state === 'running' && owner === undefined;
  // blocks of a run that ended have final states, unless a task was reset since
  const cameToEnd = state === 'complete' || state === 'incomplete';
  const final = (task: TaskStatus) => task.done + task.skipped + task.failed + task.orphaned + task.unwanted;
  const reset = cameToEnd && tasks.some((task) => final(task) < task.total);
  return {
    state: killed ? 'killed' : reset ? 'interrupted' : state,
    epoch,
    started,
    ended,
    error: error?.message,
    owner,
    tasks,
  };
}

/** The blocks that failed for good and are not done since, as the journal has them, oldest first. */
export async function readFailures(runDirectory: string): Promise<BlockFailure[]> {
  const failures = new Map<string, BlockFailure>();
  for await (const entry of readJournal(new RunFolder(runDirectory).journal)) {
    const key = `${entry.block} ${entry.task}`;
    if (entry.event === 'block-given-up') failures.set(key, entry as unknown as BlockFailure);
    else if (entry.event === 'task-new' || entry.event === 'task-reset') forget(failures, entry.task);
    else if (entry.event === 'block-done' || entry.event === 'block-skipped' || entry.event === 'block-revived')
      failures.delete(key);
  }
  return [...failures.values()];
}

/** Its blocks are counted anew: another plan, or its folder was removed. */
function forget(failures: Map<string, BlockFailure>, task: unknown): void {
  for (const [key, failure] of failures) if (failure.task === task) failures.delete(key);
}

function readSummary(folder: RunFolder): Summary | undefined {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(folder.summary, 'utf8'));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw new BlockwrightError('ERR_METADATA', `run summary ${folder.summary}: cannot be read`, {}, { cause: error });
  }
  const parsed = SUMMARY.safeParse(content);
  if (parsed.success) return parsed.data;
  throw new BlockwrightError('ERR_METADATA', `run summary ${folder.summary}: ${z.prettifyError(parsed.error)}`);
}

function countStates(record: string, total: number): FinalCounts {
  const counts = [0, 0, 0, 0, 0, 0];
  for (const states of readRecordedStates(record)) for (const state of states) counts[state]++;
  const { done, skipped, failed, orphaned, masked } = RecordedState;
  return {
    total,
    done: counts[done],
    skipped: counts[skipped] + counts[masked],
    failed: counts[failed],
    orphaned: counts[orphaned],
  };
}
