import { BlockwrightError } from '../errors.js';
import type { Roi } from '../geometry/roi.js';
import { addUpEdges, mergeEdges } from '../native/merge-edges.js';
import { mergeNodes } from '../native/merge-nodes.js';
import { GatheredEdges } from './gathered-edges.js';
import type { EdgeColumns, EdgeRows, GraphStore, NodeColumns, NodeRows } from './graph-store.js';

/**
 * {@link GraphStore.readNodes} for any store that gives its rows. Merging runs on a native thread of the reader.
 *
 * @throws the reason of `signal`, or ERR_CANCELLED, when that is aborted
 */
export async function readMergedNodes(store: GraphStore, roi?: Roi, signal?: AbortSignal): Promise<NodeColumns> {
  const runs: NodeRows[] = [];
  for await (const rows of store.nodeRows(roi)) {
    signal?.throwIfAborted();
    if (rows.ids.length > 0) runs.push(rows);
  }
  if (runs.length === 0) {
    return { ids: new BigUint64Array(0), sizes: new BigUint64Array(0), positions: new Float64Array(0) };
  }
  const dimensions = runs[0].positions.length / runs[0].ids.length;
  const { ids, sizes, positions, duplicate } = await mergeNodes(runs, dimensions, {
    ...(roi === undefined ? {} : { roi }),
    ...(signal === undefined ? {} : { signal }),
  });
  if (duplicate !== undefined) {
    const name = ({ task, block }: NodeRows) => `block ${block} of task ${task}`;
    throw new BlockwrightError(
      'ERR_GRAPH',
      `node ${duplicate.id}: expected one row, found one in ${name(runs[duplicate.firstRun])} and one in ${name(runs[duplicate.secondRun])}`,
      { id: duplicate.id },
    );
  }
  return { ids, sizes, positions };
}

/** {@link GraphStore.readEdges} for any store that gives its rows; `signal` as for nodes. */
export async function readMergedEdges(store: GraphStore, roi?: Roi, signal?: AbortSignal): Promise<EdgeColumns> {
  const attributes = (await store.edgeAttributes()).map(({ name }) => name);
  if (roi === undefined) {
    const gathered = await GatheredEdges.make(attributes, await store.edgeRowCount());
    for await (const rows of store.edgeRows()) {
      signal?.throwIfAborted();
      await gathered.add(rows);
    }
    return addUpEdges(gathered.rows(), signal === undefined ? {} : { signal });
  }
  const nodes = (await readMergedNodes(store, roi, signal)).ids;
  const runs: EdgeRows[] = [];
  for await (const rows of store.edgeRows(roi)) {
    signal?.throwIfAborted();
    if (rows.u.length > 0) runs.push(rows);
  }
  return mergeEdges(runs, attributes, { nodes, ...(signal === undefined ? {} : { signal }) });
}
