import { callNative } from './addon.js';
import { argumentError, checkAffinities, checkChannels, checkLabels } from './checks.js';

export interface FilterFragmentsOptions {
  /** Fragments whose mean affinity, 0 to 1, is below this are cleared. */
  readonly threshold: number;
  /** @default as many of the first channels as the shape has axes */
  readonly channels?: readonly number[];
  readonly signal?: AbortSignal;
}

/**
 * Sets fragments to 0, **in place**, whose mean over their voxels of the mean over the channels is below a threshold.
 *
 * @param fragments uint64, C order, of `shape`; after an error some of them may have been cleared
 * @param affinities [channels, ...shape]; uint8 stands for value / 255 (summed exactly), float32 for itself
 * @returns how many fragments were cleared
 * @throws ERR_ARGUMENT; ERR_NOT_A_NUMBER when a NaN lies under a fragment; ERR_CANCELLED
 */
export async function filterFragments(
  fragments: BigUint64Array,
  affinities: Uint8Array | Float32Array,
  shape: readonly number[],
  options: FilterFragmentsOptions,
): Promise<number> {
  const count = checkLabels('fragments', fragments, shape);
  const available = checkAffinities(affinities, shape);
  const channels = options.channels ?? shape.map((_, axis) => axis);
  checkChannels('channels', channels, available, count === 0);
  const { threshold } = options;
  if (!Number.isFinite(threshold)) throw argumentError('threshold', 'a finite number', threshold);
  return callNative<number>('filterFragments', { labels: fragments, affinities, channels, threshold }, options.signal);
}
