import { randomBytes } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { isProcessAlive } from '../native/process-alive.js';
import { ioError } from './io-error.js';

// The names that native/io/temporary_name.h gives: host, process, random bits of the call, number in the call.
const NAME = /^\.blockwright-([0-9a-f]{8})-([0-9]{1,10})-[0-9a-f]{16}-[0-9]{1,20}\.tmp$/;

// Those of zarr-python's and tensorstore's writers.
const FOREIGN_NAME = /\.partial$|\.__lock$/;

/** Whether a file's name is one that writers give to a file that they have not finished. */
export function isTemporaryName(name: string): boolean {
  return NAME.test(name) || FOREIGN_NAME.test(name);
}

/** FNV-1a of the host's name, as in native/io/temporary_name.cc. */
function hostHash(): string {
  let hash = 2166136261;
  for (const byte of new TextEncoder().encode(hostname())) hash = Math.imul(hash ^ byte, 16777619);
  return (hash >>> 0).toString(16).padStart(8, '0');
}

/** A new name for a file that is being written. */
export function temporaryName(): string {
  return `.blockwright-${hostHash()}-${process.pid}-${randomBytes(8).toString('hex')}-0.tmp`;
}

/**
 * Removes temporary files that killed processes left below a folder: only files with exactly our names, made on this host by
 * a process that is no longer alive. Links are not followed.
 *
 * @param options.below also in the folders below it; true unless given
 * @param options.everyProcess also files of other hosts and of living processes; only when no writer can be left
 * @returns the paths that were removed
 */
export async function removeStaleTemporaries(
  path: string,
  options: { readonly below?: boolean; readonly everyProcess?: boolean } = {},
): Promise<string[]> {
  const removed: string[] = [];
  const host = hostHash();
  const visit = async (folder: string): Promise<void> => {
    const entries = await readdir(folder, { withFileTypes: true });
    for (const entry of entries) {
      const full = join(folder, entry.name);
      if (entry.isDirectory()) {
        if (options.below !== false) await visit(full);
        continue;
      }
      const parts = NAME.exec(entry.name);
      if (parts === null || !entry.isFile()) continue;
      const stale = parts[1] === host && !isProcessAlive(Number(parts[2]));
      if (!stale && options.everyProcess !== true) continue;
      await rm(full, { force: true });
      removed.push(full);
    }
  };
  try {
    await visit(path);
  } catch (error) {
    throw ioError('removing temporary files of', path, error);
  }
  return removed.sort();
}
