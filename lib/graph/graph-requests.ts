import {
  DONE_MESSAGE,
  decodeEdges,
  decodeNodes,
  decodeRequest,
  decodeRoi,
  encodeAttributes,
  encodeCount,
  encodeEdgeRows,
  encodeNodeRows,
  type GraphMessage,
} from './graph-messages.js';
import type { BlockKey, GraphStore } from './graph-store.js';

/**
 * Answers a request that came from afar. Every answer has at least one piece, but a read of no rows has none.
 *
 * @throws ERR_PROTOCOL when the bytes are no request; what the store throws
 */
export async function* serveGraphRequest(
  store: GraphStore,
  header: unknown,
  payload: Uint8Array,
): AsyncGenerator<GraphMessage> {
  const request = decodeRequest(header);
  switch (request.operation) {
    case 'init':
      await store.init({ dimensions: request.dimensions });
      break;
    case 'addEdgeAttributes':
      await store.addEdgeAttributes(request.attributes);
      break;
    case 'edgeAttributes':
      yield encodeAttributes(await store.edgeAttributes());
      return;
    case 'edgeRowCount':
      yield encodeCount(await store.edgeRowCount());
      return;
    case 'writeNodes':
      await store.writeNodes(keyOf(request.key), decodeNodes(payload, request.count, request.dimensions));
      break;
    case 'writeEdges':
      await store.writeEdges(keyOf(request.key), decodeEdges(payload, request.count, request.attributes));
      break;
    case 'clear':
      await store.clear(request.task);
      break;
    case 'nodeRows':
      yield* encodeNodeRows(store.nodeRows(decodeRoi(request.roi)));
      return;
    case 'edgeRows':
      yield* encodeEdgeRows(store.edgeRows(decodeRoi(request.roi)));
      return;
  }
  yield DONE_MESSAGE;
}

function keyOf(key: { task: string; block: number; roi: { offset: number[]; shape: number[] } }): BlockKey {
  return { ...key, roi: decodeRoi(key.roi)! };
}
