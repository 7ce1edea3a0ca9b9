import { constants } from 'node:os';
import type { WorkerEndCause } from '../coordinator/executor.js';
import { BatchError, type BatchJob } from './batch-system.js';

/** What bjobs is asked for by `-o`, in this order: what may hold anything is last. A field without a width is never cut. */
export const JOBS_FORMAT = "jobid jobindex stat exit_code exec_host job_name exit_reason pend_reason delimiter='|'";

const LINE = /^(\d+)\|(\d+)\|([A-Z]+)\|(-|\d+)\|([^|]*)\|([^|]*)\|([^|]*)\|(.*)$/;

/** How a reason counts for which LSF ended a job. The worker's program is the cause of those that are not here. */
const CAUSES: readonly [pattern: RegExp, cause: WorkerEndCause][] = [
  [/^TERM_(RUNLIMIT|DEADLINE|WINDOW)\b/, 'walltime'],
  [/^TERM_(MEMLIMIT|SWAP)\b/, 'out-of-memory'],
  [/^TERM_(PREEMPT|LOAD|REQUEUE_OWNER|REQUEUE_ADMIN|REQUEUE_RC|RC_RECLAIM|MIG)\b/, 'preempted'],
  [/^TERM_(OWNER|FORCE_OWNER|ADMIN|FORCE_ADMIN|BUCKET_KILL|KUBE|ORPHAN_SYSTEM)\b/, 'cancelled'],
  [/^TERM_ZOMBIE?\b/, 'node-failure'],
];
const WAITING = ['PEND', 'PSUSP', 'WAIT', 'FWD_PEND'];
/** Zombies: LSF ended them while their node did not answer. */
const ENDED = ['DONE', 'EXIT', 'ZOMBI'];

/**
 * Jobs by id (`<array>[<index>]`) from what bjobs printed by {@link JOBS_FORMAT}. Throws where a line is none of bjobs': then nothing
 * that it printed is believed. Jobs that are no array's are left out: none of ours is.
 */
export function parseJobs(output: string): Map<string, BatchJob> {
  const jobs = new Map<string, BatchJob>();
  for (const line of output.split('\n')) {
    if (line.trim() === '') continue;
    const found = LINE.exec(line.trim());
    if (found === null)
      throw new BatchError('unavailable', `bjobs printed what is no line of its: ${line.slice(0, 200)}`);
    const [, array, index, stat, exit, host, name, exitReason, pendReason] = found;
    if (index === '0') continue;
    const cause = stat === 'ZOMBI' ? 'node-failure' : CAUSES.find(([pattern]) => pattern.test(exitReason))?.[1];
    const termination = /^TERM_\w+/.exec(exitReason)?.[0];
    jobs.set(`${array}[${index}]`, {
      // bjobs shows the element with the name
      name: name.replace(/\[\d+\]$/, ''),
      state: stateOf(stat),
      word: termination === undefined ? stat : `${stat}, ${termination}`,
      reason: pendReason === '' || pendReason === '-' ? undefined : pendReason,
      node: host === '-' || host === '' ? undefined : host,
      ...(stat === 'EXIT' || stat === 'ZOMBI' ? { cause } : {}),
      ...(stat === 'DONE' ? { status: 0 } : exitOf(exit)),
    });
  }
  return jobs;
}

function stateOf(stat: string): BatchJob['state'] {
  if (ENDED.includes(stat)) return 'ended';
  // UNKWN: its node does not answer, and the job may run on; SSUSP, USUSP: it is stopped. Of a word that is not known, nothing is concluded
  return WAITING.includes(stat) ? 'waiting' : 'running';
}

/** A status above 128 is that of a shell: a signal. */
function exitOf(text: string): Pick<BatchJob, 'status' | 'signal'> {
  if (text === '-') return { status: null, signal: null };
  const code = Number(text);
  if (code <= 128) return { status: code, signal: null };
  const signal = Object.entries(constants.signals).find(([, value]) => value === code - 128)?.[0];
  return { status: null, signal: signal ?? `signal ${code - 128}` };
}
