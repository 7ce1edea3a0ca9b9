import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { codeOf } from '../errors.js';

/** Makes entries of a folder survive a power failure. */
export function syncFolder(path: string): void {
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } catch (error) {
    // some network file systems cannot: there is nothing more to do on them
    if (codeOf(error) !== 'EINVAL' && codeOf(error) !== 'ENOTSUP') throw error;
  } finally {
    closeSync(folder);
  }
}

/** Makes a folder and those above it; the ones it makes survive a power failure. */
export function makeFolderDurably(path: string, parents = true): void {
  try {
    mkdirSync(path);
    syncFolder(dirname(path));
  } catch (error) {
    if (codeOf(error) === 'EEXIST' && statSync(path).isDirectory()) return;
    // Not Node's `recursive`: it never ends where a folder that is there lets nobody make entries, as /proc does.
    if (codeOf(error) !== 'ENOENT' || !parents) throw error;
    makeFolderDurably(dirname(path));
    makeFolderDurably(path, false);
  }
}

/**
 * Replaces a file whole: a reader sees the old or the new content, and the new one survives a power failure.
 *
 * @param workFolder where the content is written first; of the same file system. @default the file's folder
 */
export function writeDurably(path: string, content: string | Uint8Array, workFolder = dirname(path)): void {
  const temporary = temporaryName(join(workFolder, 'write'));
  try {
    const file = openSync(temporary, 'wx');
    try {
      writeFileSync(file, content);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
  } catch (error) {
    unlinkIfThere(temporary);
    throw error;
  }
  syncFolder(dirname(path));
}

/**
 * Replaces a file whole for readers, but a power failure may leave anything of it: for what can be lost.
 *
 * @param workFolder as of {@link writeDurably}
 */
export function replaceFile(path: string, content: string | Uint8Array, workFolder = dirname(path)): void {
  const temporary = temporaryName(join(workFolder, 'write'));
  try {
    writeFileSync(temporary, content, { flag: 'wx' });
    renameSync(temporary, path);
  } catch (error) {
    unlinkIfThere(temporary);
    throw error;
  }
}

/** A name that nobody else makes, which {@link removeTemporaries} knows. */
export function temporaryName(path: string): string {
  return `${path}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`;
}

/** Deletes what a killed process left of {@link temporaryName}; only for the one who may write to the folder. */
export function removeTemporaries(folder: string): void {
  for (const name of readdirSync(folder)) {
    if (/\.\d+\.[0-9a-f]{8}\.tmp$/.test(name)) unlinkIfThere(join(folder, name));
  }
}

export function unlinkIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
}
