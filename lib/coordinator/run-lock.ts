import { linkSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BlockwrightError, codeOf } from '../errors.js';
import { temporaryName, unlinkIfThere } from './durable-file.js';
import { isAlive, ownIdentity, type ProcessIdentity } from './live-process.js';

/** Who holds a run folder. */
export interface LockOwner extends ProcessIdentity {
  /** When it was taken, ISO 8601. */
  readonly since: string;
}

/**
 * The right to be the one coordinator of a run folder: a file `lock.<epoch>`, whose number is one more than that of the
 * coordinator before and sets this run's messages, names and workers apart from earlier ones.
 *
 * A lock is made whole (written aside, then linked, which fails if it exists) and never made again: the file of a
 * released lock stays, empty, until the next one exists. So the highest number decides, and of two coordinators that
 * find a dead one's lock at the same time exactly one gets the next.
 */
export class RunLock {
  private constructor(
    private readonly path: string,
    /** From 1. */
    readonly epoch: number,
  ) {}

  /** Throws ERR_RUN_LOCKED when a coordinator lives that has the folder, or when only its own host could tell. */
  static acquire(folder: string): RunLock {
    for (;;) {
      const highest = Math.max(0, ...numbers(folder));
      if (highest > 0) refuseIfHeld(folder, highest);
      const lock = new RunLock(join(folder, `lock.${highest + 1}`), highest + 1);
      if (!lock.create()) continue;
      const all = numbers(folder);
      // someone went further while we looked at an old lock
      if (all.some((number) => number > lock.epoch)) {
        unlinkIfThere(lock.path);
        continue;
      }
      for (const number of all) if (number < lock.epoch) unlinkIfThere(join(folder, `lock.${number}`));
      return lock;
    }
  }

  /** Leaves the file, empty, to keep the count. */
  release(): void {
    try {
      truncateSync(this.path);
    } catch (error) {
      // whoever deleted the folder has released it
      if (codeOf(error) !== 'ENOENT') throw error;
    }
  }

  private create(): boolean {
    const temporary = temporaryName(this.path);
    const owner: LockOwner = { ...ownIdentity(), since: new Date().toISOString() };
    writeFileSync(temporary, `${JSON.stringify(owner)}\n`, { flag: 'wx' });
    try {
      linkSync(temporary, this.path);
      return true;
    } catch (error) {
      // ENOENT: whoever got the lock meanwhile has tidied up
      if (codeOf(error) === 'EEXIST' || codeOf(error) === 'ENOENT') return false;
      throw error;
    } finally {
      unlinkIfThere(temporary);
    }
  }
}

/** Who holds the folder now, or undefined when nobody does. */
export function lockOwner(folder: string): LockOwner | undefined {
  const highest = Math.max(0, ...numbers(folder));
  if (highest === 0) return undefined;
  const owner = readOwner(folder, highest);
  return owner !== undefined && isAlive(owner) ? owner : undefined;
}

function refuseIfHeld(folder: string, number: number): void {
  const owner = readOwner(folder, number);
  if (owner === undefined || !isAlive(owner)) return;
  throw new BlockwrightError(
    'ERR_RUN_LOCKED',
    `run folder ${folder}: in use by process ${owner.pid} on host ${owner.host} since ${owner.since}. ` +
      `If that process is gone, delete ${join(folder, `lock.${number}`)}`,
    { ...owner },
  );
}

/** Undefined when the lock has been released, or is gone. */
function readOwner(folder: string, number: number): LockOwner | undefined {
  const path = join(folder, `lock.${number}`);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  if (text === '') return undefined;
  try {
    const { host, pid, processStart, boot, since } = JSON.parse(text) as LockOwner;
    return { host: String(host), pid: Number(pid), processStart: String(processStart), boot: String(boot), since };
  } catch (error) {
    throw new BlockwrightError('ERR_METADATA', `lock ${path}: expected JSON, found other bytes`, {}, { cause: error });
  }
}

function numbers(folder: string): number[] {
  return readdirSync(folder).flatMap((name) => {
    const match = /^lock\.([1-9]\d*)$/.exec(name);
    return match === null ? [] : [Number(match[1])];
  });
}
