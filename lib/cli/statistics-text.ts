import type { FolderStatistics, Statistics } from '../coordinator/run-statistics.js';
import type { TaskStatistics } from '../coordinator/task-tally.js';
import { alignColumns, firstLine, formatBytes, formatCount, formatDuration, formatRate, formatTime } from './format.js';

const NAME_WIDTH = 14;
const nameOf = ({ name }: TaskStatistics) => firstLine(name, NAME_WIDTH);

/** What the runs of a folder took, for a terminal of 80 columns. */
export function statisticsText({ runs, total }: FolderStatistics): string {
  const last = runs[runs.length - 1];
  const lines = statisticsLines(total.runs > 1 ? `all ${formatCount(total.runs)} runs` : 'the run', total);
  if (total.runs > 1) lines.push('', ...statisticsLines(`the last run, ${last.state}`, last));
  return lines.join('\n');
}

function statisticsLines(whose: string, statistics: Statistics): string[] {
  const tasks = statistics.tasks.filter(({ attempts }) => attempts > 0);
  const { seconds, workerSeconds, utilisation } = statistics;
  const lines = [
    `${whose}: ${formatDuration(seconds)}; workers were there for ${formatDuration(workerSeconds)}, ` +
      `at blocks ${percent(utilisation)} of it`,
    '',
    ...alignColumns([
      ['a block', 'blocks', 'failed', 'lost', 'median', '90 %', '99 %', 'longest', 'rate'],
      ...tasks.map((task) => [
        nameOf(task),
        ...[task.done + task.skipped, task.failed, task.lost].map(formatCount),
        ...[task.p50, task.p90, task.p99, task.maxSeconds].map(formatTime),
        formatRate(task.blocksPerSecond),
      ]),
    ]),
    '',
    ...alignColumns([
      ['in all', 'busy', 'read', 'compute', 'write', 'CPU', 'bytes in', 'out', 'peak'],
      ...tasks.map((task) => [
        nameOf(task),
        formatDuration(task.busySeconds),
        ...[task.readSeconds, task.computeSeconds, task.writeSeconds].map((part) =>
          task.busySeconds > 0 ? percent(part / task.busySeconds) : '-',
        ),
        task.cpuAttempts > 0 ? formatDuration(task.cpuSeconds) : '-',
        formatBytes(task.bytesRead),
        formatBytes(task.bytesWritten),
        task.peakMemory > 0 ? formatBytes(task.peakMemory) : '-',
      ]),
    ]),
  ];
  const slowest = tasks.flatMap((task) =>
    task.slowest.map(({ block, roi, seconds: took, worker }) => [
      nameOf(task),
      formatCount(block),
      formatTime(took),
      worker,
      `[${roi.offset}] + [${roi.shape}]`,
    ]),
  );
  if (slowest.length > 0) {
    lines.push('', ...alignColumns([['slowest', 'block', 'time', 'worker', 'writeRoi'], ...slowest], [0, 4]));
  }
  return lines;
}

/** One line about a task, for the end of a run; undefined when it had nothing to do. */
export function statisticsLine(task: TaskStatistics): string | undefined {
  const { attempts, p50, maxSeconds, busySeconds, readSeconds, computeSeconds, writeSeconds, peakMemory } = task;
  if (attempts === 0) return undefined;
  const part = (seconds: number) => percent(busySeconds > 0 ? seconds / busySeconds : 0);
  const parts = [
    `${formatTime(p50)} a block, at most ${formatTime(maxSeconds)}`,
    `read ${part(readSeconds)}, compute ${part(computeSeconds)}, write ${part(writeSeconds)}`,
  ];
  if (peakMemory > 0) parts.push(`peak ${formatBytes(peakMemory)}`);
  return `${firstLine(task.name, NAME_WIDTH)}: ${parts.join('; ')}`;
}

/** How busy the workers were, for the end of a run. */
export function utilisationText({ utilisation, workerSeconds }: Statistics): string | undefined {
  return workerSeconds > 0
    ? `workers at blocks ${percent(utilisation)} of ${formatDuration(workerSeconds)}`
    : undefined;
}

function percent(part: number): string {
  return `${Math.round(100 * part)} %`;
}
