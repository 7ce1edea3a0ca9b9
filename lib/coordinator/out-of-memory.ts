import type { WorkerEnd } from './executor.js';
import type { Thrown } from './messages.js';

/** Codes of errors that say it: ours, the system's, V8's of a thread. */
const CODES = ['ERR_OUT_OF_MEMORY', 'ENOMEM', 'ERR_MEMORY_ALLOCATION_FAILED', 'ERR_WORKER_OUT_OF_MEMORY'];
const THROWN = /Array buffer allocation failed|\bstd::bad_alloc\b|\bENOMEM\b/;
/** What V8 and the C++ runtime print before they end the process. */
const LAST_LINES = /(JavaScript heap|process) out of memory|\bstd::bad_alloc\b/;

/** Whether a block's code threw for want of memory. */
export function threwOutOfMemory({ code, message }: Pick<Thrown, 'code' | 'message'>): boolean {
  return CODES.includes(code ?? '') || THROWN.test(message);
}

/** Whether the output of a process that ended says that it did for want of memory. */
export function diedOutOfMemory(output: string): boolean {
  return LAST_LINES.test(output);
}

/** Whether a worker ended for want of memory: its executor says so, or its own last lines do. */
export function endedOutOfMemory({ cause, status, lastLines }: WorkerEnd): boolean {
  return cause === 'out-of-memory' || (cause === undefined && status !== 0 && diedOutOfMemory(lastLines));
}
