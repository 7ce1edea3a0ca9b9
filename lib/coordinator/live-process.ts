import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { codeOf } from '../errors.js';

/** Enough about a process to tell, later, whether it still lives, though numbers of processes are used again. */
export interface ProcessIdentity {
  readonly host: string;
  readonly pid: number;
  /** When it began, in the machine's own units since its start; '' where /proc is missing. */
  readonly processStart: string;
  /** Which start of the machine; '' where /proc is missing. */
  readonly boot: string;
}

export function ownIdentity(): ProcessIdentity {
  return { host: hostname(), pid: process.pid, processStart: processStart(process.pid) ?? '', boot: bootId() };
}

/** Whether a process still lives. One of another host is taken to live: nobody here can tell. */
export function isAlive(identity: ProcessIdentity): boolean {
  if (identity.host !== hostname()) return true;
  if (identity.boot !== bootId()) return false;
  if (identity.processStart !== '') return processStart(identity.pid) === identity.processStart;
  try {
    process.kill(identity.pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return '';
  }
}

/** Start time of a process that runs, undefined when there is none, or only its remains (a zombie). */
function processStart(pid: number): string | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // the name, in parentheses, may hold anything
    const fields = status.slice(status.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}
