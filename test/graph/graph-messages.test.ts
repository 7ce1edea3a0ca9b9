import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { BlockwrightError } from '../../lib/errors.js';
import { Roi } from '../../lib/geometry/roi.js';
import {
  decodeEdgeRows,
  decodeNodeRows,
  encodeEdgeRows,
  encodeNodeRows,
  encodeWriteEdges,
  type GraphMessage,
} from '../../lib/graph/graph-messages.js';
import { serveGraphRequest } from '../../lib/graph/graph-requests.js';
import type { EdgeRows, GraphStore, NodeRows } from '../../lib/graph/graph-store.js';
import { RemoteGraphStore } from '../../lib/graph/remote-graph-store.js';
import { edgeColumns } from './memory-graph.js';

/** A store that must not be reached. */
const untouched = new Proxy({} as GraphStore, {
  get: (_, name) => {
    throw new Error(`the store was asked for ${String(name)}`);
  },
});

async function* stream<Item>(items: readonly Item[]): AsyncGenerator<Item> {
  yield* items;
}

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const result: Item[] = [];
  for await (const item of items) result.push(item);
  return result;
}

async function codeOf(call: () => Promise<unknown>): Promise<string> {
  try {
    await call();
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
  return 'no error';
}

function edgeRows(block: number, count: number): EdgeRows {
  const rows = Array.from({ length: count }, (_, i) => ({
    u: BigInt(i + 1),
    v: BigInt(i + 100),
    scores: { near: [i + block, 1] as const, far: [-i, 2] as const },
  }));
  return { task: `task ${block % 2}`, block, ...edgeColumns(rows, block % 3 === 0 ? [] : ['near', 'far']) };
}

test('pieces stay below the limit and give back every row in order', async () => {
  const limit = 480; // ten rows of 48 bytes
  const blocks = [edgeRows(1, 3), edgeRows(2, 2), edgeRows(3, 6), edgeRows(4, 35), edgeRows(5, 10), edgeRows(7, 1)];
  const pieces = await collect(encodeEdgeRows(stream(blocks), limit));
  for (const { payload } of pieces) expect(payload.byteLength).toBeLessThanOrEqual(limit);
  expect(pieces.length).toBeLessThan(9);
  const found = pieces.flatMap((piece) => [...decodeEdgeRows(piece)]);
  const flat = (list: readonly EdgeRows[]) =>
    list.flatMap((rows) =>
      [...rows.u].map((u, i) => [
        rows.task,
        rows.block,
        u,
        rows.v[i],
        ...Object.entries(rows.attributes).flatMap(([name, { sums, counts }]) => [name, sums[i], counts[i]]),
      ]),
    );
  expect(flat(found)).toEqual(flat(blocks));
});

test('nodes of any dimensions survive pieces', async () => {
  for (const dimensions of [1, 2, 6]) {
    const rows: NodeRows = {
      task: 'fragments',
      block: 4,
      ids: BigUint64Array.of(1n, 2n ** 64n - 1n, 3n),
      sizes: BigUint64Array.of(4n, 5n, 2n ** 63n),
      positions: Float64Array.from({ length: 3 * dimensions }, (_, i) => i / 3),
    };
    const pieces = await collect(encodeNodeRows(stream([rows]), 2 * (16 + 8 * dimensions)));
    expect(pieces.length).toBe(2);
    const found = pieces.flatMap((piece) => [...decodeNodeRows(piece)]);
    expect(found.flatMap(({ ids }) => [...ids])).toEqual([...rows.ids]);
    expect(found.flatMap(({ sizes }) => [...sizes])).toEqual([...rows.sizes]);
    expect(found.flatMap(({ positions }) => [...positions])).toEqual([...rows.positions]);
  }
});

const key = { task: 'late', block: 1, roi: new Roi([0, 0, 0], [1, 1, 1]) };
const sound = encodeWriteEdges(key, edgeColumns([{ u: 1n, v: 2n, scores: { far: [1, 1] } }], ['far']));

test.each([
  ['no header', undefined],
  ['a list', []],
  ['another operation', { operation: 'drop' }],
  ['a key too many', { operation: 'edgeAttributes', more: 1 }],
  ['negative count', { ...(sound.header as object), count: -1 }],
  ['fractional count', { ...(sound.header as object), count: 0.5 }],
  ['larger count', { ...(sound.header as object), count: 2 }],
  ['huge count', { ...(sound.header as object), count: 2 ** 52 }],
  ['smaller count', { ...(sound.header as object), count: 0 }],
  ['attributes missing', { ...(sound.header as object), attributes: [] }],
  ['attributes as text', { ...(sound.header as object), attributes: 'far' }],
  ['7 dimensions', { operation: 'init', dimensions: 7 }],
  ['a NaN Roi', { operation: 'nodeRows', roi: { offset: [Number.NaN], shape: [1] } }],
  ['a Roi of mixed dimensions', { operation: 'edgeRows', roi: { offset: [0, 0], shape: [1] } }],
  ['a negative Roi', { operation: 'edgeRows', roi: { offset: [0], shape: [-1] } }],
  ['a huge Roi', { operation: 'edgeRows', roi: { offset: [2 ** 60], shape: [1] } }],
  ['an endless task name', { operation: 'clear', task: 'x'.repeat(300) }],
])('a request that is none never reaches the store: %s', async (_, header) => {
  const reached = { writes: 0 };
  const store = new Proxy({} as GraphStore, { get: () => () => void reached.writes++ });
  expect(await codeOf(() => collect(serveGraphRequest(store, header, sound.payload)))).toBe('ERR_PROTOCOL');
  expect(reached.writes).toBe(0);
});

test('random headers and payloads are protocol errors', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.json().map((text) => JSON.parse(text)),
        fc.anything(),
      ),
      fc.uint8Array(),
      async (header, payload) => {
        expect(await codeOf(() => collect(serveGraphRequest(untouched, header, payload)))).toBe('ERR_PROTOCOL');
      },
    ),
    { seed: 20263, numRuns: 200 },
  );
});

test('answers that do not fit are protocol errors too', async () => {
  const store = (...pieces: GraphMessage[]) => new RemoteGraphStore(() => stream(pieces));
  const payload = new Uint8Array(8);
  expect(await codeOf(() => store().edgeAttributes())).toBe('ERR_PROTOCOL');
  expect(await codeOf(() => store({ header: { answer: 'done' }, payload }).edgeAttributes())).toBe('ERR_PROTOCOL');
  expect(await codeOf(() => store({ header: { answer: 'edgeAttributes' }, payload }).clear('x'))).toBe('ERR_PROTOCOL');
  const parts = [{ task: 'a', block: 0, count: 1 }];
  expect(await codeOf(() => store({ header: { answer: 'nodeRows', dimensions: 3, parts }, payload }).readNodes())).toBe(
    'ERR_PROTOCOL',
  );
  expect(
    await codeOf(() => store({ header: { answer: 'nodeRows', dimensions: 3, parts: [] }, payload }).readNodes()),
  ).toBe('ERR_PROTOCOL');
});

test('a read stops at its signal, and lets go of the rows that are left', async () => {
  const controller = new AbortController();
  const reason = new BlockwrightError('ERR_CANCELLED', 'the run was interrupted');
  let left = false;
  async function* rows(): AsyncGenerator<NodeRows> {
    try {
      for (let block = 0; ; block++) {
        if (block === 3) controller.abort(reason);
        const ids = BigUint64Array.of(BigInt(block + 1));
        yield { task: 'fragments', block, ids, sizes: ids, positions: Float64Array.of(0, 0, 0) };
      }
    } finally {
      left = true;
    }
  }
  const store = new RemoteGraphStore(
    () => encodeNodeRows(rows(), 200),
    undefined,
    () => controller.signal,
  );
  await expect(store.readNodes()).rejects.toBe(reason);
  expect(left).toBe(true);
});
