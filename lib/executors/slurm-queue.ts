import { constants } from 'node:os';
import type { WorkerEndCause } from '../coordinator/executor.js';
import { BatchError, type BatchJob } from './batch-system.js';

/** What squeue is asked for, in this order; the name is last, as it may hold anything. */
export const QUEUE_FORMAT = [
  'ArrayJobID',
  'ArrayTaskID',
  'State',
  'Reason',
  'RestartCnt',
  'NodeList',
  'exit_code',
  'Name',
]
  .map((field) => `${field}:|`)
  .join(',');

const LINE = /^(\d+)\|(\d+|N\/A)\|([A-Z_]+)\|(.*?)\|(\d+)\|([^|]*)\|(\d+(?::\d+)?)\|(.*)\|$/;

/** How a state of a job counts that has ended. The worker's program is the cause of the others. */
const CAUSES: Readonly<Record<string, WorkerEndCause | undefined>> = {
  COMPLETED: undefined,
  FAILED: undefined,
  OUT_OF_MEMORY: 'out-of-memory',
  TIMEOUT: 'walltime',
  DEADLINE: 'walltime',
  NODE_FAIL: 'node-failure',
  BOOT_FAIL: 'node-failure',
  LAUNCH_FAILED: 'node-failure',
  RECONFIG_FAIL: 'node-failure',
  PREEMPTED: 'preempted',
  CANCELLED: 'cancelled',
  REVOKED: 'cancelled',
};
const WAITING = ['PENDING', 'CONFIGURING', 'POWER_UP_NODE'];
const REQUEUED = ['REQUEUED', 'REQUEUE_HOLD', 'REQUEUE_FED', 'SPECIAL_EXIT'];

/**
 * Jobs by id (`<array>_<index>`, or the job's own where it is no array's) from what squeue printed by {@link QUEUE_FORMAT}. Throws
 * where a line is none of squeue's: then nothing that it printed is believed.
 */
export function parseQueue(output: string): Map<string, BatchJob> {
  const jobs = new Map<string, BatchJob>();
  for (const line of output.split('\n')) {
    if (line.trim() === '') continue;
    const found = LINE.exec(line.trim());
    if (found === null)
      throw new BatchError('unavailable', `squeue printed what is no line of its: ${line.slice(0, 200)}`);
    const [, array, index, word, reason, restarts, node, exit, name] = found;
    const common = { name, word, reason: reason === 'None' ? undefined : reason, node: node === '' ? undefined : node };
    const job: BatchJob = {
      ...common,
      state: stateOf(word, Number(restarts)),
      cause: CAUSES[word],
      ...exitOf(word, exit),
    };
    jobs.set(index === 'N/A' ? array : `${array}_${index}`, job);
  }
  return jobs;
}

function stateOf(word: string, restarts: number): BatchJob['state'] {
  if (word in CAUSES) return 'ended';
  if (REQUEUED.includes(word)) return 'requeued';
  if (word === 'COMPLETING') return 'ending';
  if (restarts > 0) return 'requeued';
  // of a word that is not known here, nothing is concluded
  return WAITING.includes(word) ? 'waiting' : 'running';
}

/** Of a wait status as one number, or as `<status>:<signal>`. SLURM has 0 also where it never heard how it ended. */
function exitOf(word: string, text: string): Pick<BatchJob, 'status' | 'signal'> {
  const [first, second] = text.split(':').map(Number);
  const status = second === undefined ? first >> 8 : first;
  const number = (second ?? first) & 127;
  if (number === 0) return { status: CAUSES[word] === 'node-failure' ? null : status, signal: null };
  const signal = Object.entries(constants.signals).find(([, value]) => value === number)?.[0];
  return { status: null, signal: signal ?? `signal ${number}` };
}
