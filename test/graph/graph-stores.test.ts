import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Roi } from '../../lib/geometry/roi.js';
import type { GraphMessage } from '../../lib/graph/graph-messages.js';
import { serveGraphRequest } from '../../lib/graph/graph-requests.js';
import type { EdgeColumns, GraphStore, NodeColumns } from '../../lib/graph/graph-store.js';
import { ThreadedGraphStore } from '../../lib/graph/graph-thread.js';
import { RemoteGraphStore } from '../../lib/graph/remote-graph-store.js';
import { SqliteGraphStore } from '../../lib/graph/sqlite-graph-store.js';
import {
  anyHistory,
  anyRoi,
  edgeColumns,
  MemoryGraph,
  nodeColumns,
  play,
  playInMemory,
  prepare,
  type Step,
} from './memory-graph.js';

const folder = mkdtempSync(join(tmpdir(), 'graph-stores-'));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;
const newPath = () => join(folder, `${files++}.sqlite`);

/** A store behind messages whose bytes went through JSON and a frame that is not aligned, as through a socket. */
class FarStore extends RemoteGraphStore {
  constructor(private readonly near: GraphStore) {
    super((header, payload) => FarStore.carry(near, header, payload));
  }

  override close(): Promise<void> {
    return this.near.close();
  }

  private static async *carry(near: GraphStore, header: unknown, payload: Uint8Array): AsyncGenerator<GraphMessage> {
    for await (const piece of serveGraphRequest(near, ...FarStore.copy(header, payload))) {
      const [answer, bytes] = FarStore.copy(piece.header, piece.payload);
      yield { header: answer, payload: bytes };
    }
  }

  private static copy(header: unknown, payload: Uint8Array): [unknown, Uint8Array] {
    const frame = new Uint8Array(payload.byteLength + 3);
    frame.set(payload, 3);
    return [JSON.parse(JSON.stringify(header)), frame.subarray(3)];
  }
}

const makers: [string, (path: string) => GraphStore][] = [
  ['in this thread', (path) => new SqliteGraphStore(path)],
  ['in a thread', (path) => new ThreadedGraphStore(path)],
  ['behind messages', (path) => new FarStore(new SqliteGraphStore(path))],
];

/** What a read gave, or the code of its error. */
async function outcome<Result>(read: Promise<Result>): Promise<Result | string> {
  try {
    return await read;
  } catch (error) {
    return (error as { code: string }).code;
  }
}

function expectSame(found: NodeColumns | EdgeColumns | string, expected: NodeColumns | EdgeColumns | undefined): void {
  if (expected === undefined) expect(found).toBe('ERR_GRAPH');
  else expect(found).toEqual(expected);
}

describe.each(makers)('graph store %s', (name, make) => {
  test('reads what a plain in-memory twin reads, whatever the blocks, rewrites and Rois', async () => {
    const runs = name === 'in a thread' ? 8 : 30;
    await fc.assert(
      fc.asyncProperty(anyHistory, fc.array(anyRoi, { minLength: 1, maxLength: 3 }), async (steps, rois) => {
        const store = make(newPath());
        const twin = new MemoryGraph();
        await prepare(store);
        for (const step of steps) playInMemory(twin, step);
        // Not awaited one by one: several share a commit, and the later of two writes of a block wins.
        await Promise.all(steps.map((step) => play(store, step)));
        if (steps.length > 0) {
          for (const roi of [undefined, ...rois]) {
            expectSame(await outcome(store.readNodes(roi)), twin.readNodes(roi));
            expectSame(await outcome(store.readEdges(roi)), twin.readEdges(roi));
          }
        }
        await store.close();
      }),
      { seed: 20261, numRuns: runs },
    );
  });

  test('finds the edges of a node in the Roi that other blocks far away wrote', async () => {
    const store = make(newPath());
    await prepare(store);
    const nodeKey = { task: 'early', block: 0, roi: new Roi([0, 0, 0], [10, 10, 10]) };
    await store.writeNodes(nodeKey, nodeColumns([{ id: 7n, size: 3n, position: [5, 5, 5] }]));
    const far = { task: 'late', block: 900, roi: new Roi([5000, 0, 0], [10, 10, 10]) };
    const rows = [
      { u: 7n, v: 2n ** 40n, scores: { far: [1.5, 2] as const } },
      { u: 8n, v: 2n ** 40n, scores: { far: [1, 1] as const } },
    ];
    await store.writeEdges(far, edgeColumns(rows, ['far']));
    // The other end in the Roi, at its very corner.
    const otherKey = { task: 'early', block: 1, roi: new Roi([10, 0, 0], [10, 10, 10]) };
    await store.writeNodes(otherKey, nodeColumns([{ id: 2n ** 41n, size: 3n, position: [10, 0, 0] }]));
    const otherRows = [{ u: 9n, v: 2n ** 41n, scores: { far: [4, 1] as const } }];
    await store.writeEdges({ ...far, block: 901 }, edgeColumns(otherRows, ['far']));
    expect([...(await store.readEdges(new Roi([10, 0, 0], [1, 1, 1]))).attributes.far.sums]).toEqual([4]);
    expect((await store.readEdges(new Roi([9, 0, 0], [1, 1, 1]))).u.length).toBe(0);
    const { u, v, attributes } = await store.readEdges(new Roi([0, 0, 0], [6, 6, 6]));
    expect([...u]).toEqual([7n]);
    expect([...v]).toEqual([2n ** 40n]);
    expect([...attributes.far.sums]).toEqual([1.5]);
    expect([...attributes.near.counts]).toEqual([0]);
    expect((await store.readEdges(new Roi([6, 0, 0], [3, 6, 6]))).u.length).toBe(0);
    await store.close();
  });

  test('gives rows in the order of (task, block), whoever wrote first', async () => {
    const store = make(newPath());
    await prepare(store);
    const keys = [
      ['late', 10],
      ['late', 9],
      ['early', 3],
      ['bare', 100],
      ['early', 20],
      ['early', 1],
    ] as const;
    for (const [index, [task, block]] of keys.entries()) {
      const key = { task, block, roi: new Roi([0, 0, 0], [1, 1, 1]) };
      await store.writeNodes(key, nodeColumns([{ id: BigInt(index + 1), size: 1n, position: [0, 0, 0] }]));
      await store.writeEdges(key, edgeColumns([{ u: 1n, v: BigInt(index + 2), scores: {} }], []));
    }
    const sorted = [...keys].sort((a, b) => (a[0] === b[0] ? a[1] - b[1] : a[0] < b[0] ? -1 : 1));
    for (const roi of [undefined, new Roi([0, 0, 0], [1, 1, 1])]) {
      const [nodes, edges]: unknown[][] = [[], []];
      for await (const { task, block } of store.nodeRows(roi)) nodes.push([task, block]);
      for await (const { task, block } of store.edgeRows(roi)) edges.push([task, block]);
      expect(nodes).toEqual(sorted);
      expect(edges).toEqual(sorted);
    }
    await store.close();
  });

  test('keeps what was written when it is opened again', async () => {
    const path = newPath();
    const first = make(path);
    await prepare(first);
    const key = { task: 'late', block: 3, roi: new Roi([0, 0, 0], [1, 1, 1]) };
    await first.writeEdges(key, edgeColumns([{ u: 1n, v: 2n, scores: { far: [0.25, 4] } }], ['far']));
    await first.close();
    const second = make(path);
    expect(await second.edgeAttributes()).toEqual([
      { name: 'far', scale: 1 },
      { name: 'near', scale: 1 },
    ]);
    expect([...(await second.readEdges()).attributes.far.sums]).toEqual([0.25]);
    await second.close();
  });

  test('refuses rows that would make a read wrong, and stores none of them', async () => {
    const store = make(newPath());
    await prepare(store);
    const key = { task: 'late', block: 0, roi: new Roi([0, 0, 0], [1, 1, 1]) };
    const good = edgeColumns([{ u: 1n, v: 2n, scores: { far: [1, 1] } }], ['far']);
    const bad: [string, Promise<void>, string][] = [
      ['u = v', store.writeEdges(key, { ...good, v: BigUint64Array.of(1n) }), 'ERR_ARGUMENT'],
      ['u = 0', store.writeEdges(key, { ...good, u: BigUint64Array.of(0n) }), 'ERR_ARGUMENT'],
      ['lengths', store.writeEdges(key, { ...good, v: BigUint64Array.of(2n, 3n) }), 'ERR_ARGUMENT'],
      ['unknown score', store.writeEdges(key, { ...good, attributes: { other: good.attributes.far } }), 'ERR_GRAPH'],
      ['NaN', store.writeEdges(key, withFar(good, [Number.NaN], [1])), 'ERR_ARGUMENT'],
      ['half a voxel', store.writeEdges(key, withFar(good, [1], [0.5])), 'ERR_ARGUMENT'],
      ['background', store.writeNodes(key, nodeColumns([{ id: 0n, size: 1n, position: [0, 0, 0] }])), 'ERR_ARGUMENT'],
      ['infinite', store.writeNodes(key, nodeColumns([{ id: 1n, size: 1n, position: [0, 0, 1 / 0] }])), 'ERR_ARGUMENT'],
      ['2-D', store.writeNodes({ ...key, roi: new Roi([0, 0], [1, 1]) }, nodeColumns([])), 'ERR_ARGUMENT'],
      ['2-D Roi', store.readNodes(new Roi([0, 0], [1, 1])).then(() => undefined), 'ERR_ARGUMENT'],
      ['no task', store.clear(''), 'ERR_ARGUMENT'],
    ];
    for (const [what, call, code] of bad) expect([what, await outcome(call)]).toEqual([what, code]);
    expect((await store.readEdges()).u.length).toBe(0);
    expect((await store.readNodes()).ids.length).toBe(0);
    await store.close();
  });

  test('says which blocks gave one node twice', async () => {
    const store = make(newPath());
    await prepare(store);
    const roi = new Roi([0, 0, 0], [1, 1, 1]);
    const nodes = nodeColumns([{ id: 5n, size: 1n, position: [0, 0, 0] }]);
    await store.writeNodes({ task: 'late', block: 8, roi }, nodes);
    await store.writeNodes({ task: 'early', block: 9, roi }, nodes);
    await expect(store.readNodes()).rejects.toMatchObject({
      code: 'ERR_GRAPH',
      message: 'node 5: expected one row, found one in block 9 of task early and one in block 8 of task late',
    });
    await store.close();
  });

  test('registers attributes again, but not with another scale', async () => {
    const store = make(newPath());
    await prepare(store);
    await store.addEdgeAttributes([{ name: 'far', scale: 1 }]);
    await expect(
      store.addEdgeAttributes([
        { name: 'new', scale: 1 },
        { name: 'far', scale: 1 / 255 },
      ]),
    ).rejects.toMatchObject({ code: 'ERR_GRAPH', message: expect.stringContaining('scale') });
    expect((await store.edgeAttributes()).map((attribute) => attribute.name)).toEqual(['far', 'near']);
    expect(await outcome(store.addEdgeAttributes([{ name: '__proto__', scale: 1 }]))).toBe('ERR_ARGUMENT');
    await store.close();
  });
});

function withFar(edges: EdgeColumns, sums: number[], counts: number[]): EdgeColumns {
  return { ...edges, attributes: { far: { sums: Float64Array.from(sums), counts: Float64Array.from(counts) } } };
}

test('the sorted graph is the same bytes whatever the order of writes', async () => {
  await fc.assert(
    fc.asyncProperty(anyHistory, fc.integer(), async (history, seed) => {
      // One write a block: the last would win otherwise.
      const steps = [
        ...new Map(
          history.filter(isWrite).map((step) => [`${step.kind} ${step.key.task} ${step.key.block}`, step]),
        ).values(),
      ];
      const shuffled = [...steps].sort(
        (a, b) => ((a.key.block * 7919 + seed) % 13) - ((b.key.block * 7919 + seed) % 13),
      );
      const [one, other] = [new SqliteGraphStore(newPath()), new SqliteGraphStore(newPath())];
      await prepare(one);
      await prepare(other);
      for (const step of steps) await play(one, step);
      await Promise.all(shuffled.map((step) => play(other, step)));
      const [a, b] = [await one.readEdges(), await other.readEdges()];
      expect(bytes(a)).toEqual(bytes(b));
      expect(await outcome(one.readNodes())).toEqual(await outcome(other.readNodes()));
      await one.close();
      await other.close();
    }),
    { seed: 20262, numRuns: 20 },
  );
});

function isWrite(step: Step): step is Exclude<Step, { kind: 'clear' }> {
  return step.kind !== 'clear';
}

function bytes({ u, v, attributes }: EdgeColumns): string[] {
  const columns = [u, v, ...Object.values(attributes).flatMap(({ sums, counts }) => [sums, counts])];
  return columns.map((column) => Buffer.from(column.buffer, column.byteOffset, column.byteLength).toString('hex'));
}
