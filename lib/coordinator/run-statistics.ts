import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { BlockwrightError, codeOf } from '../errors.js';
import { RunFolder } from './run-folder.js';
import { TASK_TALLY, type TaskStatistics, TaskTally } from './task-tally.js';

/** Runs that are listed; the total has all. */
const LISTED_RUNS = 20;

const SPAN = z.object({
  /** Wall seconds from the begin of a run to its end, added up. */
  seconds: z.number().nonnegative(),
  /** Seconds from a worker's first request for blocks to its end, of all workers, added up. */
  workerSeconds: z.number().nonnegative(),
});

const RUN = SPAN.extend({
  epoch: z.number(),
  started: z.string(),
  /** When this was written: at the end of the run, or while it went on. */
  written: z.string(),
  state: z.enum(['running', 'complete', 'incomplete', 'interrupted', 'failed', 'killed']),
  tasks: z.array(TASK_TALLY),
});

const FILE = z.object({
  format: z.literal(1),
  runs: z.array(RUN),
  total: SPAN.extend({ runs: z.int().positive(), tasks: z.array(TASK_TALLY) }),
});

export type RunTally = z.infer<typeof RUN>;
export type StatisticsFile = z.infer<typeof FILE>;

/** What a run, or all runs of a folder, came to. */
export interface Statistics {
  readonly seconds: number;
  readonly workerSeconds: number;
  /** Seconds that workers were at blocks whose end is known. */
  readonly busySeconds: number;
  /** busySeconds / workerSeconds; 0 where there were no workers. */
  readonly utilisation: number;
  readonly tasks: readonly TaskStatistics[];
}

export interface RunStatistics extends Statistics {
  readonly epoch: number;
  readonly started: string;
  readonly written: string;
  readonly state: RunTally['state'];
}

/** What the runs of a folder took: the newest 20 of them, and all together. */
export interface FolderStatistics {
  readonly runs: readonly RunStatistics[];
  readonly total: Statistics & { readonly runs: number };
}

/** Of a run folder, whether a run is at work in it or not; undefined when there are none. Throws ERR_METADATA. */
export function readStatistics(runDirectory: string): FolderStatistics | undefined {
  const file = readStatisticsFile(new RunFolder(runDirectory));
  if (file === undefined) return undefined;
  const { total } = file;
  const runs = file.runs.map((run): RunStatistics => {
    const { epoch, started, written, state } = run;
    return { epoch, started, written, state, ...statisticsOf(run) };
  });
  return { runs, total: { runs: total.runs, ...statisticsOf(total) } };
}

export function statisticsOf({
  seconds,
  workerSeconds,
  tasks,
}: Pick<RunTally, 'seconds' | 'workerSeconds' | 'tasks'>): Statistics {
  const busySeconds = tasks.reduce((sum, task) => sum + task.sums.busySeconds, 0);
  return {
    seconds,
    workerSeconds,
    busySeconds,
    utilisation: workerSeconds > 0 ? busySeconds / workerSeconds : 0,
    tasks: tasks.map((task) => new TaskTally(task.name, task.planHash, task).statistics()),
  };
}

export function readStatisticsFile(folder: RunFolder): StatisticsFile | undefined {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(folder.statistics, 'utf8'));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw new BlockwrightError('ERR_METADATA', `statistics ${folder.statistics}: cannot be read`, {}, { cause: error });
  }
  const parsed = FILE.safeParse(content);
  if (parsed.success) return parsed.data;
  throw new BlockwrightError('ERR_METADATA', `statistics ${folder.statistics}: ${z.prettifyError(parsed.error)}`);
}

/** The file with a run added. A task that has another plan now is counted anew in the total. */
export function withRun(before: StatisticsFile | undefined, run: RunTally): StatisticsFile {
  const old = before?.total;
  const names = new Set(run.tasks.map(({ name }) => name));
  const tasks = run.tasks.map((task) => {
    const total = new TaskTally(task.name, task.planHash, task);
    const known = old?.tasks.find(({ name, planHash }) => name === task.name && planHash === task.planHash);
    if (known !== undefined) total.merge(new TaskTally(known.name, known.planHash, known));
    return total.toJSON();
  });
  return {
    format: 1,
    runs: [...(before?.runs ?? []).map(asEnded), run].slice(-LISTED_RUNS),
    total: {
      runs: (old?.runs ?? 0) + 1,
      seconds: (old?.seconds ?? 0) + run.seconds,
      workerSeconds: (old?.workerSeconds ?? 0) + run.workerSeconds,
      // those of tasks that are not in the pipeline now
      tasks: [...tasks, ...(old?.tasks ?? []).filter(({ name }) => !names.has(name))],
    },
  };
}

/** A run that did not say how it ended was killed: another has the folder now. */
function asEnded(run: RunTally): RunTally {
  return run.state === 'running' ? { ...run, state: 'killed' } : run;
}
