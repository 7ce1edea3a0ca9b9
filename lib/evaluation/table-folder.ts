import { readdir, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { crc32 } from 'node:zlib';
import { BlockwrightError, codeOf, messageOf } from '../errors.js';
import { Coordinate } from '../geometry/coordinate.js';
import { Roi } from '../geometry/roi.js';
import { syncFolder, temporaryName, writeDurably } from '../graph/lut-files.js';
import type { ContingencyTable } from '../native/contingency-table.js';
import { createFolder } from '../storage/array-folder.js';
import { ioError } from '../storage/io-error.js';
import type { CommonGrid } from './common-grid.js';

/** Says what the folder is and which voxels its places count. */
const DESCRIPTION = 'tables.json';
const MARK = 'contingency-tables';
/** 'BWCT', crc32 of the rest, rows as float64; then the columns, 36 bytes a row. */
const MAGIC = 0x54435742;
const HEADER = 16;
const ROW = 36;
const NAME = /^(\d+)\.table$/;
/** What a process that was killed was writing. */
const LEFTOVER = /^\.(?:tables\.json|\d+\.table)\..*\.\d+\.\d+\.tmp$/;

/** What a folder of tables is of. */
export interface TableBlocks {
  readonly grid: CommonGrid;
  /** World units of a block. */
  readonly blockShape: Coordinate;
}

/**
 * Makes a folder for the tables of blocks, one file a block. Durable when the promise resolves.
 *
 * @param fresh no block is done: tables that are there go; otherwise they stay, as they vouch for the blocks that are
 * @throws ERR_ARRAY_EXISTS when something else is there, and unless `fresh` when it is tables of other blocks;
 *   ERR_ARRAY_MISSING unless `fresh` when nothing is; ERR_IO
 */
export async function prepareTables(folder: string, blocks: TableBlocks, fresh: boolean): Promise<void> {
  try {
    await prepare(folder, blocks, fresh);
  } catch (error) {
    throw failure('preparing', folder, error);
  }
}

async function prepare(folder: string, { grid, blockShape }: TableBlocks, fresh: boolean): Promise<void> {
  await createFolder(folder);
  const all = await readdir(folder);
  // also of other hosts: who still writes there has lost its block
  for (const name of all) if (LEFTOVER.test(name)) await rm(join(folder, name), { force: true });
  const names = all.filter((name) => !LEFTOVER.test(name));
  const { roi, voxelSize, units } = grid;
  const text = `${JSON.stringify({ blockwright: MARK, roi, voxelSize, blockShape, units }, undefined, 2)}\n`;
  const before = names.includes(DESCRIPTION) ? await readFile(join(folder, DESCRIPTION), 'utf8') : undefined;
  if (names.length > 0 && !isDescription(before)) {
    throw new BlockwrightError(
      'ERR_ARRAY_EXISTS',
      `${folder}: expected a folder of tables or nothing, found something else`,
      {
        path: folder,
      },
    );
  }
  if (!fresh) checkBlocks(folder, before, text);
  for (const name of names) {
    if (fresh && NAME.test(name)) await rm(join(folder, name), { force: true });
  }
  if (before !== text) await put(folder, DESCRIPTION, Buffer.from(text));
  await syncFolder(dirname(folder));
}

/** The blocks that are done have their tables here: they are the same blocks, whatever their units are called. */
function checkBlocks(folder: string, before: string | undefined, text: string): void {
  const blocksOf = (json: string) => {
    const { roi, voxelSize, blockShape } = JSON.parse(json) as Record<string, unknown>;
    return JSON.stringify({ roi, voxelSize, blockShape });
  };
  const found = before === undefined ? 'nothing' : blocksOf(before);
  if (found === blocksOf(text)) return;
  throw new BlockwrightError(
    before === undefined ? 'ERR_ARRAY_MISSING' : 'ERR_ARRAY_EXISTS',
    `${folder}: blocks are recorded as done, expected their tables (${blocksOf(text)}), found ${found}. ` +
      "Put them back, or delete the task's done record to do its blocks again",
    { path: folder },
  );
}

/**
 * Writes the table of a block, in place of one that is there. Durable when the promise resolves.
 *
 * @throws ERR_ARRAY_EXISTS when something else has its place; ERR_IO
 */
export async function writeTable(folder: string, block: number, table: ContingencyTable): Promise<void> {
  const rows = table.a.length;
  const bytes = new Uint8Array(HEADER + ROW * rows);
  const view = new DataView(bytes.buffer);
  view.setFloat64(8, rows, true);
  let at = HEADER;
  for (const column of [table.a, table.b, table.counts, table.places, table.runs]) {
    bytes.set(new Uint8Array(column.buffer, column.byteOffset, column.byteLength), at);
    at += column.byteLength;
  }
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, crc32(bytes.subarray(8)), true);
  await put(folder, `${block}.table`, bytes);
}

/**
 * What the tables of a folder are of, and the blocks that have a table.
 *
 * @throws ERR_METADATA when it is no folder of tables; ERR_IO
 */
export async function openTables(folder: string): Promise<TableBlocks & { readonly blocks: number[] }> {
  const text = await readFile(join(folder, DESCRIPTION), 'utf8').catch((error) => {
    if (codeOf(error) !== 'ENOENT' && codeOf(error) !== 'ENOTDIR') throw ioError('reading', folder, error);
    return undefined;
  });
  const described = text !== undefined && isDescription(text) ? parseDescription(text) : undefined;
  if (described === undefined) {
    throw new BlockwrightError('ERR_METADATA', `${folder}: expected a folder of tables (${DESCRIPTION})`, {
      path: folder,
    });
  }
  const names = await readdir(folder).catch((error) => {
    throw ioError('listing', folder, error);
  });
  const blocks = names.flatMap((name) => NAME.exec(name)?.[1] ?? []).map(Number);
  return { ...described, blocks: blocks.sort((x, y) => x - y) };
}

/** Undefined where something of it is missing. */
function parseDescription(text: string): TableBlocks | undefined {
  const { roi, voxelSize, blockShape, units } = JSON.parse(text) as {
    readonly roi: { readonly offset: number[]; readonly shape: number[] };
    readonly voxelSize: number[];
    readonly blockShape: number[];
    readonly units: string[];
  };
  try {
    const size = new Coordinate(voxelSize);
    const box = new Roi(roi.offset, roi.shape);
    const shape = box.shape.divide(size).values;
    return { grid: { roi: box, voxelSize: size, shape, units }, blockShape: new Coordinate(blockShape) };
  } catch {
    return undefined;
  }
}

/** Reads the table of a block. @throws ERR_CHUNK_CORRUPT when the file was cut or changed; ERR_IO */
export async function readTable(folder: string, block: number): Promise<ContingencyTable> {
  const path = join(folder, `${block}.table`);
  const read = await readFile(path).catch((error) => {
    throw ioError('reading', path, error);
  });
  const bytes = new Uint8Array(read); // a copy, which begins where a column can
  const corrupt = (expected: string, found: unknown) =>
    new BlockwrightError('ERR_CHUNK_CORRUPT', `${path}: expected ${expected}, found ${found}`, { path });
  if (bytes.length < HEADER) throw corrupt(`at least ${HEADER} bytes`, bytes.length);
  const view = new DataView(bytes.buffer);
  if (view.getUint32(0, true) !== MAGIC) throw corrupt('a table', 'something else');
  const rows = view.getFloat64(8, true);
  if (bytes.length !== HEADER + ROW * rows) throw corrupt(`${rows} rows in ${HEADER + ROW * rows} bytes`, bytes.length);
  const sum = crc32(bytes.subarray(8));
  if (sum !== view.getUint32(4, true)) throw corrupt(`the checksum ${view.getUint32(4, true)}`, sum);
  const column = (index: number) => HEADER + 8 * rows * index;
  return {
    a: new BigUint64Array(bytes.buffer, column(0), rows),
    b: new BigUint64Array(bytes.buffer, column(1), rows),
    counts: new Float64Array(bytes.buffer, column(2), rows),
    places: new Float64Array(bytes.buffer, column(3), rows),
    runs: new Uint32Array(bytes.buffer, column(4), rows),
  };
}

function isDescription(text: string | undefined): boolean {
  try {
    return text !== undefined && (JSON.parse(text) as { blockwright?: unknown }).blockwright === MARK;
  } catch {
    return false;
  }
}

/**
 * Writes a file whole, with the folders above it: there is never a part of it under its name. Durable when the promise
 * resolves.
 *
 * @throws ERR_ARRAY_EXISTS when something else has its place; ERR_IO
 */
export async function putFile(path: string, bytes: Uint8Array): Promise<void> {
  try {
    await createFolder(dirname(path));
  } catch (error) {
    throw failure('writing', path, error);
  }
  await put(dirname(path), basename(path), bytes);
}

async function put(folder: string, name: string, bytes: Uint8Array): Promise<void> {
  const path = join(folder, name);
  const temporary = temporaryName(path);
  try {
    try {
      await writeDurably(temporary, bytes);
      await rename(temporary, path);
    } finally {
      await rm(temporary, { force: true });
    }
    await syncFolder(folder);
  } catch (error) {
    throw failure('writing', path, error);
  }
}

/** With a code of ours. */
function failure(action: string, path: string, error: unknown): BlockwrightError {
  const wrapped = ioError(action, path, error);
  if (!['EEXIST', 'ENOTDIR', 'EISDIR'].includes(String(wrapped.details.errno))) return wrapped;
  const message = `${action} ${path}: something else has its place (${messageOf(error)})`;
  return new BlockwrightError('ERR_ARRAY_EXISTS', message, { path }, { cause: error });
}
