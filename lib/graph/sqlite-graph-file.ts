import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { BlockwrightError, codeOf, messageOf } from '../errors.js';
import type { GraphSchema } from './graph-store.js';

/*
 * The layout. Rows of a block are columns, packed as little-endian BLOBs (uint64 ids, float64 sums) in one SQLite row:
 * replacing a block is then one row, and speed is that of memory copies. Measured on one core, 1 M edges with 3 attributes
 * in 250 blocks, 16 blocks a durable commit: packed 0.10 s to write and 0.02 s to read raw; one SQLite row an edge, with
 * an index on u and on v, 1.8 s and 1.1 s. With one block a commit 0.31 s and 2.3 s to write.
 *
 * Ids are never SQLite integers, which are signed; only ranges of them (id >> 16) are.
 *
 * Rollback journal, not WAL: new blocks go to new pages, which need no journal, so they are written once where WAL
 * writes them twice; at rest the store is one plain file, and nothing needs shared memory, which network file systems
 * do not have. `synchronous = EXTRA` also syncs the folder when the journal goes: what is committed stays.
 */
const APPLICATION_ID = 0x42574752; // 'BWGR'
const VERSION = 1;
const PAGE_SIZE = 16384;
const LOCK_TIMEOUT = 30_000;
/** SQLite's R*Tree has at most five axes; a sixth is compared row by row. */
const MAX_INDEXED_AXES = 5;

export type SqliteDatabase = Database.Database;

/** Columns of the spatial index. */
export function indexedAxes(dimensions: number): number[] {
  return Array.from({ length: Math.min(dimensions, MAX_INDEXED_AXES) }, (_, axis) => axis);
}

function layout(dimensions: number): string {
  const axes = indexedAxes(dimensions).map((axis) => `begin_${axis}, end_${axis}`);
  return `
    CREATE TABLE metadata (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    INSERT INTO metadata VALUES ('format', 'blockwright-graph'), ('dimensions', '${dimensions}');
    CREATE TABLE edge_attributes (name TEXT PRIMARY KEY, scale REAL NOT NULL) WITHOUT ROWID;

    -- ids, sizes: uint64 [count]; positions: float64 [count, dimensions]
    CREATE TABLE node_blocks (id INTEGER PRIMARY KEY, task TEXT NOT NULL, block INTEGER NOT NULL, roi TEXT NOT NULL,
      count INTEGER NOT NULL, ids BLOB NOT NULL, sizes BLOB NOT NULL, positions BLOB NOT NULL, UNIQUE (task, block));
    -- the box of the positions of each row of node_blocks
    CREATE VIRTUAL TABLE node_boxes USING rtree (id, ${axes.join(', ')});

    -- u, v: uint64 [count]; sums, counts: float64 [attributes, count]; attributes: JSON list of names
    CREATE TABLE edge_blocks (id INTEGER PRIMARY KEY, task TEXT NOT NULL, block INTEGER NOT NULL, roi TEXT NOT NULL,
      count INTEGER NOT NULL, attributes TEXT NOT NULL, u BLOB NOT NULL, v BLOB NOT NULL, sums BLOB NOT NULL,
      counts BLOB NOT NULL, UNIQUE (task, block));
    -- which ranges of 2^16 ids the edges of each row of edge_blocks touch
    CREATE TABLE edge_ranges (range INTEGER NOT NULL, id INTEGER NOT NULL, PRIMARY KEY (range, id)) WITHOUT ROWID;
    CREATE INDEX edge_ranges_id ON edge_ranges (id);`;
}

/** Creates the store's file, or checks the one there. */
export function createGraphFile(path: string, schema: GraphSchema): SqliteDatabase {
  return guarded(path, () => {
    mkdirSync(dirname(path), { recursive: true });
    const database = connect(path);
    try {
      database.pragma(`page_size = ${PAGE_SIZE}`);
      database.exec('BEGIN IMMEDIATE');
      if (isEmpty(database)) {
        database.exec(layout(schema.dimensions));
        database.pragma(`application_id = ${APPLICATION_ID}`);
        database.pragma(`user_version = ${VERSION}`);
      }
      database.exec('COMMIT');
      checkFormat(path, database);
      const found = dimensionsOf(path, database);
      if (found !== schema.dimensions) {
        throw graphError(path, `a graph of ${schema.dimensions} dimensions`, `one of ${found}`);
      }
      return database;
    } catch (error) {
      database.close();
      throw error;
    }
  });
}

/** Opens a store that exists. */
export function openGraphFile(path: string): SqliteDatabase {
  return guarded(path, () => {
    if (!existsSync(path)) throw graphError(path, 'a graph store', 'no file');
    const database = connect(path);
    try {
      if (isEmpty(database)) throw graphError(path, 'a graph store', 'an empty file');
      checkFormat(path, database);
      return database;
    } catch (error) {
      database.close();
      throw error;
    }
  });
}

export function dimensionsOf(path: string, database: SqliteDatabase): number {
  const text = database
    .prepare<[], { value: string }>("SELECT value FROM metadata WHERE key = 'dimensions'")
    .get()?.value;
  const dimensions = Number(text);
  if (![1, 2, 3, 4, 5, 6].includes(dimensions)) throw graphError(path, '1 to 6 dimensions', `${text}`);
  return dimensions;
}

/** Runs an action on the file; SQLite's errors come out as ours. */
export function guarded<Result>(path: string, action: () => Result): Result {
  try {
    return action();
  } catch (error) {
    const code = codeOf(error);
    if (code?.startsWith('SQLITE_') !== true) throw error;
    const details = { path, sqlite: code };
    const raise = (ours: 'ERR_GRAPH' | 'ERR_IO', message: string) =>
      new BlockwrightError(ours, `${path}: ${message}`, details, { cause: error });
    if (code === 'SQLITE_NOTADB')
      throw raise('ERR_GRAPH', 'expected a graph store, found a file that is no SQLite database');
    if (code.startsWith('SQLITE_BUSY')) {
      throw raise(
        'ERR_GRAPH',
        `expected the file to be free within ${LOCK_TIMEOUT / 1000} s, found it locked by another process`,
      );
    }
    if (code === 'SQLITE_TOOBIG') {
      throw new BlockwrightError('ERR_LIMIT', `${path}: a column of a block exceeds 10^9 bytes`, details, {
        cause: error,
      });
    }
    if (code === 'SQLITE_FULL') throw raise('ERR_IO', 'no space left (ENOSPC)');
    if (/^SQLITE_(IOERR|CANTOPEN|READONLY|PERM)/.test(code)) throw raise('ERR_IO', `${messageOf(error)} (${code})`);
    throw raise('ERR_GRAPH', `expected a sound graph store, found: ${messageOf(error)} (${code})`);
  }
}

export function graphError(path: string, expected: string, found: string): BlockwrightError {
  return new BlockwrightError('ERR_GRAPH', `${path}: expected ${expected}, found ${found}`, { path, expected, found });
}

function connect(path: string): SqliteDatabase {
  const database = new Database(path, { timeout: LOCK_TIMEOUT });
  try {
    database.pragma('journal_mode = DELETE');
    database.pragma('synchronous = EXTRA');
    database.pragma('fullfsync = ON'); // macOS: else a sync stops at the drive's cache
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function isEmpty(database: SqliteDatabase): boolean {
  return database.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() === undefined;
}

function checkFormat(path: string, database: SqliteDatabase): void {
  if (database.pragma('application_id', { simple: true }) !== APPLICATION_ID) {
    const tables = database
      .prepare<[], string>("SELECT name FROM sqlite_schema WHERE type = 'table' LIMIT 5")
      .pluck()
      .all();
    throw graphError(path, 'a graph store', `another SQLite database (tables: ${tables.join(', ')})`);
  }
  const version = database.pragma('user_version', { simple: true });
  if (version !== VERSION) throw graphError(path, `layout version ${VERSION}`, `${version}`);
}
