import type { BatchJobOptions } from './batch-script.js';

/** What people say about the jobs of workers on LSF. */
export interface LsfJobOptions extends BatchJobOptions {
  readonly queue?: string | undefined;
  readonly project?: string | undefined;
  /** A resource requirement of nodes, e.g. 'select[avx512]'. */
  readonly resources?: string | undefined;
  /** Memory that is reserved for a worker as LSF has it, e.g. '8GB'. */
  readonly memory?: string | undefined;
  /** Longest time of a worker as bsub has it: minutes, or hours:minutes. */
  readonly time?: string | undefined;
  /** Of a worker: how many, or as `bsub -gpu` has it, e.g. 'num=1:mode=exclusive_process'. */
  readonly gpus?: number | string | undefined;
}

const WARN_MINUTES = 2;

/** Minutes of a time as bsub has it. */
export function minutesOf(time: string): number {
  const [hours, minutes] = time.split(':').map(Number);
  return minutes === undefined ? hours : hours * 60 + minutes;
}

/** LSF counts minutes; at least one. */
function warnMinutesOf({ warnSeconds, time }: LsfJobOptions): number {
  if (warnSeconds !== undefined) return Math.max(1, Math.ceil(warnSeconds / 60));
  return time === undefined ? WARN_MINUTES : Math.max(1, Math.min(WARN_MINUTES, Math.floor(minutesOf(time) / 4)));
}

/** How long a block may go on once its worker was warned: what is left then is for giving it back. */
export function lsfDrainSeconds(options: LsfJobOptions): number {
  const warn = warnMinutesOf(options) * 60;
  return Math.max(warn / 2, warn - 15);
}

/** The `#BSUB` lines of an array of `count` jobs, whose indices begin at 1. */
export function lsfDirectives(name: string, count: number, log: string, options: LsfJobOptions): string[] {
  const { queue, project, resources, cpus = 1, memory, time, gpus, flags = [] } = options;
  const given: readonly (readonly [option: string, value: string | number | undefined])[] = [
    ['-J', `${name}[1-${count}]`],
    ['-o', log],
    ['-n', cpus],
    ['-R', 'span[hosts=1]'],
    ['-R', memory === undefined ? undefined : `rusage[mem=${memory}]`],
    ['-R', resources],
    ['-W', time],
    ['-q', queue],
    ['-P', project],
    ['-gpu', typeof gpus === 'number' ? `num=${gpus}` : gpus],
    // to the script, which became the worker, before it is ended
    ['-wa', 'USR1'],
    ['-wt', warnMinutesOf(options)],
  ];
  return [
    ...given.flatMap(([option, value]) => (value === undefined ? [] : [`#BSUB ${option} ${quoted(String(value))}`])),
    // a job that came back would be a worker that has ended already; another is submitted in its place
    '#BSUB -rn',
    ...flags.map((flag) => `#BSUB ${flag}`),
  ];
}

/** bsub reads words as a shell would, without variables. */
function quoted(value: string): string {
  return /^[A-Za-z0-9_./:=,@%+-]+$/.test(value) ? value : `"${value.replace(/["\\]/g, '\\$&')}"`;
}
