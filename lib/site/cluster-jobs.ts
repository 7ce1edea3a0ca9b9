import { firstWords } from './answer-text.js';
import type { Ask } from './command-answer.js';

/** A job that looks at a node. */
export interface JobRequest {
  readonly name: string;
  /** A script of bash. */
  readonly script: string;
  readonly log: string;
  /** @default the cluster's */
  readonly partition?: string | undefined;
  /** Options of the submitting command, word for word. */
  readonly options: readonly string[];
}

/** How a job stands; `unknown` when the cluster did not answer. */
export interface JobState {
  readonly state: 'waiting' | 'running' | 'ended' | 'unknown';
  /** In the cluster's words. */
  readonly words: string;
}

/** Single small jobs of a cluster. */
export interface ClusterJobs {
  /** Resolves with the job's id. Rejects with what the cluster said. */
  submit(request: JobRequest): Promise<string>;
  state(id: string): Promise<JobState>;
  /** Never rejects; a job that has ended is no error. */
  cancel(id: string): Promise<void>;
}

/** More than a look at a node ever takes, in minutes: what nobody cancels ends then. */
const MINUTES = 10;

export function slurmJobs(ask: Ask): ClusterJobs {
  return {
    async submit({ name, script, log, partition, options }) {
      const where = partition === undefined ? [] : [`--partition=${partition}`];
      const fixed = ['--parsable', `--job-name=${name}`, `--output=${log.replaceAll('%', '%%')}`, '--no-requeue'];
      const size = ['--nodes=1', '--ntasks=1', `--time=${MINUTES}`];
      return submitted(await ask('sbatch', ...fixed, ...size, ...where, ...options, script), /^(\d+)(?:;.*)?$/m);
    },
    async state(id) {
      const { outcome, out, error } = await ask(
        'squeue',
        '--noheader',
        '--states=all',
        '--format=%T|%r',
        `--jobs=${id}`,
      );
      if (outcome === 'failed' && /invalid job id/i.test(error)) return { state: 'ended', words: 'not known any more' };
      if (outcome !== 'answered') return { state: 'unknown', words: firstWords(error) };
      const [word = '', reason = ''] = firstLineOf(out).split('|');
      if (word === '') return { state: 'ended', words: 'not known any more' };
      if (word === 'PENDING' || word === 'CONFIGURING') return { state: 'waiting', words: `${word}, ${reason}` };
      if (/^(RUNNING|COMPLETING|SUSPENDED|STOPPED)$/.test(word)) return { state: 'running', words: word };
      return { state: /^[A-Z_]+$/.test(word) ? 'ended' : 'unknown', words: firstWords(out) };
    },
    async cancel(id) {
      await ask('scancel', '--quiet', id);
    },
  };
}

/** Written from LSF's documentation; never tried on a real LSF. */
export function lsfJobs(ask: Ask): ClusterJobs {
  return {
    async submit({ name, script, log, partition, options }) {
      const where = partition === undefined ? [] : ['-q', partition];
      const fixed = ['-J', name, '-o', log, '-n', '1', '-W', String(MINUTES), '-rn'];
      return submitted(
        await ask('bsub', ...fixed, ...where, ...options, '/bin/bash', script),
        /^Job <(\d+)> is submitted/m,
      );
    },
    async state(id) {
      const { outcome, out, error } = await ask('bjobs', '-noheader', '-o', "stat pend_reason delimiter='|'", id);
      if (/is not found/.test(`${out}${error}`)) return { state: 'ended', words: 'not known any more' };
      if (outcome !== 'answered') return { state: 'unknown', words: firstWords(error) };
      const [word, reason = ''] = firstLineOf(out).split('|');
      if (word === 'PEND' || word === 'PSUSP') return { state: 'waiting', words: `${word}, ${reason}` };
      if (word === 'DONE' || word === 'EXIT' || word === 'ZOMBI') return { state: 'ended', words: word };
      return { state: /^[A-Z]+$/.test(word) ? 'running' : 'unknown', words: firstWords(out) };
    },
    async cancel(id) {
      await ask('bkill', id);
    },
  };
}

const firstLineOf = (text: string) => text.trim().split('\n', 1)[0].trim();

function submitted({ outcome, out, error }: Awaited<ReturnType<Ask>>, pattern: RegExp): string {
  const id = outcome === 'answered' ? pattern.exec(out)?.[1] : undefined;
  if (id === undefined) throw new Error(firstWords(outcome === 'answered' ? out : error));
  return id;
}
