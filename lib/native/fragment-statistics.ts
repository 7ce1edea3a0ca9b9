import { callNative } from './addon.js';
import { checkLabels } from './checks.js';

export interface FragmentStatistics {
  /** Labels that occur, ascending, without background 0. */
  readonly ids: BigUint64Array;
  /** Voxels of each label. */
  readonly sizes: BigUint64Array;
  /** [ids, dimensions]: centre of mass in voxels from the corner of the array; a single voxel's centre is its index. */
  readonly centres: Float64Array;
}

/**
 * Size and centre of mass of every label but background 0.
 *
 * @param labels uint64, C order, of `shape` (1 to 6 dimensions, voxels)
 * @throws ERR_ARGUMENT when the lengths do not fit; ERR_CANCELLED
 */
export async function fragmentStatistics(
  labels: BigUint64Array,
  shape: readonly number[],
  options: { readonly signal?: AbortSignal } = {},
): Promise<FragmentStatistics> {
  checkLabels('labels', labels, shape);
  return callNative<FragmentStatistics>('fragmentStatistics', { labels, shape }, options.signal);
}
