import { gaussianSmoothing } from '../native/gaussian-smoothing.js';

/** Affinities as floats in 0..1 (uint8 / 255). */
export function toUnitRange(affinities: Uint8Array | Float32Array): Float32Array {
  if (affinities.BYTES_PER_ELEMENT === 4) return affinities as Float32Array;
  const result = new Float32Array(affinities.length);
  for (let index = 0; index < result.length; index++) result[index] = affinities[index] / 255;
  return result;
}

/** Gaussian smoothing over the spatial axes of [channels, ...spatial] affinities. */
export async function smoothAffinities(
  affinities: Uint8Array | Float32Array,
  shape: readonly number[],
  sigma: readonly number[],
  signal: AbortSignal,
): Promise<Float32Array> {
  return gaussianSmoothing(toUnitRange(affinities), shape, { sigma: [0, ...sigma], signal });
}
