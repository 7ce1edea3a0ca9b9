import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import Database from 'better-sqlite3';
import { Roi } from '../../lib/geometry/roi.js';
import { SqliteGraphStore } from '../../lib/graph/sqlite-graph-store.js';
import { edgeColumns, nodeColumns, prepare } from './memory-graph.js';

const folder = mkdtempSync(join(tmpdir(), 'graph-file-'));
afterAll(() => rmSync(folder, { recursive: true }));
const key = { task: 'late', block: 12, roi: new Roi([0, 0, 0], [1, 1, 1]) };

/** A closed store with one edge and one node in block 12 of task late, changed by SQL. */
async function damaged(name: string, sql: string): Promise<SqliteGraphStore> {
  const path = join(folder, `${name}.sqlite`);
  const store = new SqliteGraphStore(path);
  await prepare(store);
  await store.writeEdges(key, edgeColumns([{ u: 1n, v: 2n, scores: { far: [1, 1] } }], ['far']));
  await store.writeNodes(key, nodeColumns([{ id: 1n, size: 1n, position: [0, 0, 0] }]));
  await store.close();
  const database = new Database(path);
  database.exec(sql);
  database.close();
  return new SqliteGraphStore(path);
}

async function messageOf(call: Promise<unknown>): Promise<string> {
  const error = await call.then(
    () => new Error('no error'),
    (reason) => reason,
  );
  return `${error.code}: ${error.message}`;
}

test('a path without a store is an error, and stays without one', async () => {
  const path = join(folder, 'absent', 'graph.sqlite');
  const store = new SqliteGraphStore(path);
  expect(await messageOf(store.readEdges())).toBe(`ERR_GRAPH: ${path}: expected a graph store, found no file`);
  expect(await messageOf(store.writeNodes(key, nodeColumns([])))).toContain('found no file');
  expect(readdirSync(folder)).not.toContain('absent');
  await store.init({ dimensions: 2 });
  expect((await store.readEdges()).u.length).toBe(0);
  await store.close();
  expect(readdirSync(join(folder, 'absent'))).toEqual(['graph.sqlite']); // one plain file at rest
  expect(await messageOf(store.readEdges())).toContain('found a closed one');
});

test('a store of other dimensions is refused', async () => {
  const store = await damaged('dimensions', '');
  expect(await messageOf(store.init({ dimensions: 2 }))).toBe(
    `ERR_GRAPH: ${store.path}: expected a graph of 2 dimensions, found one of 3`,
  );
  await store.init({ dimensions: 3 });
  expect((await store.readEdges()).u.length).toBe(1);
  await store.close();
});

test('a file that is no graph store is refused and left as it is', async () => {
  const path = join(folder, 'text.sqlite');
  const text = 'not a database, but long enough to be taken for the header of one'.repeat(20);
  writeFileSync(path, text);
  const store = new SqliteGraphStore(path);
  const expected = `ERR_GRAPH: ${path}: expected a graph store, found a file that is no SQLite database`;
  expect(await messageOf(store.readNodes())).toBe(expected);
  expect(await messageOf(store.init({ dimensions: 3 }))).toBe(expected);
  expect(readFileSync(path, 'utf8')).toBe(text);

  const other = join(folder, 'other.sqlite');
  const database = new Database(other);
  database.exec('CREATE TABLE nodes (id INTEGER)');
  database.close();
  const found = `ERR_GRAPH: ${other}: expected a graph store, found another SQLite database (tables: nodes)`;
  expect(await messageOf(new SqliteGraphStore(other).readNodes())).toBe(found);
  expect(await messageOf(new SqliteGraphStore(other).init({ dimensions: 3 }))).toBe(found);

  mkdirSync(join(folder, 'directory.sqlite'));
  expect(await messageOf(new SqliteGraphStore(join(folder, 'directory.sqlite')).readNodes())).toMatch(/^ERR_IO: /);
});

test.each([
  ['version', 'PRAGMA user_version = 9', 'expected layout version 1, found 9'],
  ['schema', "UPDATE metadata SET value = 'x' WHERE key = 'dimensions'", 'expected 1 to 6 dimensions, found x'],
  ['table', 'DROP TABLE edge_blocks', 'no such table: edge_blocks'],
  [
    'short',
    'UPDATE edge_blocks SET u = substr(u, 1, 7)',
    'block 12 of task late are damaged: u: expected 8 bytes, found 7 bytes',
  ],
  [
    'long',
    'UPDATE edge_blocks SET sums = zeroblob(24)',
    'task late are damaged: sums: expected 8 bytes, found 24 bytes',
  ],
  [
    'count',
    'UPDATE edge_blocks SET count = 3',
    'block 12 of task late are damaged: sums: expected 24 bytes, found 8 bytes',
  ],
  [
    'names',
    "UPDATE edge_blocks SET attributes = '{}'",
    'task late are damaged: attributes: expected a JSON list of names, found {}',
  ],
  [
    'type',
    "UPDATE node_blocks SET ids = 'text'",
    'block 12 of task late are damaged: ids: expected 8 bytes, found string',
  ],
])('damage is named: %s', async (name, sql, message) => {
  const store = await damaged(name, sql);
  expect(await messageOf(Promise.all([store.readEdges(), store.readNodes()]))).toMatch(/^ERR_GRAPH: /);
  expect(await messageOf(Promise.all([store.readEdges(), store.readNodes()]))).toContain(message);
  await store.close();
});

test('damaged pages are an error, never rows', async () => {
  const store = await damaged('pages', '');
  const bytes = readFileSync(store.path);
  bytes.fill(0xab, 16384, 16384 * 6);
  writeFileSync(store.path, bytes);
  expect(await messageOf(store.readEdges())).toMatch(/^ERR_GRAPH: .*(malformed|SQLITE_CORRUPT)/);
  await store.close();
});

test('rows of a block can be replaced after they were damaged', async () => {
  const store = await damaged('repair', 'UPDATE edge_blocks SET u = substr(u, 1, 7)');
  await store.writeEdges(key, edgeColumns([{ u: 4n, v: 5n, scores: { far: [2, 1] } }], ['far']));
  expect([...(await store.readEdges()).u]).toEqual([4n]);
  await store.close();
});
