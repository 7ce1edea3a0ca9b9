import { type FileHandle, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
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
  writeAll,
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
/** Files whose bytes are known last. */
const LATE = ['segments/c/0', 'sizes/c/0'];

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
  await writeComputedLut(path, lut.fragments, async () => lut, attributes);
}

/**
 * The same for segments and sizes that are computed meanwhile: all else is on disk when they are there, or on its way. Rejects with
 * what `compute` throws; then nothing is left of it.
 */
export async function writeComputedLut(
  path: string,
  fragments: BigUint64Array,
  compute: () => Promise<Omit<LutColumns, 'fragments'>>,
  attributes: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  checkFragments(fragments);
  const temporary = temporaryName(path);
  const files = new LutFiles(temporary);
  let failed: { readonly error: unknown } | undefined;
  try {
    const begun = makeFolder(dirname(resolve(path)))
      .then(() => removeLeftovers(path))
      .then(() => files.begin(fragments, attributes));
    const computed = compute().catch((error) => {
      failed = { error };
      throw error;
    });
    await allEnded([begun, computed]);
    const { segments, sizes } = await computed;
    checkColumns({ fragments, segments, sizes });
    await files.finish({ segments, sizes });
    await putInPlace(temporary, path);
    // where the same was there already
    await rm(temporary, { recursive: true, force: true });
  } catch (error) {
    await files.close();
    await rm(temporary, { recursive: true, force: true }).catch(() => undefined);
    throw failed === undefined ? asInputOutput(path, error) : failed.error;
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
    const lengths = await Promise.all(COLUMNS.map((column) => readLength(path, column)));
    const [count] = lengths;
    const other = lengths.findIndex((length) => length !== count);
    if (other >= 0) {
      throw new BlockwrightError(
        'ERR_METADATA',
        `${path}/${COLUMNS[other]}: expected ${count} rows as in fragments, found ${lengths[other]}`,
      );
    }
    const [fragments, segments, sizes] = await Promise.all(
      COLUMNS.map((column) => readColumn(join(path, column, 'c/0'), count)),
    );
    return { fragments, segments, sizes, attributes };
  } catch (error) {
    throw asInputOutput(path, error);
  }
}

function checkColumns(columns: LutColumns): void {
  const { fragments } = columns;
  for (const name of COLUMNS) {
    checkType(name, columns[name], 'BigUint64Array');
    if (columns[name].length !== fragments.length) {
      throw argumentError(name, `${fragments.length} rows`, columns[name].length);
    }
  }
}

/** From 32-bit halves: BigInt arithmetic is slow. */
function checkFragments(fragments: BigUint64Array): void {
  checkType('fragments', fragments, 'BigUint64Array');
  const words = new Uint32Array(fragments.buffer, fragments.byteOffset, fragments.length * 2);
  let low = 0;
  let high = 0;
  for (let row = 0; row < fragments.length; row++) {
    const nextLow = words[2 * row];
    const nextHigh = words[2 * row + 1];
    if (nextHigh < high || (nextHigh === high && nextLow <= low)) {
      const last = row === 0 ? 0n : fragments[row - 1];
      throw argumentError(`fragments[${row}]`, `more than ${last} (ascending, no 0)`, fragments[row]);
    }
    low = nextLow;
    high = nextHigh;
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

/** The files of a LUT in a folder of their own: what is known first is written first, and synced together, as that shares commits. */
class LutFiles {
  /** Open until they are synced. */
  private readonly files = new Map<string, FileHandle>();

  constructor(private readonly folder: string) {}

  /** All but the values of segments and sizes is on disk when this resolves, their names too. */
  async begin(fragments: BigUint64Array, attributes: Readonly<Record<string, unknown>>): Promise<void> {
    const { folder } = this;
    const json = (value: unknown) => Buffer.from(`${JSON.stringify(value, undefined, 2)}\n`);
    const group = { zarr_format: 3, node_type: 'group', attributes: { ...attributes, ...MARK } };
    const array = json(arrayMetadata(fragments.length));
    await mkdir(folder); // not `recursive`, which never ends where nobody may make one
    await allEnded([
      this.create('zarr.json').then((file) => writeAll(file, json(group))),
      ...COLUMNS.map(async (column) => {
        await mkdir(join(folder, column, 'c'), { recursive: true });
        await writeAll(await this.create(`${column}/zarr.json`), array);
        if (fragments.length > 0) await this.create(`${column}/c/0`);
      }),
    ]);
    const first = this.files.get('fragments/c/0');
    if (first !== undefined) await writeAll(first, bytesOf(fragments));
    await allEnded([
      ...[...this.files.keys()].filter((name) => !LATE.includes(name)).map((name) => this.sync(name)),
      ...COLUMNS.flatMap((column) => [join(folder, column, 'c'), join(folder, column)]).map(syncFolder),
      syncFolder(folder),
    ]);
  }

  /** All of it is on disk when this resolves. */
  async finish(columns: Omit<LutColumns, 'fragments'>): Promise<void> {
    await allEnded(
      (['segments', 'sizes'] as const).map(async (column) => {
        const name = `${column}/c/0`;
        const file = this.files.get(name);
        if (file === undefined) return;
        await writeAll(file, bytesOf(columns[column]));
        await this.sync(name);
      }),
    );
  }

  /** Of those that an error has left open. */
  async close(): Promise<void> {
    await Promise.allSettled([...this.files.values()].map((file) => file.close()));
    this.files.clear();
  }

  private async create(name: string): Promise<FileHandle> {
    const file = await open(join(this.folder, name), 'wx');
    this.files.set(name, file);
    return file;
  }

  private async sync(name: string): Promise<void> {
    const file = this.files.get(name)!;
    await file.sync();
    this.files.delete(name);
    await file.close();
  }
}

function bytesOf({ buffer, byteOffset, byteLength }: BigUint64Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** Throws what the first failed with, but not before all have ended: then nothing is written any more. */
async function allEnded(work: readonly Promise<unknown>[]): Promise<void> {
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
