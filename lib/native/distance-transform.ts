import { callNative } from './addon.js';
import { argumentError, checkLength, checkThreads, checkType } from './checks.js';

export interface DistanceTransformOptions {
  /** Units per voxel and axis. @default 1 */
  readonly voxelSize?: readonly number[];
  /** Returns squared distances: exact integers with a voxel size of 1. @default false */
  readonly squared?: boolean;
  /** Threads of this call; the result does not depend on them. @default 1 */
  readonly threads?: number;
  readonly signal?: AbortSignal;
}

/**
 * Exact Euclidean distance from each voxel to the nearest one where the mask is 0 (0 there; Infinity everywhere when
 * there is none).
 *
 * Felzenszwalb and Huttenlocher, "Distance transforms of sampled functions" (2012), and a search of the nearest places before it:
 * linear in the number of voxels. Peak memory beside the arrays: 16 bytes a voxel of a slab (all axes but the first) a thread.
 *
 * @param mask C order, of `shape` (1 to 6 dimensions)
 * @throws ERR_ARGUMENT, ERR_CANCELLED
 */
export async function distanceTransform(
  mask: Uint8Array,
  shape: readonly number[],
  options: DistanceTransformOptions = {},
): Promise<Float64Array> {
  checkType('mask', mask, 'Uint8Array');
  const count = checkLength('mask', mask, shape);
  const voxelSize = options.voxelSize ?? shape.map(() => 1);
  if (voxelSize.length !== shape.length || !voxelSize.every((size) => size >= 1e-100 && size <= 1e100)) {
    throw argumentError('voxelSize', `${shape.length} numbers above 0`, `[${voxelSize.join(', ')}]`);
  }
  const threads = checkThreads(options.threads);
  const output = new Float64Array(count);
  await callNative<void>(
    'distanceTransform',
    { mask, shape, voxelSize, squared: options.squared ?? false, output, threads },
    options.signal,
  );
  return output;
}
