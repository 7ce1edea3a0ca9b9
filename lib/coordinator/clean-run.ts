import { lstatSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { BlockwrightError, codeOf } from '../errors.js';
import { RunFolder } from './run-folder.js';
import { RunLock } from './run-lock.js';
import { type RunStatus, readRunStatus } from './run-status.js';

/** What lies in the folder of a run that has ended. */
export interface RunRecords {
  readonly status: RunStatus;
  /** Names of what runs made: records, journal, logs, locks. */
  readonly records: readonly string[];
  /** Names of everything else. */
  readonly others: readonly string[];
}

const RECORDS = ['run.json', 'journal.jsonl', 'statistics.json', 'logs', 'tasks', 'control'];
const LOCK = /^lock\.[1-9]\d*$/;
/** Jobs of a cluster that a run sent. */
const JOBS = /^jobs-[a-z]+\.jsonl$/;

/**
 * Finds what {@link removeRecords} would remove; changes nothing. Throws ERR_CONFIG for a folder that is no run's, or is
 * or holds links, which could lead anywhere, and ERR_METADATA where it cannot be read.
 */
export function listRecords(runDirectory: string): RunRecords {
  const { path } = new RunFolder(runDirectory);
  const refuse = (found: string): never => {
    throw new BlockwrightError('ERR_CONFIG', `clean: expected the folder of a run, found ${found}`);
  };
  const found = kindOf(path);
  if (found !== 'folder') refuse(`${found} at ${path}`);
  const names = readdirSync(path).sort();
  const records = names.filter((name) => RECORDS.includes(name) || LOCK.test(name) || JOBS.test(name));
  for (const name of records) {
    const isFolder = !name.includes('.');
    const kind = kindOf(join(path, name));
    if (kind !== (isFolder ? 'folder' : 'file')) refuse(`${kind} at ${join(path, name)}`);
  }
  const status = names.includes('run.json') && names.includes('journal.jsonl') ? readRunStatus(path) : undefined;
  if (status === undefined) return refuse(`no records of a run in ${path}`);
  if (status.state === 'killed' && records.some((name) => JOBS.test(name))) {
    return refuse(`one that was killed, of which jobs may be left; a run of it ends those first: ${path}`);
  }
  return { status, records, others: names.filter((name) => !records.includes(name)) };
}

/**
 * Removes the records of a run that has ended, and the folder where nothing else is in it. Links inside are removed, never
 * followed. Throws as {@link listRecords}, and ERR_RUN_LOCKED while the run is at work, or may be.
 */
export function removeRecords(runDirectory: string): void {
  const { path } = new RunFolder(runDirectory);
  listRecords(path);
  // nobody begins meanwhile
  const lock = RunLock.acquire(path);
  try {
    const { records } = listRecords(path);
    // run.json last but the lock: where this is cut short it is still known what this was
    const order = [...records].sort((a, b) => rank(a) - rank(b));
    for (const name of order) rmSync(join(path, name), { recursive: true, force: true });
  } finally {
    lock.release();
  }
  try {
    rmdirSync(path);
  } catch (error) {
    if (codeOf(error) !== 'ENOTEMPTY' && codeOf(error) !== 'EEXIST') throw error;
  }
}

function rank(name: string): number {
  return LOCK.test(name) ? 3 : name === 'run.json' ? 2 : name === 'journal.jsonl' ? 1 : 0;
}

function kindOf(path: string): 'folder' | 'file' | 'a link' | 'nothing' | 'something else' {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return 'nothing';
  if (found.isSymbolicLink()) return 'a link';
  if (found.isDirectory()) return 'folder';
  return found.isFile() ? 'file' : 'something else';
}
