import { runCommand } from './batch-command.js';
import { jobLog, workerLines } from './batch-script.js';
import {
  BatchError,
  type BatchErrorKind,
  type BatchJob,
  type BatchSubmission,
  type BatchSystem,
} from './batch-system.js';
import { parseQueue, QUEUE_FORMAT } from './slurm-queue.js';
import { directives, drainSecondsOf, type SlurmJobOptions } from './slurm-script.js';

export interface SlurmOptions extends SlurmJobOptions {
  /** Set for SLURM's commands beside this process's environment, e.g. SLURM_CONF. */
  readonly commandEnvironment?: Readonly<Record<string, string>> | undefined;
  /** After which a command is taken to hang. @default 60 */
  readonly commandSeconds?: number | undefined;
}

/** sbatch says so before it tries again by itself, for minutes: nothing was submitted. */
const SLEEPING = { text: /temporarily unable to accept job/i, kind: 'limit' } as const;

/** SLURM by its commands: sbatch, squeue, scancel, scontrol. Neither accounting (sacct) nor its C library is needed. */
export class Slurm implements BatchSystem {
  readonly name = 'slurm';

  constructor(private readonly options: SlurmOptions = {}) {}

  async mostAtOnce(): Promise<number> {
    const config = await this.call('scontrol', ['show', 'config']);
    const limit = (name: string) => Number(new RegExp(`^${name}\\s*=\\s*(\\d+)`, 'm').exec(config)?.[1] ?? Number.NaN);
    // the highest index is one less; with 0 or 1 there are no arrays of more than one
    const arraySize = Math.max(1, limit('MaxArraySize'));
    const most = Math.min(arraySize, Math.max(1, limit('MaxJobCount')));
    if (Number.isNaN(most))
      throw new BatchError('unavailable', 'scontrol show config names no MaxArraySize and MaxJobCount');
    return most;
  }

  script(submission: BatchSubmission): string {
    const { options } = this;
    const lines = [
      '#!/bin/bash',
      ...directives(submission.name, submission.workerIds.length, jobLog(submission), options, submission.exclude),
      ...workerLines(submission, '$SLURM_ARRAY_TASK_ID', { ...options, drainSeconds: drainSecondsOf(options) }),
    ];
    return `${lines.join('\n')}\n`;
  }

  async submit(submission: BatchSubmission): Promise<readonly string[]> {
    const output = await this.call('sbatch', ['--parsable'], this.script(submission));
    const job = /^(\d+)(?:;.*)?$/m.exec(output)?.[1];
    if (job === undefined) throw new BatchError('unavailable', `sbatch printed no job id: ${output.slice(0, 400)}`);
    return submission.workerIds.map((_, i) => `${job}_${i}`);
  }

  async query(names: readonly string[]): Promise<ReadonlyMap<string, BatchJob>> {
    const user = `--user=${process.getuid?.() ?? ''}`;
    // `all` has those that ended, as long as MinJobAge keeps them
    const output = await this.call('squeue', [
      user,
      '--array',
      '--noheader',
      '--states=all',
      `--Format=${QUEUE_FORMAT}`,
    ]);
    const wanted = new Set(names);
    return new Map([...parseQueue(output)].filter(([, { name }]) => wanted.has(name)));
  }

  async cancel(ids: readonly string[]): Promise<void> {
    // lines of commands have a limit
    for (let at = 0; at < ids.length; at += 500) await this.call('scancel', ['--quiet', ...ids.slice(at, at + 500)]);
  }

  /** What a command printed; rejects unless its exit status is 0. */
  private async call(command: string, args: readonly string[], input?: string): Promise<string> {
    const { commandEnvironment, commandSeconds: timeoutSeconds } = this.options;
    const env = { ...withoutJob(process.env), ...commandEnvironment };
    const { status, output, errors } = await runCommand(command, args, {
      env,
      input,
      giveUpAt: SLEEPING,
      timeoutSeconds,
    });
    if (status === 0) return output;
    const said = errors === '' ? `exit status ${status}` : errors;
    // one that was killed may have done its work
    const kind = status === null || command !== 'sbatch' ? 'unavailable' : refusalOf(errors);
    throw new BatchError(kind, said.startsWith(`${command}:`) ? said : `${command}: ${said}`);
  }
}

/**
 * An environment without what SLURM sets in a job and what sets defaults for its commands: within a job, another job would take
 * over the first one's options. Where its configuration is stays.
 */
export function withoutJob(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = (name: string) => /^SLURM_CONF/.test(name) || !/^(SLURM|SLURMD|SBATCH|SQUEUE|SCANCEL|SRUN)_/.test(name);
  return Object.fromEntries(Object.entries(env).filter(([name]) => kept(name)));
}

/** What is behind sbatch's words. */
function refusalOf(errors: string): BatchErrorKind {
  // QOSMaxSubmitJobPerUserLimit, AssocGrpSubmitJobsLimit, ...; without accounting's word for it, the text leaves it open
  const policy = /\b(?:QOS|Assoc)\w*\b/.exec(errors)?.[0];
  if (policy !== undefined) return /Submit|Jobs/.test(policy) ? 'limit' : 'invalid';
  if (/job submit limit|temporarily unavailable|job count|maximum number of jobs/i.test(errors)) return 'limit';
  if (
    /unable to contact|timed out|connection|zero bytes|transport endpoint|communication|unexpected message|authentication|munge|unable to resolve|standby|i\/o error/i.test(
      errors,
    )
  ) {
    return 'unavailable';
  }
  return 'invalid';
}
