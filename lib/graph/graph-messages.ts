import { z } from 'zod';
import { BlockwrightError } from '../errors.js';
import { Roi } from '../geometry/roi.js';
import type { AttributeColumns, BlockKey, EdgeColumns, EdgeRows, NodeColumns, NodeRows } from './graph-store.js';

/**
 * A request to a graph store, or a piece of its answer, as it travels to the process that has the store open: a header
 * that is JSON, and columns as little-endian bytes.
 */
export interface GraphMessage {
  readonly header: unknown;
  readonly payload: Uint8Array;
}

/** Bytes of columns in one piece of an answer, at most. */
export const PIECE_BYTES = 16 * 2 ** 20;

const EMPTY = new Uint8Array(0);

const name = z.string().max(200);
const whole = z.number().int().min(0);
const coordinate = z.array(z.number().int()).min(1).max(6);
const roi = z.strictObject({ offset: coordinate, shape: coordinate });
const key = z.strictObject({ task: name, block: whole, roi });
const attribute = z.strictObject({ name, scale: z.number() });
const attributeNames = z.array(name).max(256);
const dimensions = z.number().int().min(1).max(6);
const nodePart = z.strictObject({ task: name, block: whole, count: whole });
const edgePart = z.strictObject({ task: name, block: whole, count: whole, attributes: attributeNames });

const REQUEST = z.discriminatedUnion('operation', [
  z.strictObject({ operation: z.literal('init'), dimensions }),
  z.strictObject({ operation: z.literal('addEdgeAttributes'), attributes: z.array(attribute).max(256) }),
  z.strictObject({ operation: z.literal('edgeAttributes') }),
  z.strictObject({ operation: z.literal('edgeRowCount') }),
  z.strictObject({ operation: z.literal('writeNodes'), key, count: whole, dimensions }),
  z.strictObject({ operation: z.literal('writeEdges'), key, count: whole, attributes: attributeNames }),
  z.strictObject({ operation: z.literal('clear'), task: name }),
  z.strictObject({ operation: z.literal('nodeRows'), roi: roi.optional() }),
  z.strictObject({ operation: z.literal('edgeRows'), roi: roi.optional() }),
]);

/** What can be asked of a graph store from afar; reads give rows, which the reader merges. */
export type GraphRequest = z.infer<typeof REQUEST>;

const DONE = z.strictObject({ answer: z.literal('done') });
const ATTRIBUTES = z.strictObject({ answer: z.literal('edgeAttributes'), attributes: z.array(attribute).max(4096) });
const COUNT = z.strictObject({ answer: z.literal('edgeRowCount'), count: whole });
const NODE_ROWS = z.strictObject({ answer: z.literal('nodeRows'), dimensions, parts: z.array(nodePart) });
const EDGE_ROWS = z.strictObject({ answer: z.literal('edgeRows'), parts: z.array(edgePart) });

function parse<Content>(schema: z.ZodType<Content>, header: unknown): Content {
  const result = schema.safeParse(header);
  if (result.success) return result.data;
  const { path, message } = result.error.issues[0];
  throw new BlockwrightError('ERR_PROTOCOL', `graph message: ${path.join('.') || 'header'}: ${message}`);
}

/** The request of a message. @throws ERR_PROTOCOL */
export function decodeRequest(header: unknown): GraphRequest {
  return parse(REQUEST, header);
}

export function encodeRequest(request: GraphRequest): GraphMessage {
  return { header: request, payload: EMPTY };
}

export function encodeWriteNodes(blockKey: BlockKey, nodes: NodeColumns, axes: number): GraphMessage {
  const header = { operation: 'writeNodes', key: keyOf(blockKey), count: nodes.ids.length, dimensions: axes };
  return { header, payload: concatenate([nodes.ids, nodes.sizes, nodes.positions]) };
}

export function encodeWriteEdges(blockKey: BlockKey, edges: EdgeColumns): GraphMessage {
  const attributes = Object.keys(edges.attributes);
  const header = { operation: 'writeEdges', key: keyOf(blockKey), count: edges.u.length, attributes };
  return { header, payload: concatenate(edgeColumns(edges)) };
}

export function decodeRoi(value: { offset: number[]; shape: number[] } | undefined): Roi | undefined {
  if (value === undefined) return undefined;
  try {
    return new Roi(value.offset, value.shape);
  } catch (error) {
    throw new BlockwrightError('ERR_PROTOCOL', `graph message: ${(error as Error).message}`, {}, { cause: error });
  }
}

export function encodeRoi(value: Roi | undefined): { roi?: { offset: number[]; shape: number[] } } {
  return value === undefined ? {} : { roi: { offset: [...value.offset], shape: [...value.shape] } };
}

export function decodeNodes(payload: Uint8Array, count: number, axes: number): NodeColumns {
  const columns = new ColumnReader(payload);
  const nodes = columns.nodes(count, axes);
  columns.end();
  return nodes;
}

export function decodeEdges(payload: Uint8Array, count: number, attributes: readonly string[]): EdgeColumns {
  const columns = new ColumnReader(payload);
  const edges = columns.edges(count, attributes);
  columns.end();
  return edges;
}

export const DONE_MESSAGE: GraphMessage = { header: { answer: 'done' }, payload: EMPTY };

export function decodeDone(message: GraphMessage): void {
  parse(DONE, message.header);
}

export function encodeAttributes(attributes: readonly { name: string; scale: number }[]): GraphMessage {
  return { header: { answer: 'edgeAttributes', attributes }, payload: EMPTY };
}

export function decodeAttributes(message: GraphMessage): { name: string; scale: number }[] {
  return parse(ATTRIBUTES, message.header).attributes;
}

export function encodeCount(count: number): GraphMessage {
  return { header: { answer: 'edgeRowCount', count }, payload: EMPTY };
}

export function decodeCount(message: GraphMessage): number {
  return parse(COUNT, message.header).count;
}

/** Rows of many blocks as pieces of at most `limit` bytes: small blocks travel together, large ones in parts. */
export async function* encodeNodeRows(
  blocks: AsyncIterable<NodeRows>,
  limit = PIECE_BYTES,
): AsyncGenerator<GraphMessage> {
  let axes = 1;
  const parts = async function* () {
    for await (const { task, block, ids, sizes, positions } of blocks) {
      if (ids.length === 0) continue;
      axes = positions.length / ids.length;
      for (const [begin, end] of ranges(ids.length, (2 + axes) * 8, limit)) {
        yield {
          part: { task, block, count: end - begin },
          columns: [ids.subarray(begin, end), sizes.subarray(begin, end), positions.subarray(begin * axes, end * axes)],
        };
      }
    }
  };
  for await (const { list, payload } of pieces(parts(), limit)) {
    yield { header: { answer: 'nodeRows', dimensions: axes, parts: list }, payload };
  }
}

/** As {@link encodeNodeRows}. */
export async function* encodeEdgeRows(
  blocks: AsyncIterable<EdgeRows>,
  limit = PIECE_BYTES,
): AsyncGenerator<GraphMessage> {
  const parts = async function* () {
    for await (const { task, block, ...edges } of blocks) {
      const attributes = Object.keys(edges.attributes);
      const columns = edgeColumns(edges);
      for (const [begin, end] of ranges(edges.u.length, columns.length * 8, limit)) {
        yield {
          part: { task, block, count: end - begin, attributes },
          columns: columns.map((column) => column.subarray(begin, end)),
        };
      }
    }
  };
  for await (const { list, payload } of pieces(parts(), limit)) {
    yield { header: { answer: 'edgeRows', parts: list }, payload };
  }
}

export function* decodeNodeRows({ header, payload }: GraphMessage): Generator<NodeRows> {
  const { parts, dimensions: axes } = parse(NODE_ROWS, header);
  const columns = new ColumnReader(payload);
  for (const { task, block, count } of parts) yield { task, block, ...columns.nodes(count, axes) };
  columns.end();
}

export function* decodeEdgeRows({ header, payload }: GraphMessage): Generator<EdgeRows> {
  const { parts } = parse(EDGE_ROWS, header);
  const columns = new ColumnReader(payload);
  for (const { task, block, count, attributes } of parts) yield { task, block, ...columns.edges(count, attributes) };
  columns.end();
}

type Column = BigUint64Array | Float64Array;

function keyOf({ task, block, roi: box }: BlockKey): { task: string; block: number; roi: unknown } {
  return { task, block, ...encodeRoi(box) } as { task: string; block: number; roi: unknown };
}

/** u, v, all sums, all counts. */
function edgeColumns({ u, v, attributes }: EdgeColumns): Column[] {
  const scores = Object.values(attributes);
  return [u, v, ...scores.map(({ sums }) => sums), ...scores.map(({ counts }) => counts)];
}

function* ranges(count: number, rowBytes: number, limit: number): Generator<[number, number]> {
  const rows = Math.max(1, Math.floor(limit / rowBytes));
  for (let begin = 0; begin < count; begin += rows) yield [begin, Math.min(begin + rows, count)];
}

/** Collects parts until the next would exceed the limit. */
async function* pieces<Part>(
  parts: AsyncIterable<{ part: Part; columns: Column[] }>,
  limit: number,
): AsyncGenerator<{ list: Part[]; payload: Uint8Array }> {
  let list: Part[] = [];
  let columns: Column[] = [];
  let bytes = 0;
  for await (const next of parts) {
    const size = next.columns.reduce((sum, column) => sum + column.byteLength, 0);
    if (list.length > 0 && bytes + size > limit) {
      yield { list, payload: concatenate(columns) };
      [list, columns, bytes] = [[], [], 0];
    }
    list.push(next.part);
    columns.push(...next.columns);
    bytes += size;
  }
  if (list.length > 0) yield { list, payload: concatenate(columns) };
}

function concatenate(columns: readonly Column[]): Uint8Array {
  const result = new Uint8Array(columns.reduce((sum, column) => sum + column.byteLength, 0));
  let offset = 0;
  for (const column of columns) {
    result.set(new Uint8Array(column.buffer, column.byteOffset, column.byteLength), offset);
    offset += column.byteLength;
  }
  return result;
}

/** Takes columns off a payload; every column has elements of 8 bytes. */
class ColumnReader {
  private readonly bytes: Uint8Array;
  private offset = 0;

  constructor(payload: Uint8Array) {
    // Views need aligned bytes; a frame of a socket seldom is.
    this.bytes = payload.byteOffset % 8 === 0 ? payload : new Uint8Array(payload);
  }

  nodes(count: number, axes: number): NodeColumns {
    return {
      ids: this.take(BigUint64Array, count),
      sizes: this.take(BigUint64Array, count),
      positions: this.take(Float64Array, count * axes),
    };
  }

  edges(count: number, names: readonly string[]): EdgeColumns {
    const u = this.take(BigUint64Array, count);
    const v = this.take(BigUint64Array, count);
    const sums = names.map(() => this.take(Float64Array, count));
    const counts = names.map(() => this.take(Float64Array, count));
    // From entries: a name such as __proto__ stays a name.
    const attributes: Record<string, AttributeColumns> = Object.fromEntries(
      names.map((attributeName, index) => [attributeName, { sums: sums[index], counts: counts[index] }]),
    );
    return { u, v, attributes };
  }

  /** @throws ERR_PROTOCOL when bytes are left */
  end(): void {
    if (this.offset !== this.bytes.byteLength) {
      throw new BlockwrightError(
        'ERR_PROTOCOL',
        `graph message: expected ${this.offset} bytes of columns, found ${this.bytes.byteLength}`,
      );
    }
  }

  private take<Elements>(
    type: new (buffer: ArrayBuffer, offset: number, length: number) => Elements,
    length: number,
  ): Elements {
    const left = this.bytes.byteLength - this.offset;
    if (length * 8 > left) {
      throw new BlockwrightError(
        'ERR_PROTOCOL',
        `graph message: expected ${length * 8} more bytes of columns, found ${left}`,
      );
    }
    const view = new type(this.bytes.buffer as ArrayBuffer, this.bytes.byteOffset + this.offset, length);
    this.offset += length * 8;
    return view;
  }
}
