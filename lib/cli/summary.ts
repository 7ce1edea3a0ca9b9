import type { RunResult, TaskResult } from '../coordinator/run.js';
import type { BlockFailure } from '../coordinator/task-progress.js';
import { alignColumns, firstLine, formatCount, formatDuration, plural } from './format.js';
import { statisticsLine, utilisationText } from './statistics-text.js';

const MOST_CAUSES = 10;
const MOST_BLOCKS = 5;

/** What a run came to, as plain text of several lines: one row a task, then failures by their cause. */
export function summaryText(result: RunResult): string {
  const lines = [...taskTable(result.tasks), '', ...statisticsLines(result), ...failureLines(result), verdict(result)];
  return `${lines.join('\n')}\n`;
}

function taskTable(tasks: readonly TaskResult[]): string[] {
  const header = ['task', 'blocks', 'done', 'already done', 'skipped', 'failed', 'orphaned', 'retried', 'time'];
  const rows = tasks.map((task) => [
    firstLine(task.name),
    ...[task.total, task.done, task.alreadyDone, task.skipped, task.failed, task.orphaned, task.retried].map(
      formatCount,
    ),
    task.seconds === 0 ? '-' : formatDuration(task.seconds),
  ]);
  return alignColumns([header, ...rows]);
}

function statisticsLines({ statistics }: RunResult): string[] {
  const lines = [...statistics.tasks.map(statisticsLine), utilisationText(statistics)];
  const told = lines.filter((line) => line !== undefined);
  return told.length === 0 ? [] : [...told, ''];
}

/** Failures with the same task and message belong together: one cause often fails thousands of blocks. */
function failureLines({ failures, tasks }: RunResult): string[] {
  const causes = new Map<string, BlockFailure[]>();
  for (const failure of failures) {
    const code = failure.code === undefined || failure.message.includes(failure.code) ? '' : `${failure.code}: `;
    const cause = `${firstLine(failure.task)}: ${code}${firstLine(failure.message)}`;
    causes.set(cause, [...(causes.get(cause) ?? []), failure]);
  }
  const listed = [...causes].slice(0, MOST_CAUSES).flatMap(([cause, blocks]) => [cause, ...blockLines(blocks), '']);
  const more = causes.size - MOST_CAUSES;
  if (more > 0) listed.push(`and failures of ${plural(more, 'other kind')}: see 'blockwright failures'`, '');
  const unlisted = tasks.reduce((sum, { failed }) => sum + failed, 0) - failures.length;
  if (unlisted > 0) listed.push(`and ${plural(unlisted, 'more failed block')}: see 'blockwright failures'`, '');
  return listed;
}

function blockLines(failures: readonly BlockFailure[]): string[] {
  const rows = failures
    .toSorted((a, b) => a.block - b.block)
    .slice(0, MOST_BLOCKS)
    .map(({ block, attempt, logFile }) => ['  block', String(block), `attempt ${attempt}`, firstLine(logFile)]);
  const lines = alignColumns(rows, [0, 2, 3]);
  const more = failures.length - MOST_BLOCKS;
  return more > 0 ? [...lines, `  and ${plural(more, 'more block')}`] : lines;
}

const STOPPED = { signal: '', deadline: ' by its deadline', space: ' for want of disk space' } as const;

function verdict({
  complete,
  interrupted,
  stopReason = 'signal',
  seconds,
  tasks,
  refusedConnections,
}: RunResult): string {
  const sum = (key: 'failed' | 'orphaned' | 'skipped') => tasks.reduce((total, task) => total + task[key], 0);
  const strangers =
    refusedConnections > 0
      ? `; ${plural(refusedConnections, 'connection')} refused that did not know the run's key`
      : '';
  const time = formatDuration(seconds);
  const left = tasks.reduce((total, { unwanted }) => total + unwanted, 0);
  if (complete && left > 0) {
    return `complete as far as it was asked for, in ${time}; ${plural(left, 'other block')} not done${strangers}`;
  }
  const skipped = sum('skipped');
  if (complete) {
    const but = skipped > 0 ? ` or skipped (${formatCount(skipped)})` : '';
    return `complete: every block is done${but}, in ${time}${strangers}`;
  }
  if (interrupted)
    return `interrupted${STOPPED[stopReason]} after ${time}; the same command goes on from here${strangers}`;
  return `incomplete after ${time}: ${plural(sum('failed'), 'block')} failed, ${formatCount(sum('orphaned'))} orphaned (they need one that failed)${strangers}`;
}
