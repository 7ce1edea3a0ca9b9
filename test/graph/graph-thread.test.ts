import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { Roi } from '../../lib/geometry/roi.js';
import { encodeRequest, encodeWriteNodes } from '../../lib/graph/graph-messages.js';
import { ThreadedGraphStore } from '../../lib/graph/graph-thread.js';
import { edgeColumns, nodeColumns, prepare } from './memory-graph.js';

const folder = mkdtempSync(join(tmpdir(), 'graph-thread-'));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;
const newPath = () => join(folder, `${files++}.sqlite`);
const key = (block: number) => ({ task: 'late', block, roi: new Roi([0, 0, 0], [1, 1, 1]) });
const node = (id: number) => nodeColumns([{ id: BigInt(id), size: 1n, position: [0, 0, 0] }]);

async function codeOf(call: Promise<unknown>): Promise<string | undefined> {
  return call.then(
    () => undefined,
    (error) => error.code,
  );
}

test('columns of a write stay with the caller, those of a read are its own', async () => {
  const store = new ThreadedGraphStore(newPath());
  await prepare(store);
  const nodes = node(5);
  await store.writeNodes(key(0), nodes);
  expect([...nodes.ids]).toEqual([5n]);
  const found = await store.readNodes();
  found.ids[0] = 9n;
  expect([...(await store.readNodes()).ids]).toEqual([5n]);
  await store.close();
});

test('a reader that stops early leaves the thread free', async () => {
  const store = new ThreadedGraphStore(newPath());
  await prepare(store);
  // Rows of 16 MiB pieces: more than one.
  const rows = 150_000;
  const ids = Array.from({ length: rows }, (_, i) => ({
    u: BigInt(i + 1),
    v: BigInt(i + 2),
    scores: { far: [1, 1] as const },
  }));
  const edges = edgeColumns(ids, ['far']);
  for (let block = 0; block < 6; block++) await store.writeEdges(key(block), edges);
  let seen = 0;
  for await (const { u } of store.edgeRows()) {
    seen += u.length;
    break;
  }
  expect(seen).toBeGreaterThan(0);
  expect(seen).toBeLessThan(rows * 6);
  const { u, attributes } = await store.readEdges();
  expect(u.length).toBe(rows);
  expect(new Set(attributes.far.counts)).toEqual(new Set([6]));
  await store.close();
});

test('passes on a request that came from elsewhere', async () => {
  const store = new ThreadedGraphStore(newPath());
  await prepare(store);
  const { header, payload } = encodeWriteNodes(key(3), node(8), 3);
  const frame = new Uint8Array(payload.byteLength + 5);
  frame.set(payload, 5);
  const answers = [];
  for await (const answer of store.serve(header, frame.subarray(5))) answers.push(answer.header);
  expect(answers).toEqual([{ answer: 'done' }]);
  expect(frame.byteLength).toBe(payload.byteLength + 5); // a part of a larger buffer is copied
  expect([...(await store.readNodes()).ids]).toEqual([8n]);
  const refuse = async () => {
    for await (const _ of store.serve({ operation: 'writeNodes' }, frame)) throw new Error('answered');
  };
  expect(await codeOf(refuse())).toBe('ERR_PROTOCOL');
  expect(encodeRequest({ operation: 'edgeAttributes' }).payload.byteLength).toBe(0); // shared, never transferred
  await store.close();
});

test('closing commits what was asked for before, and refuses what comes later', async () => {
  const path = newPath();
  const store = new ThreadedGraphStore(path);
  await prepare(store);
  const writes = Array.from({ length: 20 }, (_, block) => store.writeNodes(key(block), node(block + 1)));
  await Promise.all([store.close(), ...writes]);
  await store.close();
  expect(await codeOf(store.readNodes())).toBe('ERR_GRAPH');
  expect(await codeOf(store.writeNodes(key(0), node(1)))).toBe('ERR_GRAPH');
  const again = new ThreadedGraphStore(path);
  expect((await again.readNodes()).ids.length).toBe(20);
  await again.close();
});

test('errors of the store cross the thread with code and message', async () => {
  const path = newPath();
  const store = new ThreadedGraphStore(path);
  await expect(store.readEdges()).rejects.toMatchObject({
    code: 'ERR_GRAPH',
    message: `${path}: expected a graph store, found no file`,
    details: { path },
  });
  await store.close();
});
