import { chmodSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmdirSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { BlockwrightError, codeOf } from '../errors.js';
import { newKey } from './authentication.js';
import { unlinkIfThere } from './durable-file.js';
import { isNetworkAddress, type NetworkAddress } from './network-address.js';
import type { RunFolder } from './run-folder.js';

/** The path of a Unix socket may have 108 bytes on Linux and 104 on macOS, with the final zero. */
const SOCKET_PATH_LIMIT = 103;
const TEMPORARY_PREFIX = 'blockwright-';

/** Where a run's coordinator listens, and what one must know to be let in. */
export interface Credentials extends Whereabouts {
  /** 256 bits in hexadecimal. */
  readonly key: string;
}

/** Where a coordinator listens: the content of the address file. */
export interface Whereabouts {
  /** Path of a Unix socket. */
  readonly socket: string;
  /** Name of the host on which the socket is. @default this host */
  readonly host?: string | undefined;
  /** Workers on that host come over the network, too. @default false */
  readonly hostToo?: boolean | undefined;
  /** Where it listens over TCP; which of these a worker's host can reach, the worker finds out. */
  readonly addresses?: readonly NetworkAddress[] | undefined;
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
  writeWhereabouts(folder, { socket });
  return { socket, key };
}

/** Says where the coordinator listens; a worker reads what was said before or this, nothing in between. */
export function writeWhereabouts(folder: RunFolder, whereabouts: Whereabouts): void {
  const temporary = `${folder.address}.new`;
  const text = JSON.stringify({ host: hostname(), ...whereabouts });
  writeFileSync(temporary, `${text}\n`, { mode: 0o600, flag: 'wx' });
  renameSync(temporary, folder.address);
}

/** Removes socket, key and address, and nothing else. */
export function removeControlFolder(folder: RunFolder): void {
  const elsewhere = readWhereabouts(folder)?.socket;
  if (elsewhere !== undefined && isOurTemporary(elsewhere)) {
    unlinkIfThere(elsewhere);
    removeEmptyFolder(dirname(elsewhere));
  }
  for (const path of [join(folder.control, 'socket'), folder.address, `${folder.address}.new`, folder.key])
    unlinkIfThere(path);
  removeEmptyFolder(folder.control);
}

/** What a worker needs to join. Throws ERR_AUTHENTICATION when no coordinator has opened the folder. */
export function readCredentials(folder: RunFolder): Credentials {
  try {
    const whereabouts = readWhereabouts(folder);
    const key = readFileSync(folder.key, 'utf8').trim();
    if (whereabouts !== undefined && /^[0-9a-f]{64}$/.test(key)) return { ...whereabouts, key };
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

function readWhereabouts(folder: RunFolder): Whereabouts | undefined {
  try {
    const found: unknown = JSON.parse(readFileSync(folder.address, 'utf8'));
    if (typeof found !== 'object' || found === null) return undefined;
    const { socket, host, hostToo, addresses } = found as Record<string, unknown>;
    if (typeof socket !== 'string') return undefined;
    return {
      socket,
      hostToo: hostToo === true,
      host: typeof host === 'string' ? host : undefined,
      addresses: Array.isArray(addresses) ? addresses.filter(isNetworkAddress) : undefined,
    };
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
