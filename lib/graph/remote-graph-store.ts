import { BlockwrightError } from '../errors.js';
import type { Roi } from '../geometry/roi.js';
import { checkEdgeColumns, checkNodeColumns } from './graph-columns.js';
import {
  decodeAttributes,
  decodeCount,
  decodeDone,
  decodeEdgeRows,
  decodeNodeRows,
  encodeRequest,
  encodeRoi,
  encodeWriteEdges,
  encodeWriteNodes,
  type GraphMessage,
} from './graph-messages.js';
import type {
  BlockKey,
  EdgeAttribute,
  EdgeColumns,
  EdgeRows,
  GraphSchema,
  GraphStore,
  NodeColumns,
  NodeRows,
} from './graph-store.js';
import { readMergedEdges, readMergedNodes } from './merged-rows.js';

/**
 * Carries a request to where {@link serveGraphRequest} answers it, and its pieces back, in order. Throws what was thrown
 * there. It may take the payload over (transfer it). When the reader stops early the rest need not come.
 */
export type CallGraph = (header: unknown, payload: Uint8Array) => AsyncIterable<GraphMessage>;

/** A graph store that is open in another thread, process or host. Rows are merged here, on the reader's side. */
export class RemoteGraphStore implements GraphStore {
  /**
   * @param tasks whose rows are read. @default those of all tasks
   * @param signal asked for when nodes or edges are read, which it then stops
   */
  constructor(
    private readonly call: CallGraph,
    private readonly tasks?: ReadonlySet<string>,
    private readonly signal?: () => AbortSignal,
  ) {}

  async init(schema: GraphSchema): Promise<void> {
    decodeDone(await this.ask(encodeRequest({ operation: 'init', dimensions: schema.dimensions })));
  }

  async addEdgeAttributes(attributes: readonly EdgeAttribute[]): Promise<void> {
    const request = { operation: 'addEdgeAttributes' as const, attributes: [...attributes] };
    decodeDone(await this.ask(encodeRequest(request)));
  }

  async edgeAttributes(): Promise<readonly EdgeAttribute[]> {
    return decodeAttributes(await this.ask(encodeRequest({ operation: 'edgeAttributes' })));
  }

  async writeNodes(key: BlockKey, nodes: NodeColumns): Promise<void> {
    checkNodeColumns(nodes, key.roi.dimensions);
    decodeDone(await this.ask(encodeWriteNodes(key, nodes, key.roi.dimensions)));
  }

  async writeEdges(key: BlockKey, edges: EdgeColumns): Promise<void> {
    checkEdgeColumns(edges);
    decodeDone(await this.ask(encodeWriteEdges(key, edges)));
  }

  async clear(task: string): Promise<void> {
    decodeDone(await this.ask(encodeRequest({ operation: 'clear', task })));
  }

  readNodes(roi?: Roi): Promise<NodeColumns> {
    return readMergedNodes(this, roi, this.signal?.());
  }

  readEdges(roi?: Roi): Promise<EdgeColumns> {
    return readMergedEdges(this, roi, this.signal?.());
  }

  async edgeRowCount(): Promise<number> {
    return decodeCount(await this.ask(encodeRequest({ operation: 'edgeRowCount' })));
  }

  async *nodeRows(roi?: Roi): AsyncGenerator<NodeRows> {
    const { header, payload } = encodeRequest({ operation: 'nodeRows', ...encodeRoi(roi) });
    for await (const message of this.call(header, payload)) yield* this.wanted(decodeNodeRows(message));
  }

  async *edgeRows(roi?: Roi): AsyncGenerator<EdgeRows> {
    const { header, payload } = encodeRequest({ operation: 'edgeRows', ...encodeRoi(roi) });
    for await (const message of this.call(header, payload)) yield* this.wanted(decodeEdgeRows(message));
  }

  /** Lets go of nothing: the connection is its owner's. */
  async close(): Promise<void> {}

  private *wanted<Rows extends { readonly task: string }>(parts: Iterable<Rows>): Generator<Rows> {
    for (const rows of parts) if (this.tasks?.has(rows.task) ?? true) yield rows;
  }

  private async ask({ header, payload }: GraphMessage): Promise<GraphMessage> {
    for await (const message of this.call(header, payload)) return message;
    throw new BlockwrightError('ERR_PROTOCOL', 'graph message: expected an answer, found none');
  }
}
