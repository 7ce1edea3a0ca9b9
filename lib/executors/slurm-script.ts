import type { BatchJobOptions } from './batch-script.js';

/** What people say about the jobs of workers on SLURM. */
export interface SlurmJobOptions extends BatchJobOptions {
  readonly partition?: string | undefined;
  readonly account?: string | undefined;
  readonly qos?: string | undefined;
  /** Features that nodes must have, e.g. 'avx512&infiniband'. */
  readonly constraint?: string | undefined;
  /** Memory of a worker as sbatch has it, e.g. '8G'. */
  readonly memory?: string | undefined;
  /** Longest time of a worker as sbatch has it, e.g. '4:00:00'. */
  readonly time?: string | undefined;
  /** Of a worker: how many, or with their type, e.g. 'a100:1'. */
  readonly gpus?: number | string | undefined;
}

/** SLURM looks at the clock every half a minute, and may warn a minute early. */
const WARN_SECONDS = 120;

/** Seconds of a time as sbatch has it: minutes, minutes:seconds, hours:minutes:seconds, days-hours[:minutes[:seconds]]. */
export function secondsOf(time: string): number {
  const [days, rest] = time.includes('-') ? time.split('-') : [undefined, time];
  const parts = rest.split(':').map(Number);
  if (days !== undefined) {
    const [hours, minutes = 0, seconds = 0] = parts;
    return ((Number(days) * 24 + hours) * 60 + minutes) * 60 + seconds;
  }
  if (parts.length === 3) return (parts[0] * 60 + parts[1]) * 60 + parts[2];
  return parts[0] * 60 + (parts[1] ?? 0);
}

function warnSecondsOf({ warnSeconds, time }: SlurmJobOptions): number {
  return warnSeconds ?? Math.min(WARN_SECONDS, time === undefined ? WARN_SECONDS : Math.floor(secondsOf(time) / 4));
}

/** How long a block may go on once its worker was warned: what is left then is for giving it back. */
export function drainSecondsOf(options: SlurmJobOptions): number {
  const warn = warnSecondsOf(options);
  return Math.max(warn / 2, warn - 15);
}

/** The `#SBATCH` lines of an array of `count` jobs; those that people gave come last, and win. */
export function directives(
  name: string,
  count: number,
  log: string,
  options: SlurmJobOptions,
  exclude: readonly string[] = [],
): string[] {
  const { partition, account, qos, constraint, cpus = 1, memory, time, gpus, flags = [] } = options;
  const given: Readonly<Record<string, string | number | undefined>> = {
    'job-name': name,
    array: count === 1 ? '0' : `0-${count - 1}`,
    output: log.replaceAll('%', '%%'),
    'open-mode': 'append',
    nodes: 1,
    ntasks: 1,
    'cpus-per-task': cpus,
    mem: memory,
    time,
    partition,
    account,
    qos,
    constraint,
    gpus,
    exclude: exclude.length === 0 ? undefined : exclude.join(','),
    // to the script, which became the worker
    signal: `B:USR1@${warnSecondsOf(options)}`,
  };
  const lines = Object.entries(given).filter(([, value]) => value !== undefined);
  return [
    ...lines.map(([key, value]) => `#SBATCH --${key}=${quoteDirective(String(value))}`),
    // a job that came back would be a worker that has ended already; another is submitted in its place
    '#SBATCH --no-requeue',
    ...flags.map((flag) => `#SBATCH ${flag}`),
  ];
}

/** sbatch reads words as a shell would, without variables. */
function quoteDirective(value: string): string {
  return /^[A-Za-z0-9_./:=,@%+&|*()[\]-]+$/.test(value) ? value : `"${value.replace(/["\\]/g, '\\$&')}"`;
}
