import { callNative } from './addon.js';
import { argumentError, checkType } from './checks.js';

/**
 * Of each node the sum of the sizes of all nodes of its segment, uint64 (modulo 2^64).
 *
 * @param ids of the nodes, ascending, each once
 * @param segments of each node the id of its segment, which is that of a node of it, as {@link graphMutexWatershed} gives
 *   them
 * @param nodeSizes of each node
 * @returns as many sizes. Peak memory beside it: 12 bytes a node
 * @throws ERR_ARGUMENT; ERR_LIMIT from 2^32 nodes on; ERR_CANCELLED
 */
export async function segmentSizes(
  ids: BigUint64Array,
  segments: BigUint64Array,
  nodeSizes: BigUint64Array,
  options: { readonly signal?: AbortSignal } = {},
): Promise<BigUint64Array> {
  for (const [name, column] of Object.entries({ ids, segments, nodeSizes })) {
    checkType(name, column, 'BigUint64Array');
    if (column.length !== ids.length) throw argumentError(name, `${ids.length} elements`, column.length);
  }
  const sizes = new BigUint64Array(ids.length);
  await callNative('segmentSizes', { ids, segments, nodeSizes, sizes }, options.signal);
  return sizes;
}
