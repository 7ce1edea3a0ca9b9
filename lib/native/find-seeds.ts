import { callNative } from './addon.js';
import {
  argumentError,
  checkAffinities,
  checkChannels,
  checkLength,
  checkShape,
  checkType,
  checkWholeNumber,
} from './checks.js';

export interface SeedMaskOptions {
  /** The channels that are averaged. @default as many of the first channels as the shape has axes */
  readonly channels?: readonly number[];
  /** The mask is 1 where the mean is above this. @default 0.5 */
  readonly threshold?: number;
  readonly signal?: AbortSignal;
}

/**
 * Where the mean of some channels of affinities is above a threshold: 1, else 0.
 *
 * @param affinities [channels, ...shape]; uint8 stands for value / 255 (compared exactly), float32 for itself
 * @throws ERR_ARGUMENT; ERR_NOT_A_NUMBER when a NaN is met; ERR_CANCELLED
 */
export async function seedMask(
  affinities: Uint8Array | Float32Array,
  shape: readonly number[],
  options: SeedMaskOptions = {},
): Promise<Uint8Array> {
  const count = checkShape('shape', shape);
  const available = checkAffinities(affinities, shape);
  const channels = options.channels ?? shape.map((_, axis) => axis);
  checkChannels('channels', channels, available, count === 0);
  const threshold = options.threshold ?? 0.5;
  if (!Number.isFinite(threshold)) throw argumentError('threshold', 'a finite number', threshold);
  const mask = new Uint8Array(count);
  await callNative<void>('thresholdMean', { affinities, channels, threshold, mask }, options.signal);
  return mask;
}

export interface Seeds {
  /** [shape]: 1, 2, ... in raster order of a seed's first voxel, else 0. */
  readonly seeds: BigUint64Array;
  readonly count: number;
}

/**
 * Seeds in the middle of what a mask holds: the face-connected pieces of the voxels of the mask whose distance to its
 * outside (Euclidean, in voxels) is the largest in the cube of `minSeedDistance` voxels about them, which spans
 * -floor(n / 2) to n - floor(n / 2) - 1 along each axis and ends with the array.
 *
 * @param mask C order, of `shape`; peak memory beside it and the result: 24 bytes a voxel
 * @throws ERR_ARGUMENT, ERR_CANCELLED
 */
export async function findSeeds(
  mask: Uint8Array,
  shape: readonly number[],
  options: { readonly minSeedDistance: number; readonly signal?: AbortSignal },
): Promise<Seeds> {
  checkType('mask', mask, 'Uint8Array');
  const count = checkLength('mask', mask, shape);
  const window = checkWholeNumber('minSeedDistance', options.minSeedDistance, 1);
  const seeds = new BigUint64Array(count);
  const found = await callNative<number>('findSeeds', { mask, shape, window, output: seeds }, options.signal);
  return { seeds, count: found };
}
