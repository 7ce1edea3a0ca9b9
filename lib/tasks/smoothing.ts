import { distanceTransform } from '../native/distance-transform.js';
import { gaussianSmoothing } from '../native/gaussian-smoothing.js';

/** Affinities as floats in 0..1 (uint8 / 255); new memory. */
function toUnitRange(affinities: Uint8Array | Float32Array): Float32Array {
  const result = new Float32Array(affinities);
  if (affinities.BYTES_PER_ELEMENT === 1) {
    for (let index = 0; index < result.length; index++) result[index] /= 255;
  }
  return result;
}

/** Gaussian smoothing over the spatial axes of [channels, ...spatial] affinities. */
export async function smoothAffinities(
  affinities: Uint8Array | Float32Array,
  shape: readonly number[],
  sigma: readonly number[],
  signal: AbortSignal,
): Promise<Float32Array> {
  const values = toUnitRange(affinities);
  return gaussianSmoothing(values, shape, { sigma: [0, ...sigma], output: values, signal });
}

/** [channels, ...spatial] affinities, lowered in every channel by `eps` a voxel of distance to the nearest seed. */
export async function lowerFarFromSeeds(
  affinities: Uint8Array | Float32Array,
  shape: readonly number[],
  seeds: BigUint64Array,
  eps: number,
  signal: AbortSignal,
): Promise<Float32Array> {
  const values = toUnitRange(affinities);
  if (seeds.every((seed) => seed === 0n)) return values;
  const unseeded = Uint8Array.from(seeds, (seed) => (seed === 0n ? 1 : 0));
  const distance = await distanceTransform(unseeded, shape.slice(1), { signal });
  for (let index = 0; index < values.length; index++) values[index] -= eps * distance[index % distance.length];
  return values;
}
