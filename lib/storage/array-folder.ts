import { constants } from 'node:fs';
import { access, link, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { BlockwrightError, codeOf, type ErrorCode } from '../errors.js';
import { Document } from './document.js';
import { parseJson } from './exact-json.js';
import { ioError } from './io-error.js';
import { leadsOut } from './links.js';
import { temporaryName } from './temporary-files.js';

/** Of one metadata file. */
export const MAX_METADATA_BYTES = 64 * 2 ** 20;

/** Reads a JSON metadata file; undefined when there is none. */
export async function readDocument(path: string): Promise<Document | undefined> {
  const bytes = await readMetadataFile(path);
  return bytes === undefined ? undefined : parseDocument(path, bytes);
}

/** A JSON metadata file from its bytes. */
export function parseDocument(path: string, bytes: Uint8Array): Document {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new BlockwrightError('ERR_METADATA', `${path}: not UTF-8 text`, { path });
  }
  return Document.of(path, parseJson(text, path));
}

/** The bytes of what is a file: no folder, pipe or device, and no link that leads out of its folder. */
async function readMetadataFile(path: string): Promise<Uint8Array | undefined> {
  const refuse = (code: ErrorCode, message: string): never => {
    throw new BlockwrightError(code, `${path}: ${message}`, { path });
  };
  try {
    if (await leadsOut(dirname(path), path)) refuse('ERR_METADATA', 'a link that leads out of its folder, or nowhere');
    // Not blocking: a pipe in place of the file must not wait for its other end.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const status = await file.stat();
      if (!status.isFile()) refuse('ERR_METADATA', 'expected a file, found a folder, a pipe or a device');
      if (status.size > MAX_METADATA_BYTES) {
        refuse('ERR_LIMIT', `${status.size} bytes of metadata, at most ${MAX_METADATA_BYTES} are read`);
      }
      return await file.readFile();
    } finally {
      await file.close();
    }
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined;
    throw ioError('reading', path, error);
  }
}

export async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return false;
    throw ioError('examining', path, error);
  }
}

async function synchroniseFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } catch (error) {
    if (codeOf(error) !== 'EINVAL' && codeOf(error) !== 'ENOTSUP') throw error;
  } finally {
    await folder.close();
  }
}

/** Creates a folder and those above it; durable when the promise resolves. */
export async function createFolder(path: string, parents = true): Promise<void> {
  try {
    await mkdir(path);
    await synchroniseFolder(dirname(path));
  } catch (error) {
    if (codeOf(error) === 'EEXIST' && (await stat(path)).isDirectory()) return;
    // Not Node's `recursive`: it never ends where a folder that is there lets nobody make entries, as /proc does.
    if (codeOf(error) !== 'ENOENT' || !parents) throw ioError('creating the folder', path, error);
    await createFolder(dirname(path));
    await createFolder(path, false);
  }
}

/** Writes a file so that a reader sees the old or the new content, whatever happens; durable when the promise resolves. */
export async function replaceFile(path: string, content: string): Promise<void> {
  await placeFile(path, content, (temporary) => rename(temporary, path));
}

/**
 * The same where no such file may be there: of several that write one at the same time one succeeds. False, and nothing written,
 * where there is one, or the file system has no links.
 */
export async function createFile(path: string, content: string): Promise<boolean> {
  let created = true;
  await placeFile(path, content, async (temporary) => {
    created = await link(temporary, path).then(
      () => true,
      () => false,
    );
    await rm(temporary);
  });
  return created;
}

/** @param place what makes it the file from a temporary one beside it, which is whole and durable */
async function placeFile(path: string, content: string, place: (temporary: string) => Promise<unknown>): Promise<void> {
  const temporary = join(dirname(path), temporaryName());
  try {
    const file = await open(temporary, 'wx');
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await place(temporary);
    await synchroniseFolder(dirname(path));
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw ioError('writing', path, error);
  }
}

const METADATA_FILES = ['zarr.json', '.zarray', '.zattrs'];
// Chunk keys of any encoding, or their first folder: 'c', 'c.0.1', '0', '0.1'.
const CHUNK_ENTRY = /^(?:c(?:\.[0-9]+)*|[0-9]+(?:\.[0-9]+)*)$/;

/** What an array left in a folder: its metadata first, then its chunks. */
export async function arrayEntries(path: string): Promise<string[]> {
  try {
    const entries = await readdir(path);
    return [
      ...METADATA_FILES.filter((name) => entries.includes(name)),
      ...entries.filter((name) => CHUNK_ENTRY.test(name)),
    ];
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw ioError('listing', path, error);
  }
}

/** Removes an array's metadata and chunks, nothing else. Metadata goes first, so that no one reads a half-removed array. */
export async function removeArray(path: string): Promise<void> {
  for (const entry of await arrayEntries(path)) {
    try {
      await rm(join(path, entry), { recursive: true, force: true });
    } catch (error) {
      throw ioError('removing', join(path, entry), error);
    }
  }
}
