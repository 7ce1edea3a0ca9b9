import { callNative } from './addon.js';
import { argumentError, checkLength, checkType } from './checks.js';
import type { NumericArray } from './numeric-array.js';

export type DownsampleMethod = 'mean' | 'mode' | 'stride';

/** Arrays that can be downsampled. */
export type DownsampleValues = NumericArray;

export interface DownsampleOptions {
  /** Voxels of a cell, one number an axis, from 1 on (1 for channels); their product is at most 2^31. */
  readonly factors: readonly number[];
  /**
   * `mean`: the mean of the cell; of integers it is exact, then rounded to nearest, ties to even (as tensorstore does); floats
   * are added in float64 in raster order, and NaN spreads. `mode`: the most frequent value, ties to the smallest; integers only.
   * `stride`: the cell's first voxel.
   */
  readonly method: DownsampleMethod;
  /** With `mode`: 0 counts only where a cell has nothing else, so that thin things do not vanish. @default false */
  readonly ignoreBackground?: boolean;
  readonly signal?: AbortSignal;
}

const TYPES = {
  Uint8Array,
  Int8Array,
  Uint16Array,
  Int16Array,
  Uint32Array,
  Int32Array,
  BigUint64Array,
  BigInt64Array,
  Float32Array,
  Float64Array,
} as const;

/** Extents divided by the factors, rounded up: a cell at the upper end covers what there is. */
export function downsampledShape(shape: readonly number[], factors: readonly number[]): number[] {
  return shape.map((extent, axis) => Math.ceil(extent / factors[axis]));
}

/**
 * One value for every cell of `factors` voxels, beginning at voxel 0; cells at the upper ends of the axes are cut to the voxels
 * that there are, and only these count.
 *
 * @param values C order, of `shape` (1 to 6 dimensions)
 * @returns an array of the same type, of {@link downsampledShape}
 * @throws ERR_ARGUMENT, ERR_CANCELLED
 */
export async function downsample<Values extends DownsampleValues>(
  values: Values,
  shape: readonly number[],
  options: DownsampleOptions,
): Promise<Values> {
  const type = checkType('values', values, ...(Object.keys(TYPES) as (keyof typeof TYPES)[]));
  checkLength('values', values, shape);
  const { factors, method, ignoreBackground = false, signal } = options;
  const right =
    factors.length === shape.length && factors.every((factor) => Number.isSafeInteger(factor) && factor > 0);
  if (!right || factors.reduce((product, factor) => product * factor, 1) > 2 ** 31) {
    const expected = `${shape.length} whole numbers from 1 on with a product of at most 2^31`;
    throw argumentError('factors', expected, `[${factors.join(', ')}]`);
  }
  if (!['mean', 'mode', 'stride'].includes(method)) throw argumentError('method', 'mean, mode or stride', method);
  if (method === 'mode' && type.startsWith('Float')) throw argumentError('method', 'mean or stride for floats', method);
  const count = downsampledShape(shape, factors).reduce((product, extent) => product * extent, 1);
  const output = new TYPES[type](count) as Values;
  await callNative<void>('downsample', { values, shape, factors, method, ignoreBackground, output }, signal);
  return output;
}
