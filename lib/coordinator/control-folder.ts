import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { BlockwrightError, codeOf } from '../errors.js';
import { newKey } from './authentication.js';
import { unlinkIfThere } from './durable-file.js';
import type { RunFolder } from './run-folder.js';

/** The path of a Unix socket may have 108 bytes on Linux and 104 on macOS, with the final zero. */
const SOCKET_PATH_LIMIT = 103;
const TEMPORARY_PREFIX = 'blockwright-';

/** Where a run's coordinator listens, and what one must know to be let in. */
export interface Credentials {
  /** Path of a Unix socket. */
  readonly socket: string;
  /** 256 bits in hexadecimal. */
  readonly key: string;
}

/**
 * Makes the folder that only this user can enter, a new key and the socket's address; what a killed coordinator left is removed
 * first. For the holder of the run's lock.
 */
export function createControlFolder(folder: RunFolder): Credentials {
  removeControlFolder(folder);
  mkdirSync(folder.control, { recursive: true, mode: 0o700 });
  chmodSync(folder.control, 0o700);
  const near = join(folder.control, 'socket');
  const socket =
    Buffer.byteLength(near) <= SOCKET_PATH_LIMIT ? near : join(mkdtempSync(join(tmpdir(), TEMPORARY_PREFIX)), 'socket');
  const key = newKey();
  writeFileSync(folder.key, `${key}\n`, { mode: 0o600, flag: 'wx' });
  writeFileSync(folder.address, `${JSON.stringify({ socket })}\n`, { mode: 0o600, flag: 'wx' });
  return { socket, key };
}

/** Removes socket, key and address, and nothing else. */
export function removeControlFolder(folder: RunFolder): void {
  const elsewhere = readSocket(folder);
  if (elsewhere !== undefined && isOurTemporary(elsewhere)) {
    unlinkIfThere(elsewhere);
    removeEmptyFolder(dirname(elsewhere));
  }
  for (const path of [join(folder.control, 'socket'), folder.address, folder.key]) unlinkIfThere(path);
  removeEmptyFolder(folder.control);
}

/** What a worker needs to join. Throws ERR_AUTHENTICATION when no coordinator has opened the folder. */
export function readCredentials(folder: RunFolder): Credentials {
  try {
    const socket = readSocket(folder);
    const key = readFileSync(folder.key, 'utf8').trim();
    if (socket !== undefined && /^[0-9a-f]{64}$/.test(key)) return { socket, key };
  } catch (error) {
    throw new BlockwrightError(
      'ERR_AUTHENTICATION',
      `run folder ${folder.path}: cannot read the coordinator's key`,
      {},
      { cause: error },
    );
  }
  throw new BlockwrightError('ERR_AUTHENTICATION', `run folder ${folder.path}: no coordinator is at work here`);
}

function readSocket(folder: RunFolder): string | undefined {
  try {
    const address: unknown = JSON.parse(readFileSync(folder.address, 'utf8'));
    if (typeof address === 'object' && address !== null && 'socket' in address) return String(address.socket);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT' && !(error instanceof SyntaxError)) throw error;
  }
  return undefined;
}

/** An address file could name anything: only a folder that {@link createControlFolder} makes is touched. */
function isOurTemporary(socket: string): boolean {
  const folder = dirname(socket);
  return basename(socket) === 'socket' && dirname(folder) === tmpdir() && basename(folder).startsWith(TEMPORARY_PREFIX);
}

function removeEmptyFolder(path: string): void {
  try {
    rmdirSync(path);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT' && codeOf(error) !== 'ENOTEMPTY') throw error;
  }
}
