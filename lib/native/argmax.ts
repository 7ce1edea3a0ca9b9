import { callNative } from './addon.js';
import { argumentError, checkLength, checkThreads, checkType } from './checks.js';
import type { NumericArray } from './numeric-array.js';

/** Values of channels; integers of 64 bits are not among them. */
export type ChannelValues = Exclude<NumericArray, BigUint64Array | BigInt64Array>;

/** Numbers of classes, from 0. */
export type ClassNumbers = Uint8Array | Uint16Array | Uint32Array | BigUint64Array;

export interface ArgmaxOptions {
  /**
   * Channels whose sums are compared, one list a class; a channel may be in several lists or in none.
   * @default every channel is a class
   */
  readonly combineClasses?: readonly (readonly number[])[] | undefined;
  /** Where the result goes. @default a new Uint8Array, with more than 256 classes a Uint16Array */
  readonly output?: ClassNumbers;
  /** Threads of this call; the result does not depend on them. @default 1 */
  readonly threads?: number;
  readonly signal?: AbortSignal;
}

/** Most classes of a call. */
export const MAX_CLASSES = 65536;

const VALUES = [
  'Uint8Array',
  'Int8Array',
  'Uint16Array',
  'Int16Array',
  'Uint32Array',
  'Int32Array',
  'Float32Array',
  'Float64Array',
] as const;

/**
 * The class of every voxel: the channel with the highest value, or the group of channels with the highest sum. The first of
 * equal ones wins, and NaN is higher than everything, as for numpy.argmax. Sums of integers are exact; floats are added in
 * their own type, in the order of the list.
 *
 * Memory beside the arrays: 24 KiB a thread.
 *
 * @param values C order, of `shape`
 * @param shape [channels, ...spatial], 1 to 6 numbers
 * @returns one number a voxel
 * @throws ERR_ARGUMENT, ERR_CANCELLED
 */
export async function argmax(
  values: ChannelValues,
  shape: readonly number[],
  options: ArgmaxOptions = {},
): Promise<ClassNumbers> {
  checkType('values', values, ...VALUES);
  checkLength('values', values, shape);
  const [channels, ...spatial] = shape;
  if (channels === 0) throw argumentError('shape', 'at least one channel', `[${shape.join(', ')}]`);
  const groups = options.combineClasses ?? Array.from({ length: channels }, (_, channel) => [channel]);
  if (groups.length === 0 || groups.length > MAX_CLASSES) {
    throw argumentError(
      options.combineClasses ? 'combineClasses' : 'shape',
      `1 to ${MAX_CLASSES} classes`,
      groups.length,
    );
  }
  for (const group of groups) {
    if (group.length === 0 || !group.every((one) => Number.isSafeInteger(one) && one >= 0 && one < channels)) {
      throw argumentError(
        'combineClasses',
        `channels in [0, ${channels}), at least one a class`,
        `[${group.join(', ')}]`,
      );
    }
  }
  const threads = checkThreads(options.threads);
  const voxels = spatial.reduce((product, extent) => product * extent, 1);
  const output = options.output ?? (groups.length > 256 ? new Uint16Array(voxels) : new Uint8Array(voxels));
  checkType('output', output, 'Uint8Array', 'Uint16Array', 'Uint32Array', 'BigUint64Array');
  if (output.length !== voxels) throw argumentError('output', `${voxels} elements`, output.length);
  if (output.BYTES_PER_ELEMENT === 1 && groups.length > 256) {
    throw argumentError('output', `numbers wide enough for ${groups.length} classes`, 'a Uint8Array');
  }
  await callNative<void>('argmax', { values, shape, groups, output, threads }, options.signal);
  return output;
}
