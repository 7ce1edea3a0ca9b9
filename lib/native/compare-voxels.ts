import { callNative } from './addon.js';
import { argumentError, checkLength, checkType, checkWholeNumber } from './checks.js';
import type { NumericArray } from './numeric-array.js';

/** Elements of an array of any type that is stored. */
export type ComparedArray = NumericArray;

const TYPES = [
  'Uint8Array',
  'Int8Array',
  'Uint16Array',
  'Int16Array',
  'Uint32Array',
  'Int32Array',
  'BigUint64Array',
  'BigInt64Array',
  'Float32Array',
  'Float64Array',
] as const;

export interface VoxelDifferences {
  /** Elements that are not equal; NaN equals NaN, and 0 equals -0. */
  readonly unequal: number;
  /** Those of them whose difference exceeds the tolerance, or where one alone is NaN. */
  readonly different: number;
  /** Where one alone is NaN. */
  readonly notNumbers: number;
  /** Largest |a - b| of all elements; 0 where none differs. */
  readonly largest: number;
  /** Index of the first element with it; -1 where there is none. */
  readonly largestAt: number;
  /** Indices of the first different elements, ascending. */
  readonly first: Float64Array;
  /** The smallest box around the different elements; without any of them begin is the shape and end 0. */
  readonly begin: Float64Array;
  readonly end: Float64Array;
  /** Different elements of every index along the axis `planesAlong`; empty where the arrays are. */
  readonly planes: Float64Array;
}

export interface CompareVoxelsOptions {
  /** How far two numbers may be apart, 0 or more. @default 0 */
  readonly tolerance?: number | undefined;
  /** Indices that are listed, at most. @default 10 */
  readonly limit?: number | undefined;
  /** The axis along which differences are counted. @default 0 */
  readonly planesAlong?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Where two arrays of one shape differ, element by element. Two integer types are compared exactly; a float with another
 * type as float64. Peak memory beside the arrays: 128 KiB.
 *
 * @param shape 1 to 6 extents, of both
 * @throws ERR_ARGUMENT, ERR_CANCELLED
 */
export async function compareVoxels(
  a: ComparedArray,
  b: ComparedArray,
  shape: readonly number[],
  options: CompareVoxelsOptions = {},
): Promise<VoxelDifferences> {
  for (const [name, array] of Object.entries({ a, b })) {
    checkType(name, array, ...TYPES);
    checkLength(name, array, shape);
  }
  const { tolerance = 0, limit = 10, planesAlong = 0, signal } = options;
  if (!(tolerance >= 0)) throw argumentError('tolerance', 'a number, 0 or more', tolerance);
  checkWholeNumber('limit', limit, 0);
  if (checkWholeNumber('planesAlong', planesAlong, 0) >= shape.length) {
    throw argumentError('planesAlong', `an axis, below ${shape.length}`, planesAlong);
  }
  return callNative<VoxelDifferences>('compareVoxels', { a, b, shape, tolerance, limit, planesAlong }, signal);
}
