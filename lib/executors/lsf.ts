import { runCommand } from './batch-command.js';
import { jobLog, workerLines } from './batch-script.js';
import {
  BatchError,
  type BatchErrorKind,
  type BatchJob,
  type BatchSubmission,
  type BatchSystem,
} from './batch-system.js';
import { JOBS_FORMAT, parseJobs } from './lsf-jobs.js';
import { type LsfJobOptions, lsfDirectives, lsfDrainSeconds } from './lsf-script.js';

export interface LsfOptions extends LsfJobOptions {
  /** Set for LSF's commands beside this process's environment. */
  readonly commandEnvironment?: Readonly<Record<string, string>> | undefined;
  /** After which a command is taken to hang. @default 60 */
  readonly commandSeconds?: number | undefined;
}

/** Elements of an array where the cluster does not say: LSF's own default. */
const DEFAULT_ARRAY_SIZE = 1000;
/** What bjobs and bkill say of jobs that are not there or have ended. */
const NO_JOB =
  /^(No (unfinished |matching |running |pending )?job.*found.*|Job <[^>]*>: (Job has already finished|No matching job found|Job already finished).*)$/;

/**
 * LSF by its commands: bsub, bjobs, bkill, bparams. Written from IBM's documentation of Spectrum LSF 10.1 and tested with stand-ins
 * for these commands; it never ran on a real LSF.
 */
export class Lsf implements BatchSystem {
  readonly name = 'lsf';

  constructor(private readonly options: LsfOptions = {}) {}

  async mostAtOnce(): Promise<number> {
    const parameters = await this.call('bparams', ['-a']);
    const size = /^\s*MAX_JOB_ARRAY_SIZE\s*=\s*(\d+)/m.exec(parameters)?.[1];
    return size === undefined ? DEFAULT_ARRAY_SIZE : Math.max(1, Number(size));
  }

  script(submission: BatchSubmission): string {
    const { options } = this;
    const lines = [
      '#!/bin/bash',
      ...lsfDirectives(submission.name, submission.workerIds.length, jobLog(submission), options),
      ...workerLines(submission, '$LSB_JOBINDEX-1', { ...options, drainSeconds: lsfDrainSeconds(options) }),
    ];
    return `${lines.join('\n')}\n`;
  }

  async submit(submission: BatchSubmission): Promise<readonly string[]> {
    const output = await this.call('bsub', [], this.script(submission));
    const job = /^Job <(\d+)> is submitted to /m.exec(output)?.[1];
    if (job === undefined) throw new BatchError('unavailable', `bsub printed no job id: ${output.slice(0, 400)}`);
    return submission.workerIds.map((_, i) => `${job}[${i + 1}]`);
  }

  async query(names: readonly string[]): Promise<ReadonlyMap<string, BatchJob>> {
    // -a has those that ended, as long as CLEAN_PERIOD keeps them; of this user alone, as nothing else is said
    const output = await this.call('bjobs', ['-a', '-noheader', '-o', JOBS_FORMAT]);
    const wanted = new Set(names);
    return new Map([...parseJobs(output)].filter(([, { name }]) => wanted.has(name)));
  }

  async cancel(ids: readonly string[]): Promise<void> {
    // lines of commands have a limit
    for (let at = 0; at < ids.length; at += 500) await this.call('bkill', ids.slice(at, at + 500));
  }

  /** What a command printed; rejects unless its exit status is 0, or it says only that there is no such job. */
  private async call(command: string, args: readonly string[], input?: string): Promise<string> {
    const { commandEnvironment, commandSeconds: timeoutSeconds } = this.options;
    const env = { ...withoutLsfJob(process.env), LSB_NTRIES: '1', ...commandEnvironment };
    const { status, output, errors } = await runCommand(command, args, { env, input, timeoutSeconds });
    if (status === 0) return output;
    const lines = errors.split('\n');
    if (command !== 'bsub' && lines.every((line) => NO_JOB.test(line))) return output;
    const said = errors === '' ? `exit status ${status}` : errors;
    throw new BatchError(
      // one that was killed may have done its work
      status === null || command !== 'bsub' ? 'unavailable' : refusalOf(errors),
      `${command}: ${said}`,
    );
  }
}

/** An environment without what LSF sets in a job, of which some is taken as defaults of another job. */
function withoutLsfJob(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const own =
    /^LSB_(JOB|SUB_|SUB\d|DEFAULT|QUEUE|HOSTS|MCPU|DJOB|BATCH_JID|ACCT|AFFINITY|OUTDIR|ERRORFILE|OUTPUTFILE|INPUTFILE)/;
  return Object.fromEntries(Object.entries(env).filter(([name]) => !own.test(name)));
}

/** What is behind bsub's words. */
function refusalOf(errors: string): BatchErrorKind {
  if (
    /pending job threshold|(job|slot)s? limit.* (reached|exceeded)|too many jobs|maximum number of .*jobs/i.test(errors)
  )
    return 'limit';
  if (
    /LSF is down|not responding|cannot connect|timed out|failed in (an )?LSF|communication|connection|try later|master .*unknown|mbatchd|LIM is down|unable to reach/i.test(
      errors,
    )
  ) {
    return 'unavailable';
  }
  return 'invalid';
}
