import { opendir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '../errors.js';
import type { ChunkedArray } from './chunked-array.js';
import { ioError } from './io-error.js';
import { isTemporaryName } from './temporary-files.js';

/** What lies in an array's folder, beside its metadata. */
export interface StoredFile {
  /**
   * `chunk`: of the grid, readable or not. `beyond-grid`: a key outside the array's shape, e.g. left when it was made smaller.
   * `in-the-way`: a file where chunks need a folder, which hides them. `broken-link`: a chunk's name that leads nowhere, which
   * reads as a missing chunk. `temporary`: of a writer, at work or dead. `stray`: anything else; no reader looks at it.
   */
  readonly kind: 'chunk' | 'beyond-grid' | 'in-the-way' | 'broken-link' | 'temporary' | 'stray';
  /** Relative to the array, '/' between folders, and at the end of a folder that is no part of a key. */
  readonly key: string;
  /** Of a chunk: its place in {@link fileGrid}. */
  readonly index: readonly number[];
}

/** In the folder of an array that a run writes: whose it is. */
export const WRITER_FILE = '.blockwright.json';
const METADATA = new Set(['zarr.json', '.zarray', '.zattrs', '.zgroup', '.zmetadata', WRITER_FILE]);
const NUMBER = /^(?:0|[1-9][0-9]{0,15})$/;

/** Chunk files (shards where there are some) along each axis when every one is there. */
export function fileGrid({ format }: Pick<ChunkedArray, 'format'>): number[] {
  return format.shape.map((extent, axis) => Math.ceil(extent / format.chunkShape[axis]));
}

/** The place that a key names, also beyond the grid; undefined when it is no key of such an array. */
function indexOf(parts: readonly string[], prefix: string, dimensions: number): number[] | undefined {
  const numbers = prefix === '' ? parts : parts.slice(1);
  if (prefix !== '' && parts[0] !== prefix) return undefined;
  if (dimensions === 0) return numbers.join() === (prefix === '' ? '0' : '') ? [] : undefined;
  return numbers.length === dimensions && numbers.every((part) => NUMBER.test(part)) ? numbers.map(Number) : undefined;
}

/** What a link leads to, for readers follow it. */
async function followLink(path: string): Promise<'folder' | 'file' | 'nothing'> {
  return stat(path).then(
    (found) => (found.isDirectory() ? 'folder' : 'file'),
    (error) => (codeOf(error) === 'ENOENT' ? 'nothing' : 'file'),
  );
}

/**
 * Walks an array's folder: every file once, in no order, a folder's listing at a time. Takes time by what is there, not by
 * what could be: a sparse array of a billion possible chunks is quick.
 *
 * @throws ERR_IO when a folder cannot be listed
 */
export async function* storedFiles(array: ChunkedArray): AsyncGenerator<StoredFile, void> {
  const { keyPrefix, keySeparator } = array.format;
  const { dimensions } = array;
  const grid = fileGrid(array);
  const depth = keySeparator === '.' ? 1 : Math.max(1, (keyPrefix === '' ? 0 : 1) + dimensions);
  const belongs = (name: string, level: number) =>
    level === 0 && keyPrefix !== '' ? name === keyPrefix : NUMBER.test(name);

  async function* visit(folder: string, level: number): AsyncGenerator<StoredFile, void> {
    for await (const entry of await opendir(join(array.path, folder))) {
      const { name } = entry;
      if (level === 0 && METADATA.has(name)) continue;
      const key = folder === '' ? name : `${folder}/${name}`;
      const target = entry.isSymbolicLink() ? await followLink(join(array.path, key)) : undefined;
      const isDirectory = entry.isDirectory() || target === 'folder';
      if (level < depth - 1 && belongs(name, level)) {
        if (isDirectory) yield* visit(key, level + 1);
        else yield { kind: 'in-the-way', key, index: [] };
        continue;
      }
      const index = level === depth - 1 ? indexOf(key.split(keySeparator), keyPrefix, dimensions) : undefined;
      if (index === undefined) {
        const kind = !isDirectory && isTemporaryName(name) ? 'temporary' : 'stray';
        yield { kind, key: isDirectory ? `${key}/` : key, index: [] };
      } else {
        const inside = index.every((position, axis) => position < grid[axis]);
        yield { kind: !inside ? 'beyond-grid' : target === 'nothing' ? 'broken-link' : 'chunk', key, index };
      }
    }
  }

  try {
    yield* visit('', 0);
  } catch (error) {
    throw ioError('listing the files of', array.path, error);
  }
}

/** How much of an array is on the disk. */
export interface StoredSize {
  /** Chunk files of the grid. */
  readonly files: number;
  /** Of these files. */
  readonly bytes: number;
  /** Whether that is all; otherwise it is what was counted until the limit. */
  readonly complete: boolean;
}

/**
 * Counts the chunk files of an array and their bytes.
 *
 * @param options.limit files after which it stops @default Infinity
 * @throws ERR_IO
 */
export async function storedSize(array: ChunkedArray, options: { readonly limit?: number } = {}): Promise<StoredSize> {
  const { limit = Number.POSITIVE_INFINITY } = options;
  let files = 0;
  let bytes = 0;
  for await (const file of storedFiles(array)) {
    if (file.kind !== 'chunk') continue;
    if (files >= limit) return { files, bytes, complete: false };
    files += 1;
    // A file that has gone since it was listed has no bytes.
    bytes += await stat(join(array.path, file.key)).then(
      ({ size }) => size,
      () => 0,
    );
  }
  return { files, bytes, complete: true };
}
