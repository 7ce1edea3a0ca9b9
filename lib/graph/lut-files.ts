import { randomInt } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { BlockwrightError, codeOf } from '../errors.js';
import { mapFile } from '../native/map-file.js';
import { isProcessAlive } from '../native/process-alive.js';

/** One system call moves at most 2^31 - 1 bytes. */
const STEP = 2 ** 28;

/** Writes a new file; its bytes are on disk when this resolves. */
export async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'wx');
  try {
    await writeAll(file, bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Writes a file that is open from its beginning on. */
export async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let offset = 0; offset < bytes.byteLength; ) {
    const { bytesWritten } = await file.write(bytes, offset, Math.min(STEP, bytes.byteLength - offset));
    offset += bytesWritten;
  }
}

/** Makes the names in a folder durable, where the file system can. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } catch (error) {
    // some network file systems cannot: there is nothing more to do on them
    if (codeOf(error) !== 'EINVAL' && codeOf(error) !== 'ENOTSUP') throw error;
  } finally {
    await folder.close();
  }
}

/** Makes a folder and those above it; the names of those that it makes are durable. */
export async function makeFolder(path: string, parents = true): Promise<void> {
  try {
    await mkdir(path);
    await syncFolder(dirname(path));
  } catch (error) {
    if (codeOf(error) === 'EEXIST' && (await stat(path)).isDirectory()) return;
    // not `recursive`, which never ends where nobody may make one
    if (codeOf(error) !== 'ENOENT' || !parents) throw error;
    await makeFolder(dirname(path));
    await makeFolder(path, false);
  }
}

/** The uint64 values of a chunk file of exactly `rows` values, mapped into memory. @throws ERR_CHUNK_CORRUPT */
export async function readColumn(path: string, rows: number): Promise<BigUint64Array> {
  if (rows === 0) return new BigUint64Array(0); // an empty array has no chunk
  const found = await stat(path).catch(undefinedIfMissing);
  if (found === undefined) throw corrupt(path, rows, 'no file');
  const buffer = found.size === rows * 8 ? await mapFile(path) : undefined;
  if (buffer?.byteLength !== rows * 8) throw corrupt(path, rows, `${found.size} bytes`);
  return new BigUint64Array(buffer);
}

function corrupt(path: string, rows: number, found: string): BlockwrightError {
  return new BlockwrightError(
    'ERR_CHUNK_CORRUPT',
    `${path}: expected ${rows * 8} bytes (${rows} rows), found ${found}`,
    { path },
  );
}

/** Reads until the buffer is full or the file ends; returns the bytes read. */
async function fill(file: FileHandle, bytes: Uint8Array, position: number): Promise<number> {
  let offset = 0;
  while (offset < bytes.byteLength) {
    const length = Math.min(STEP, bytes.byteLength - offset);
    const { bytesRead } = await file.read(bytes, offset, length, position + offset);
    if (bytesRead === 0) break;
    offset += bytesRead;
  }
  return offset;
}

/** Whether two files hold the same bytes, or neither is there. */
export async function isSameFile(a: string, b: string): Promise<boolean> {
  const files: (FileHandle | undefined)[] = [];
  try {
    for (const path of [a, b]) files.push(await open(path, 'r').catch(undefinedIfMissing));
    const [one, other] = files;
    if (one === undefined || other === undefined) return one === other;
    const [left, right] = [Buffer.alloc(2 ** 20), Buffer.alloc(2 ** 20)];
    for (let position = 0; ; position += left.byteLength) {
      const [length, otherLength] = [await fill(one, left, position), await fill(other, right, position)];
      if (length !== otherLength || left.compare(right, 0, length, 0, length) !== 0) return false;
      if (length < left.byteLength) return true;
    }
  } finally {
    for (const file of files) await file?.close();
  }
}

function undefinedIfMissing(error: unknown): undefined {
  if (codeOf(error) !== 'ENOENT') throw error;
  return undefined;
}

/** Each thread counts for itself, from a number of its own on: where processes begin anew, their ids do, too. */
let serial = randomInt(2 ** 47);

/** A name beside `path` that says which process writes it, and that nobody else gives. */
export function temporaryName(path: string): string {
  return join(dirname(path), `.${basename(path)}.${hostname()}.${process.pid}.${serial++}.tmp`);
}

/** Removes what writers of `path` left that were killed on this host. */
export async function removeLeftovers(path: string): Promise<void> {
  await removeLeftoversIn(dirname(path), basename(path));
}

/** Removes what writers of files in a folder, or of one with this name, left that were killed on this host. */
export async function removeLeftoversIn(folder: string, name?: string): Promise<void> {
  const host = hostname();
  for (const entry of await readdir(folder)) {
    const [, of, writer] = /^\.(.+)\.(\d+)\.\d+\.tmp$/.exec(entry) ?? [];
    if (of === undefined || !(name === undefined ? of.endsWith(`.${host}`) : of === `${name}.${host}`)) continue;
    if (!isProcessAlive(Number(writer))) await rm(join(folder, entry), { recursive: true, force: true });
  }
}
