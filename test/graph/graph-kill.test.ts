import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import Database from 'better-sqlite3';
import { Roi } from '../../lib/geometry/roi.js';
import { SqliteGraphStore } from '../../lib/graph/sqlite-graph-store.js';
import { amount, chaosSeed } from '../chaos/scale.js';

const folder = mkdtempSync(join(tmpdir(), 'graph-kill-'));
afterAll(() => rmSync(folder, { recursive: true }));
const SEED = chaosSeed(20264);
const KILLS = amount(8, 100);

/** Runs the writer until it promised some blocks, then kills it after a moment; returns the promised revisions. */
function writeUntilKilled(path: string, revision: number, delay: number): Promise<Map<number, number>> {
  const writer = spawn(process.execPath, [join(import.meta.dirname, 'kill-writer.js'), path, String(revision)]);
  const promised = new Map<number, number>();
  let text = '';
  let errors = '';
  writer.stderr.on('data', (chunk) => {
    errors += chunk;
  });
  writer.stdout.on('data', (chunk) => {
    if (text === '') setTimeout(() => writer.kill('SIGKILL'), delay);
    text += chunk;
  });
  return new Promise((resolve, reject) => {
    writer.on('close', (status, signal) => {
      if (signal !== 'SIGKILL') reject(new Error(`writer ended with ${status}: ${errors}`));
      for (const line of text.split('\n').slice(0, -1)) {
        const [block, value] = line.split(' ').map(Number);
        promised.set(block, value);
      }
      resolve(promised);
    });
  });
}

test('a writer killed at any moment leaves all or none of a block, and all that it promised', async () => {
  const path = join(folder, 'graph.sqlite');
  let state = SEED;
  for (let kill = 0; kill < KILLS; kill++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const promised = await writeUntilKilled(path, 1 + kill * 100_000, 1 + (state % 60));
    expect(promised.size).toBeGreaterThan(0);
    const store = new SqliteGraphStore(path);
    await store.init({ dimensions: 3 });
    for await (const { block, u, attributes } of store.edgeRows()) {
      expect(u.length).toBe(700);
      expect(new Set(attributes.revision.sums).size).toBe(1);
      expect(attributes.revision.sums[0]).toBeGreaterThanOrEqual(promised.get(block) ?? 0);
    }
    for await (const { block, ids, sizes } of store.nodeRows()) {
      expect(ids.length).toBe(700);
      expect(new Set(sizes).size).toBe(1);
      expect(Number(sizes[0])).toBeGreaterThanOrEqual(promised.get(block) ?? 0);
      // The indexes were replaced with the rows.
      const revision = Number(sizes[0]) % 3;
      const near = await store.readNodes(new Roi([block, revision, 0], [1, 1, 1]));
      expect(near.ids).toEqual(ids);
      expect((await store.readNodes(new Roi([block, (revision + 1) % 3, 0], [1, 1, 1]))).ids.length).toBe(0);
    }
    await store.close();
  }
  const database = new Database(path);
  expect(database.pragma('integrity_check', { simple: true })).toBe('ok');
  expect(
    database.prepare('SELECT count(*) FROM edge_ranges WHERE id NOT IN (SELECT id FROM edge_blocks)').pluck().get(),
  ).toBe(0);
  expect(
    database.prepare('SELECT max(n) FROM (SELECT count(*) n FROM edge_ranges GROUP BY id)').pluck().get(),
  ).toBeLessThan(5);
  database.close();
});
