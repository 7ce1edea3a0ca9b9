import fc from 'fast-check';
import { Roi } from '../../lib/geometry/roi.js';
import type { AttributeColumns, BlockKey, EdgeColumns, GraphStore, NodeColumns } from '../../lib/graph/graph-store.js';

/** A node or edge as people would write it down. */
export interface Node {
  readonly id: bigint;
  readonly size: bigint;
  readonly position: readonly number[];
}
export interface Edge {
  readonly u: bigint;
  readonly v: bigint;
  /** [sum, count] of each score. */
  readonly scores: Readonly<Record<string, readonly [number, number]>>;
}

export function nodeColumns(nodes: readonly Node[]): NodeColumns {
  return {
    ids: BigUint64Array.from(nodes, ({ id }) => id),
    sizes: BigUint64Array.from(nodes, ({ size }) => size),
    positions: Float64Array.from(nodes.flatMap(({ position }) => position)),
  };
}

export function edgeColumns(edges: readonly Edge[], attributes: readonly string[]): EdgeColumns {
  const column = (name: string, entry: 0 | 1) => Float64Array.from(edges, ({ scores }) => scores[name][entry]);
  const columns = (name: string): AttributeColumns => ({ sums: column(name, 0), counts: column(name, 1) });
  return {
    u: BigUint64Array.from(edges, ({ u }) => u),
    v: BigUint64Array.from(edges, ({ v }) => v),
    attributes: Object.fromEntries(attributes.map((name) => [name, columns(name)])),
  };
}

const compare = <Value>(a: Value, b: Value): number => (a < b ? -1 : a > b ? 1 : 0);

/** The slow twin of a graph store: rows of blocks in a map, read by loops over everything. */
export class MemoryGraph {
  private readonly nodes = new Map<string, { key: BlockKey; rows: readonly Node[] }>();
  private readonly edges = new Map<string, { key: BlockKey; rows: readonly Edge[] }>();
  readonly attributes = new Set<string>();

  writeNodes(key: BlockKey, rows: readonly Node[]): void {
    this.nodes.set(`${key.task} ${key.block}`, { key, rows });
  }

  writeEdges(key: BlockKey, rows: readonly Edge[]): void {
    this.edges.set(`${key.task} ${key.block}`, { key, rows });
  }

  clear(task: string): void {
    for (const blocks of [this.nodes, this.edges]) {
      for (const [name, { key }] of blocks) if (key.task === task) blocks.delete(name);
    }
  }

  /** undefined when an id comes twice. */
  readNodes(roi?: Roi): NodeColumns | undefined {
    const found = ordered(this.nodes)
      .flatMap(({ rows }) => rows)
      .filter(({ position }) => roi === undefined || isInside(position, roi))
      .sort((a, b) => compare(a.id, b.id));
    if (found.some(({ id }, index) => index > 0 && found[index - 1].id === id)) return undefined;
    return nodeColumns(found);
  }

  readEdges(roi?: Roi): EdgeColumns | undefined {
    const near = this.readNodes(roi);
    if (near === undefined && roi !== undefined) return undefined;
    const ids = new Set(near?.ids);
    const names = [...this.attributes].sort();
    const sums = new Map<string, { u: bigint; v: bigint; scores: Record<string, [number, number]> }>();
    for (const { rows } of ordered(this.edges)) {
      for (const { u, v, scores } of rows) {
        if (roi !== undefined && !ids.has(u) && !ids.has(v)) continue;
        const edge = sums.get(`${u} ${v}`) ?? { u, v, scores: Object.fromEntries(names.map((name) => [name, [0, 0]])) };
        sums.set(`${u} ${v}`, edge);
        for (const [name, [sum, count]] of Object.entries(scores)) {
          edge.scores[name][0] += sum;
          edge.scores[name][1] += count;
        }
      }
    }
    const merged = [...sums.values()].sort((a, b) => compare(a.u, b.u) || compare(a.v, b.v));
    return edgeColumns(merged, names);
  }
}

function isInside(position: readonly number[], roi: Roi): boolean {
  return position.every((value, axis) => value >= roi.begin.at(axis) && value < roi.end.at(axis));
}

function ordered<Rows>(blocks: Map<string, { key: BlockKey; rows: Rows }>): { key: BlockKey; rows: Rows }[] {
  return [...blocks.values()].sort((a, b) => compare(a.key.task, b.key.task) || a.key.block - b.key.block);
}

/** One call of a random history. */
export type Step =
  | { readonly kind: 'nodes'; readonly key: BlockKey; readonly rows: readonly Node[] }
  | { readonly kind: 'edges'; readonly key: BlockKey; readonly rows: readonly Edge[] }
  | { readonly kind: 'clear'; readonly task: string };

/** Scores that tasks write: a task knows some of them. */
export const SCORES: Readonly<Record<string, readonly string[]>> = { early: ['near', 'far'], late: ['far'], bare: [] };

const dimensions = 3;
const cell = 10;
const fraction = fc.integer({ min: -40, max: 40 }).map((value) => value / 4);
// Ids beyond 2^63 and neighbours at the edges of the ranges of 2^16 that the index uses.
const bigId = fc.constantFrom(1n, 65_535n, 65_536n, 65_537n, 2n ** 32n, 2n ** 53n + 1n, 2n ** 63n, 2n ** 64n - 2n);
const id = fc.oneof(fc.bigInt(1n, 40n), bigId, fc.bigInt(1n, 2n ** 64n - 1n));

export const anyRoi = fc
  .tuple(fc.array(fc.integer({ min: -15, max: 15 }), { minLength: 3, maxLength: 3 }), fc.integer({ min: 0, max: 20 }))
  .map(([offset, extent]) => new Roi(offset, [extent, extent, Math.ceil(extent / 2)]));

const key = fc
  .record({ task: fc.constantFrom(...Object.keys(SCORES)), block: fc.integer({ min: 0, max: 11 }) })
  .map(({ task, block }) => ({ task, block, roi: new Roi([block, 0, 0], [1, 1, 1]) }));

function idBase(task: string, block: number): bigint {
  return BigInt(block * 200_000 + Object.keys(SCORES).indexOf(task) * 50_000);
}

/** Nodes of a block: mostly ids of the block alone, as tasks write them. */
function nodesOf({ task, block }: BlockKey): fc.Arbitrary<Node[]> {
  const base = idBase(task, block);
  const node = fc.record({
    id: fc.oneof(
      { weight: 50, arbitrary: fc.bigInt(1n, 12n).map((small) => base + small) },
      { weight: 1, arbitrary: id },
    ),
    size: fc.bigInt(0n, 2n ** 64n - 1n),
    position: fc
      .array(fraction, { minLength: dimensions, maxLength: dimensions })
      .map((p) => p.map((x) => x + block - cell / 2)),
  });
  return fc.uniqueArray(node, { selector: (row) => row.id, maxLength: 8 });
}

/** Edges between few nodes, of ranges of ids that lie apart, so that blocks write the same ones. */
function edgesOf({ task }: BlockKey): fc.Arbitrary<Edge[]> {
  const near = fc
    .tuple(fc.integer({ min: 0, max: 3 }), fc.bigInt(1n, 5n))
    .map(([block, small]) => idBase('early', block) + small);
  const end = fc.oneof(near, near, near, id);
  const score = fc.tuple(fc.double({ noNaN: true, min: -1e6, max: 1e6 }), fc.integer({ min: 0, max: 1000 }));
  const scores = fc.record(Object.fromEntries(SCORES[task].map((name) => [name, score])));
  const edge = fc
    .tuple(end, end, scores)
    .filter(([a, b]) => a !== b)
    .map(([a, b, values]) => {
      const [u, v] = a < b ? [a, b] : [b, a];
      return { u, v, scores: values as Edge['scores'] };
    });
  return fc.array(edge, { maxLength: 8 });
}

export const anyHistory: fc.Arbitrary<Step[]> = fc.array(
  key.chain(
    (where): fc.Arbitrary<Step> =>
      fc.oneof(
        { weight: 5, arbitrary: nodesOf(where).map((rows) => ({ kind: 'nodes' as const, key: where, rows })) },
        { weight: 8, arbitrary: edgesOf(where).map((rows) => ({ kind: 'edges' as const, key: where, rows })) },
        { weight: 1, arbitrary: fc.constant({ kind: 'clear' as const, task: where.task }) },
      ),
  ),
  { maxLength: 25 },
);

/** Registers the scores that steps write. */
export async function prepare(store: GraphStore): Promise<void> {
  await store.init({ dimensions });
  const names = [...new Set(Object.values(SCORES).flat())];
  await store.addEdgeAttributes(names.map((name) => ({ name, scale: 1 })));
}

export async function play(store: GraphStore, step: Step): Promise<void> {
  if (step.kind === 'nodes') await store.writeNodes(step.key, nodeColumns(step.rows));
  else if (step.kind === 'edges') await store.writeEdges(step.key, edgeColumns(step.rows, SCORES[step.key.task]));
  else await store.clear(step.task);
}

export function playInMemory(graph: MemoryGraph, step: Step): void {
  for (const name of Object.values(SCORES).flat()) graph.attributes.add(name);
  if (step.kind === 'nodes') graph.writeNodes(step.key, step.rows);
  else if (step.kind === 'edges') graph.writeEdges(step.key, step.rows);
  else graph.clear(step.task);
}
