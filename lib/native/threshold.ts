import { callNative } from './addon.js';
import { argumentError, checkThreads, checkType } from './checks.js';
import type { NumericArray } from './numeric-array.js';
import { newOutput } from './output-memory.js';

const TYPES = {
  Uint8Array: 'uint8',
  Int8Array: 'int8',
  Uint16Array: 'uint16',
  Int16Array: 'int16',
  Uint32Array: 'uint32',
  Int32Array: 'int32',
  BigUint64Array: 'uint64',
  BigInt64Array: 'int64',
  Float32Array: 'float32',
  Float64Array: 'float64',
} as const;

/** Values that a threshold may be applied to. */
export type ThresholdValues = NumericArray;

export interface ThresholdOptions {
  /** Applied first, in float64: v * scale + shift, rounded to float32 (of 32- and 64-bit integers and of float64: not). @default 1 */
  readonly scale?: number;
  /** @default 0 */
  readonly shift?: number;
  /**
   * Where the result goes; may be `values` itself where that is a Uint8Array. A large new array cannot be transferred to another thread.
   * @default new
   */
  readonly output?: Uint8Array;
  /** Threads of this call; the result does not depend on them. @default 1 */
  readonly threads?: number;
  readonly signal?: AbortSignal;
}

/**
 * 1 where v > limit, else 0 (also for NaN). Integers are compared exactly with any limit; for float32 the limit is rounded to
 * float32.
 *
 * Memory beside the arrays: 32 KiB a thread.
 *
 * @param values any shape
 * @throws ERR_ARGUMENT, ERR_CANCELLED
 */
export async function threshold(
  values: ThresholdValues,
  limit: number,
  options: ThresholdOptions = {},
): Promise<Uint8Array> {
  const sourceType = TYPES[checkType('values', values, ...(Object.keys(TYPES) as (keyof typeof TYPES)[]))];
  const { scale = 1, shift = 0, signal } = options;
  for (const [name, value] of Object.entries({ limit, scale, shift })) {
    if (typeof value !== 'number' || Number.isNaN(value)) throw argumentError(name, 'a number', value);
  }
  const threads = checkThreads(options.threads);
  const count = values.length;
  const output = options.output ?? (await newOutput(Uint8Array, count));
  checkType('output', output, 'Uint8Array');
  if (output.length !== count) throw argumentError('output', `${count} elements`, output.length);
  const isWide = /32|64/.test(sourceType) && sourceType !== 'float32';
  const steps = [
    ...(scale === 1 && shift === 0
      ? []
      : [{ kind: 'affine', to: isWide ? 'float64' : 'float32', parameters: [scale, shift] }]),
    { kind: 'threshold', to: 'uint8', parameters: [limit, 0] },
  ];
  const pass = { source: values, sourceType, shape: [count], flipped: [], steps, target: output };
  await callNative<void>('voxelSteps', { ...pass, targetShape: [count], targetBegin: [0], threads }, signal);
  return output;
}
