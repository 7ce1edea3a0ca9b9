import { RunFolder } from '../coordinator/run-folder.js';
import { threadCounts } from '../workers/thread-counts.js';
import type { BatchSubmission } from './batch-system.js';

/** What every batch system lets people say about the jobs of workers. */
export interface BatchJobOptions {
  /** Processors of a worker, and threads that libraries in it may use. @default 1 */
  readonly cpus?: number | undefined;
  /** Options of the submitting command, word for word, e.g. `--exclusive`. They come last, so they win. */
  readonly flags?: readonly string[] | undefined;
  /** Lines of shell before the worker begins, e.g. `module load cuda`. */
  readonly prologue?: readonly string[] | undefined;
  /** Set for the worker. */
  readonly environment?: Readonly<Record<string, string>> | undefined;
  /** Seconds before the end of its time at which a worker is warned. */
  readonly warnSeconds?: number | undefined;
}

/**
 * The lines of a script, in bash, that become a worker: the job's place among those of its submission chooses the worker's id.
 * The worker takes the place of the shell, so that signals for the script reach it.
 *
 * @param place shell expression of the job's place, from 0, e.g. `$SLURM_ARRAY_TASK_ID`
 * @param drainSeconds how long a block may go on after the warning
 */
export function workerLines(
  { workerIds, runDirectory, command }: BatchSubmission,
  place: string,
  { cpus = 1, prologue = [], environment = {}, drainSeconds }: BatchJobOptions & { readonly drainSeconds: number },
): string[] {
  // of an id that no path has
  const [before, after] = new RunFolder(runDirectory).workerLog('\0').split('\0');
  const variables = { ...threadCounts(cpus), ...environment };
  const words = [...command, '--run-directory', runDirectory, '--drain-seconds', String(drainSeconds)];
  return [
    `workers=(${workerIds.join(' ')})`,
    `worker=\${workers[${place}]}`,
    `exec >>${quote(before)}"$worker"${quote(after)} 2>&1`,
    ...Object.entries(variables).map(([name, value]) => `export ${name}=${quote(value)}`),
    ...prologue,
    `exec ${words.map(quote).join(' ')} --worker-id "$worker"`,
  ];
}

/** Where what a job says beside its worker goes, e.g. that its time is over. */
export function jobLog({ runDirectory, name }: BatchSubmission): string {
  return `${new RunFolder(runDirectory).path}/logs/${name}.log`;
}

/** One word of the shell, whatever it holds. */
export function quote(text: string): string {
  return /^[A-Za-z0-9_./:=,@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
