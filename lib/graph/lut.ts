import { mkdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { BlockwrightError, codeOf, isBlockwrightError, messageOf } from '../errors.js';
import { argumentError, checkType } from '../native/checks.js';
import {
  isSameFile,
  makeFolder,
  readColumn,
  removeLeftovers,
  syncFolder,
  temporaryName,
  writeDurably,
} from './lut-files.js';

/** Which segment each fragment belongs to, as columns of one length. */
export interface LutColumns {
  /** Ascending, without 0, each once. */
  readonly fragments: BigUint64Array;
  readonly segments: BigUint64Array;
  /** Voxels of the segment of the row. */
  readonly sizes: BigUint64Array;
}

export interface Lut extends LutColumns {
  /** What made it. */
  readonly attributes: Readonly<Record<string, unknown>>;
}

const COLUMNS = ['fragments', 'segments', 'sizes'] as const;
const MARK = { blockwright: 'lut' };

/**
 * Writes a LUT: a folder that is a zarr v3 group of three uint64 arrays, each one uncompressed chunk (little-endian), so
 * that any zarr reader opens it and `<path>/<array>/c/0` can be mapped into memory. It is written beside `path`, synced,
 * and renamed: there is never a part of one. A LUT that is there is replaced, unless it has the same bytes already; then
 * it is left alone, so that an attempt which nobody waits for any more disturbs no reader.
 *
 * @param attributes JSON, kept in the group: what made the LUT
 * @throws ERR_ARGUMENT when lengths differ or fragments do not ascend; ERR_ARRAY_EXISTS when `path` is anything but a LUT;
 *   ERR_IO
 */
export async function writeLut(
  path: string,
  lut: LutColumns,
  attributes: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  checkColumns(lut);
  try {
    await makeFolder(dirname(resolve(path)));
    await removeLeftovers(path);
    const temporary = temporaryName(path);
    try {
      await writeFolder(temporary, lut, attributes);
      await putInPlace(temporary, path);
    } finally {
      await rm(temporary, { recursive: true, force: true });
    }
  } catch (error) {
    throw asInputOutput(path, error);
  }
}

/**
 * Opens a LUT. Its columns are memory that the system pages in as it is read, and stay valid when the LUT is replaced.
 *
 * @throws ERR_ARRAY_MISSING where there is none; ERR_METADATA when it is no LUT; ERR_CHUNK_CORRUPT when a file of it is
 *   missing, short or long; ERR_IO
 */
export async function openLut(path: string): Promise<Lut> {
  try {
    const attributes = await readGroup(path);
    const count = await readLength(path, 'fragments');
    const open = async (column: (typeof COLUMNS)[number]) => {
      const length = await readLength(path, column);
      if (length !== count) {
        throw new BlockwrightError(
          'ERR_METADATA',
          `${path}/${column}: expected ${count} rows as in fragments, found ${length}`,
        );
      }
      return readColumn(join(path, column, 'c/0'), count);
    };
    const [fragments, segments, sizes] = await Promise.all(COLUMNS.map(open));
    return { fragments, segments, sizes, attributes };
  } catch (error) {
    throw asInputOutput(path, error);
  }
}

function checkColumns({ fragments, segments, sizes }: LutColumns): void {
  for (const [name, column] of Object.entries({ fragments, segments, sizes })) {
    checkType(name, column, 'BigUint64Array');
    if (column.length !== fragments.length) throw argumentError(name, `${fragments.length} rows`, column.length);
  }
  let last = 0n;
  for (let row = 0; row < fragments.length; row++) {
    const next = fragments[row];
    if (next <= last) throw argumentError(`fragments[${row}]`, `more than ${last} (ascending, no 0)`, next);
    last = next;
  }
}

function arrayMetadata(rows: number): Record<string, unknown> {
  return {
    zarr_format: 3,
    node_type: 'array',
    shape: [rows],
    data_type: 'uint64',
    chunk_grid: { name: 'regular', configuration: { chunk_shape: [Math.max(rows, 1)] } },
    chunk_key_encoding: { name: 'default', configuration: { separator: '/' } },
    fill_value: 0,
    codecs: [{ name: 'bytes', configuration: { endian: 'little' } }],
    attributes: {},
    dimension_names: ['fragment'],
  };
}

async function writeFolder(
  folder: string,
  lut: LutColumns,
  attributes: Readonly<Record<string, unknown>>,
): Promise<void> {
  const json = (value: unknown) => Buffer.from(`${JSON.stringify(value, undefined, 2)}\n`);
  const group = { zarr_format: 3, node_type: 'group', attributes: { ...attributes, ...MARK } };
  await mkdir(folder); // not `recursive`, which never ends where nobody may make one
  // All at once: files that wait for the disk together share its commits.
  await allEnded([
    ...COLUMNS.map(async (column) => {
      await mkdir(join(folder, column, 'c'), { recursive: true });
      const { buffer, byteOffset, byteLength } = lut[column];
      const bytes = new Uint8Array(buffer, byteOffset, byteLength);
      await allEnded([
        writeDurably(join(folder, column, 'zarr.json'), json(arrayMetadata(lut[column].length))),
        ...(byteLength > 0 ? [writeDurably(join(folder, column, 'c/0'), bytes)] : []),
      ]);
      await allEnded([syncFolder(join(folder, column, 'c')), syncFolder(join(folder, column))]);
    }),
    writeDurably(join(folder, 'zarr.json'), json(group)),
  ]);
  await syncFolder(folder);
}

/** Throws what the first failed with, but not before all have ended: then nothing is written any more. */
async function allEnded(work: readonly Promise<void>[]): Promise<void> {
  for (const result of await Promise.allSettled(work)) if (result.status === 'rejected') throw result.reason;
}

async function putInPlace(temporary: string, path: string): Promise<void> {
  const replaced: string[] = [];
  while (!(await renameUnlessTaken(temporary, path))) {
    await checkLutPlace(path);
    if (await isSameLut(temporary, path)) break;
    // No rename puts one folder in another's place: for a moment there is none, which another writer may use.
    const old = temporaryName(path);
    replaced.push(old);
    await rename(path, old).catch(unlessMissing);
  }
  await syncFolder(dirname(path));
  for (const old of replaced) await rm(old, { recursive: true, force: true });
}

async function renameUnlessTaken(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    if (['ENOTEMPTY', 'EEXIST', 'ENOTDIR'].includes(codeOf(error) ?? '')) return false;
    throw error;
  }
}

/** Nothing but a LUT is replaced: ERR_ARRAY_EXISTS where something else stands. */
export async function checkLutPlace(path: string): Promise<void> {
  const before = await identityOf(path);
  try {
    await readGroup(path);
  } catch (error) {
    // Another writer may have moved it away meanwhile.
    if (before === undefined || before !== (await identityOf(path))) return;
    throw new BlockwrightError(
      'ERR_ARRAY_EXISTS',
      `${path}: expected a LUT or nothing, found something else`,
      { path },
      { cause: error },
    );
  }
}

async function identityOf(path: string): Promise<string | undefined> {
  const found = await stat(path).catch(unlessMissing);
  return found === undefined ? undefined : `${found.ino} ${found.birthtimeMs}`;
}

async function isSameLut(a: string, b: string): Promise<boolean> {
  const names = ['zarr.json', ...COLUMNS.flatMap((column) => [`${column}/zarr.json`, `${column}/c/0`])];
  for (const name of names) if (!(await isSameFile(join(a, name), join(b, name)))) return false;
  return true;
}

async function readJson(path: string): Promise<Record<string, unknown>> {
  const text = await readFile(path, 'utf8');
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
    throw new Error('it is not an object');
  } catch (error) {
    throw new BlockwrightError(
      'ERR_METADATA',
      `${path}: expected the JSON of a LUT: ${messageOf(error)}`,
      { path },
      { cause: error },
    );
  }
}

async function readGroup(path: string): Promise<Record<string, unknown>> {
  const group = await readJson(join(path, 'zarr.json')).catch((error) => {
    if (!['ENOENT', 'ENOTDIR'].includes(codeOf(error) ?? '')) throw error;
    throw new BlockwrightError('ERR_ARRAY_MISSING', `${path}: expected a LUT, found none`, { path }, { cause: error });
  });
  const { blockwright, ...attributes } = (group.attributes ?? {}) as Record<string, unknown>;
  if (group.node_type !== 'group' || blockwright !== MARK.blockwright) {
    throw new BlockwrightError('ERR_METADATA', `${path}: expected a LUT, found another zarr ${group.node_type}`, {
      path,
    });
  }
  return attributes;
}

/** Rows of a column, when its metadata are those that {@link writeLut} writes. */
async function readLength(path: string, column: string): Promise<number> {
  const file = join(path, column, 'zarr.json');
  const found = await readJson(file);
  const rows = Array.isArray(found.shape) ? Number(found.shape[0]) : Number.NaN;
  const expected = arrayMetadata(rows);
  for (const key of ['shape', 'data_type', 'chunk_grid', 'chunk_key_encoding', 'codecs']) {
    if (Number.isSafeInteger(rows) && rows >= 0 && isDeepStrictEqual(found[key], expected[key])) continue;
    throw new BlockwrightError(
      'ERR_METADATA',
      `${file}: ${key}: expected a column of a LUT (${JSON.stringify(expected[key])}), found ${JSON.stringify(found[key])}`,
      { path, column, key },
    );
  }
  return rows;
}

function unlessMissing(error: unknown): undefined {
  if (codeOf(error) !== 'ENOENT') throw error;
}

function asInputOutput(path: string, error: unknown): unknown {
  if (isBlockwrightError(error)) return error;
  return new BlockwrightError(
    'ERR_IO',
    `${path}: ${messageOf(error)}`,
    { path, errno: codeOf(error) },
    { cause: error },
  );
}
