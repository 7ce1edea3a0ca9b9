import { distanceTransform } from '../native/distance-transform.js';
import { findSeeds } from '../native/find-seeds.js';
import type { ExtractFragsOptions } from './extract-frags.js';

/** Seeds of a block: maxima of the distance to the boundary, inside where the mean of the chosen channels is > 0.5. */
export async function findBlockSeeds(
  given: ExtractFragsOptions,
  affinities: Uint8Array | Float32Array,
  shape: readonly number[],
  signal: AbortSignal,
): Promise<BigUint64Array> {
  void given;
  void affinities;
  void shape;
  void signal;
  void distanceTransform;
  void findSeeds;
  throw new Error('placeholder');
}
