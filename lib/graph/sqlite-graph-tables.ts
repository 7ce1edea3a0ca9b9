import { BlockwrightError } from '../errors.js';
import type { Roi } from '../geometry/roi.js';
import { argumentError } from '../native/checks.js';
import type {
  AttributeColumns,
  BlockKey,
  EdgeAttribute,
  EdgeColumns,
  EdgeRows,
  NodeColumns,
  NodeRows,
} from './graph-store.js';
import { dimensionsOf, graphError, indexedAxes, type SqliteDatabase } from './sqlite-graph-file.js';

interface StoredNodes {
  task: string;
  block: number;
  count: number;
  ids: Uint8Array;
  sizes: Uint8Array;
  positions: Uint8Array;
}

interface StoredEdges {
  task: string;
  block: number;
  count: number;
  attributes: string;
  u: Uint8Array;
  v: Uint8Array;
  sums: Uint8Array;
  counts: Uint8Array;
}

/** The tables of a graph file (see sqlite-graph-file.ts): rows in, rows out. Transactions are the caller's. */
export class SqliteGraphTables {
  readonly dimensions: number;
  private readonly axes: readonly number[];
  private readonly statements;

  constructor(
    private readonly path: string,
    private readonly database: SqliteDatabase,
  ) {
    this.dimensions = dimensionsOf(path, database);
    this.axes = indexedAxes(this.dimensions);
    const box = this.axes.map(() => '?, ?').join(', ');
    const meets = this.axes.map((axis) => `b.end_${axis} >= ? AND b.begin_${axis} < ?`).join(' AND ');
    this.statements = {
      attributes: database.prepare<[], EdgeAttribute>('SELECT name, scale FROM edge_attributes ORDER BY name'),
      addAttribute: database.prepare('INSERT INTO edge_attributes VALUES (?, ?)'),
      nodeBlock: database
        .prepare<[string, number], number>('SELECT id FROM node_blocks WHERE task = ? AND block = ?')
        .pluck(),
      putNodes: database.prepare(
        `INSERT INTO node_blocks (id, task, block, roi, count, ids, sizes, positions) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      ),
      dropNodes: database.prepare('DELETE FROM node_blocks WHERE id = ?'),
      putBox: database.prepare(`INSERT INTO node_boxes VALUES (?, ${box})`),
      dropBox: database.prepare('DELETE FROM node_boxes WHERE id = ?'),
      nodes: database.prepare<[number], StoredNodes>(
        'SELECT task, block, count, ids, sizes, positions FROM node_blocks WHERE id = ?',
      ),
      allNodeBlocks: database.prepare<[], number>('SELECT id FROM node_blocks ORDER BY task, block').pluck(),
      nodeBlocksOfTask: database.prepare<[string], number>('SELECT id FROM node_blocks WHERE task = ?').pluck(),
      nodeBlocksNear: database
        .prepare<number[], number>(
          `SELECT n.id FROM node_boxes b CROSS JOIN node_blocks n ON n.id = b.id WHERE ${meets} ORDER BY n.task, n.block`,
        )
        .pluck(),
      edgeBlock: database
        .prepare<[string, number], number>('SELECT id FROM edge_blocks WHERE task = ? AND block = ?')
        .pluck(),
      putEdges: database.prepare(
        `INSERT INTO edge_blocks (id, task, block, roi, count, attributes, u, v, sums, counts)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      ),
      dropEdges: database.prepare('DELETE FROM edge_blocks WHERE id = ?'),
      putRange: database.prepare('INSERT INTO edge_ranges VALUES (?, ?)'),
      dropRanges: database.prepare('DELETE FROM edge_ranges WHERE id = ?'),
      edges: database.prepare<[number], StoredEdges>(
        'SELECT task, block, count, attributes, u, v, sums, counts FROM edge_blocks WHERE id = ?',
      ),
      allEdgeBlocks: database.prepare<[], number>('SELECT id FROM edge_blocks ORDER BY task, block').pluck(),
      edgeRowCount: database.prepare<[], number>('SELECT coalesce(sum(count), 0) FROM edge_blocks').pluck(),
      edgeBlocksOfTask: database.prepare<[string], number>('SELECT id FROM edge_blocks WHERE task = ?').pluck(),
      edgeBlocksOfRanges: database
        .prepare<[string], number>(
          `SELECT id FROM edge_blocks
           WHERE id IN (SELECT id FROM edge_ranges WHERE range IN (SELECT value FROM json_each(?)))
           ORDER BY task, block`,
        )
        .pluck(),
    };
  }

  /** Runs an action in one transaction: all or nothing, on disk when this returns. */
  transaction(action: () => void): void {
    this.database.transaction(action).immediate();
  }

  edgeAttributes(): EdgeAttribute[] {
    return this.statements.attributes.all();
  }

  addEdgeAttribute({ name, scale }: EdgeAttribute): void {
    const found = this.edgeAttributes().find((attribute) => attribute.name === name);
    if (found === undefined) this.statements.addAttribute.run(name, scale);
    else if (found.scale !== scale) {
      throw graphError(this.path, `scale ${scale} of edge attribute ${name}`, `${found.scale}`);
    }
  }

  replaceNodes({ task, block, roi }: BlockKey, { ids, sizes, positions }: NodeColumns): void {
    const old = this.statements.nodeBlock.get(task, block);
    if (old !== undefined) this.dropNodes(old);
    if (ids.length === 0) return;
    const { lastInsertRowid: id } = this.statements.putNodes.run(
      ...[old ?? null, task, block, JSON.stringify(roi), ids.length, bytesOf(ids), bytesOf(sizes), bytesOf(positions)],
    );
    this.statements.putBox.run(id, ...this.boxOf(positions));
  }

  replaceEdges({ task, block, roi }: BlockKey, { u, v, attributes }: EdgeColumns): void {
    const old = this.statements.edgeBlock.get(task, block);
    if (old !== undefined) this.dropEdges(old);
    if (u.length === 0) return;
    const columns = Object.values(attributes);
    const { lastInsertRowid: id } = this.statements.putEdges.run(
      ...[old ?? null, task, block, JSON.stringify(roi), u.length, JSON.stringify(Object.keys(attributes))],
      ...[bytesOf(u), bytesOf(v)],
      Buffer.concat(columns.map(({ sums }) => bytesOf(sums))),
      Buffer.concat(columns.map(({ counts }) => bytesOf(counts))),
    );
    const ranges = new Set<number>();
    addRanges(u, ranges);
    addRanges(v, ranges);
    for (const range of ranges) this.statements.putRange.run(range, id);
  }

  clear(task: string): void {
    for (const id of this.statements.nodeBlocksOfTask.all(task)) this.dropNodes(id);
    for (const id of this.statements.edgeBlocksOfTask.all(task)) this.dropEdges(id);
  }

  /** Rows of node_blocks with a node in the Roi or near it, in the order of (task, block). */
  nodeBlocks(roi?: Roi): number[] {
    if (roi === undefined) return this.statements.allNodeBlocks.all();
    if (roi.dimensions !== this.dimensions) throw argumentError('roi', `${this.dimensions} dimensions`, roi.dimensions);
    if (roi.empty) return [];
    return this.statements.nodeBlocksNear.all(...this.axes.flatMap((axis) => [roi.begin.at(axis), roi.end.at(axis)]));
  }

  /** Rows of edge_blocks that may hold edges of the nodes in the Roi, in the order of (task, block). */
  edgeBlocks(roi?: Roi): number[] {
    if (roi === undefined) return this.statements.allEdgeBlocks.all();
    const ranges = new Set<number>();
    for (const id of this.nodeBlocks(roi)) {
      const { ids, positions } = this.nodeRows(id)!;
      for (let row = 0; row < ids.length; row++) {
        if (isInside(positions, row, roi)) addRanges(ids.subarray(row, row + 1), ranges);
      }
    }
    return this.statements.edgeBlocksOfRanges.all(JSON.stringify([...ranges]));
  }

  edgeRowCount(): number {
    return this.statements.edgeRowCount.get()!;
  }

  nodeRows(id: number): NodeRows | undefined {
    const stored = this.statements.nodes.get(id);
    if (stored === undefined) return undefined;
    const { task, block, count } = stored;
    return {
      task,
      block,
      ids: this.column(stored, 'ids', BigUint64Array, count),
      sizes: this.column(stored, 'sizes', BigUint64Array, count),
      positions: this.column(stored, 'positions', Float64Array, count * this.dimensions),
    };
  }

  edgeRows(id: number): EdgeRows | undefined {
    const stored = this.statements.edges.get(id);
    if (stored === undefined) return undefined;
    const { task, block, count } = stored;
    const names = this.attributeNames(stored);
    const sums = this.column(stored, 'sums', Float64Array, count * names.length);
    const counts = this.column(stored, 'counts', Float64Array, count * names.length);
    const attributes: Record<string, AttributeColumns> = {};
    for (const [index, name] of names.entries()) {
      const [begin, end] = [index * count, (index + 1) * count];
      attributes[name] = { sums: sums.subarray(begin, end), counts: counts.subarray(begin, end) };
    }
    return {
      task,
      block,
      u: this.column(stored, 'u', BigUint64Array, count),
      v: this.column(stored, 'v', BigUint64Array, count),
      attributes,
    };
  }

  close(): void {
    this.database.close();
  }

  private dropNodes(id: number): void {
    this.statements.dropNodes.run(id);
    this.statements.dropBox.run(id);
  }

  private dropEdges(id: number): void {
    this.statements.dropEdges.run(id);
    this.statements.dropRanges.run(id);
  }

  /** begin, end of each indexed axis: the box of the positions, which SQLite rounds outwards to float32. */
  private boxOf(positions: Float64Array): number[] {
    return this.axes.flatMap((axis) => {
      let begin = Number.POSITIVE_INFINITY;
      let end = Number.NEGATIVE_INFINITY;
      for (let index = axis; index < positions.length; index += this.dimensions) {
        begin = Math.min(begin, positions[index]);
        end = Math.max(end, positions[index]);
      }
      return [begin, end];
    });
  }

  private attributeNames(stored: StoredEdges): string[] {
    try {
      const names: unknown = JSON.parse(stored.attributes);
      if (Array.isArray(names) && names.every((name) => typeof name === 'string')) return names;
    } catch {
      // said below
    }
    throw this.damaged(stored, 'attributes', 'a JSON list of names', stored.attributes);
  }

  /** A column of a stored row; its bytes are ours (SQLite's were copied). */
  private column<Elements, Stored extends { task: string; block: number }>(
    stored: Stored,
    name: keyof Stored & string,
    type: new (buffer: ArrayBuffer, offset: number, length: number) => Elements,
    length: number,
  ): Elements {
    const bytes: unknown = stored[name];
    if (!ArrayBuffer.isView(bytes) || bytes.byteLength !== length * 8) {
      const found = ArrayBuffer.isView(bytes) ? `${bytes.byteLength} bytes` : typeof bytes;
      throw this.damaged(stored, name, `${length * 8} bytes`, found);
    }
    const aligned = bytes.byteOffset % 8 === 0;
    const buffer = aligned ? bytes.buffer : bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
    return new type(buffer as ArrayBuffer, aligned ? bytes.byteOffset : 0, length);
  }

  private damaged(stored: { task: string; block: number }, column: string, expected: string, found: string): Error {
    return new BlockwrightError(
      'ERR_GRAPH',
      `${this.path}: rows of block ${stored.block} of task ${stored.task} are damaged: ${column}: expected ${expected}, found ${found}`,
      { path: this.path, task: stored.task, block: stored.block, column },
    );
  }
}

function bytesOf(array: BigUint64Array | Float64Array): Buffer {
  return Buffer.from(array.buffer, array.byteOffset, array.byteLength);
}

function isInside(positions: Float64Array, row: number, roi: Roi): boolean {
  const { dimensions } = roi;
  for (let axis = 0; axis < dimensions; axis++) {
    const position = positions[row * dimensions + axis];
    const begin = roi.offset.at(axis);
    if (position < begin || position >= begin + roi.shape.at(axis)) return false;
  }
  return true;
}

/** Adds the ranges of 2^16 ids in which the ids lie, from their 32-bit halves: BigInt arithmetic is slow. */
function addRanges(ids: BigUint64Array, ranges: Set<number>): void {
  const words = new Uint32Array(ids.buffer, ids.byteOffset, ids.length * 2);
  let last = -1;
  for (let index = 0; index < words.length; index += 2) {
    const range = words[index + 1] * 65536 + (words[index] >>> 16);
    if (range !== last) ranges.add(range);
    last = range;
  }
}
