import { BlockwrightError } from '../errors.js';
import type { VoxelBox } from './voxel-box.js';

/** An ERR_ARGUMENT that says parameter, expectation and what was found. */
export function argumentError(parameter: string, expected: string, found: unknown): BlockwrightError {
  return new BlockwrightError('ERR_ARGUMENT', `${parameter}: expected ${expected}, found ${String(found)}`, {
    parameter,
    expected,
    found,
  });
}

/** Number of elements of a shape of 1 to 6 non-negative whole numbers. */
export function checkShape(parameter: string, shape: readonly number[]): number {
  if (shape.length < 1 || shape.length > 6) throw argumentError(parameter, '1 to 6 dimensions', shape.length);
  let count = 1;
  for (const extent of shape) {
    if (!Number.isSafeInteger(extent) || extent < 0) {
      throw argumentError(parameter, 'non-negative whole numbers', `[${shape.join(', ')}]`);
    }
    count *= extent;
  }
  if (!Number.isSafeInteger(count)) throw argumentError(parameter, 'fewer than 2^53 elements', count);
  return count;
}

/** The name of a value's type, also of typed arrays of another realm, which are not an `instanceof` ours. */
export function typeName(value: unknown): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}

/** Checks the type of a typed array by name; returns the name. */
export function checkType<Name extends string>(parameter: string, value: unknown, ...names: readonly Name[]): Name {
  const found = typeName(value);
  if (!(names as readonly string[]).includes(found)) throw argumentError(parameter, `a ${names.join(' or ')}`, found);
  return found as Name;
}

/** Checks that a typed array holds exactly the elements of `shape`; returns their number. */
export function checkLength(parameter: string, array: { readonly length: number }, shape: readonly number[]): number {
  const count = checkShape('shape', shape);
  if (array.length !== count) {
    throw argumentError(parameter, `${count} elements (shape [${shape.join(', ')}])`, array.length);
  }
  return count;
}

/** Checks uint64 labels of `shape`; returns the number of voxels. */
export function checkLabels(parameter: string, labels: BigUint64Array, shape: readonly number[]): number {
  checkType(parameter, labels, 'BigUint64Array');
  return checkLength(parameter, labels, shape);
}

/** Checks affinities [channels, ...shape]; returns the number of channels (0 for an empty shape). */
export function checkAffinities(affinities: Uint8Array | Float32Array, shape: readonly number[]): number {
  checkType('affinities', affinities, 'Uint8Array', 'Float32Array');
  const count = checkShape('shape', shape);
  if (count === 0 ? affinities.length !== 0 : affinities.length % count !== 0) {
    throw argumentError(
      'affinities',
      `a multiple of ${count} elements (shape [${shape.join(', ')}])`,
      affinities.length,
    );
  }
  return count === 0 ? 0 : affinities.length / count;
}

/** Checks a list of channels of an array with `available` channels (not the upper end when the array is empty). */
export function checkChannels(parameter: string, channels: readonly number[], available: number, empty: boolean): void {
  if (channels.length === 0) throw argumentError(parameter, 'at least one channel', '[]');
  for (const channel of channels) {
    if (!Number.isSafeInteger(channel) || channel < 0 || (!empty && channel >= available)) {
      throw argumentError(parameter, `channels in [0, ${available})`, `[${channels.join(', ')}]`);
    }
  }
}

/** Checks a whole number of at least `smallest`. */
export function checkWholeNumber(parameter: string, value: number, smallest: number): number {
  if (!Number.isSafeInteger(value) || value < smallest) {
    throw argumentError(parameter, `a whole number of at least ${smallest}`, value);
  }
  return value;
}

/** Checks a number of threads, 1 to 1024; 1 without one. */
export function checkThreads(threads: number | undefined): number {
  if (threads === undefined) return 1;
  if (!Number.isSafeInteger(threads) || threads < 1 || threads > 1024) {
    throw argumentError('threads', 'a whole number in [1, 1024]', threads);
  }
  return threads;
}

/** Checks that a box lies inside an array of `shape`; returns its number of voxels. */
export function checkBox(parameter: string, box: VoxelBox, shape: readonly number[]): number {
  const found = `offset [${box.offset.join(', ')}], shape [${box.shape.join(', ')}]`;
  const fits = (extent: number, axis: number) =>
    Number.isSafeInteger(box.offset[axis]) &&
    Number.isSafeInteger(box.shape[axis]) &&
    box.offset[axis] >= 0 &&
    box.shape[axis] >= 0 &&
    box.offset[axis] + box.shape[axis] <= extent;
  if (box.offset.length !== shape.length || box.shape.length !== shape.length || !shape.every(fits)) {
    throw argumentError(parameter, `a box inside shape [${shape.join(', ')}]`, found);
  }
  return box.shape.reduce((product, extent) => product * extent, 1);
}

/** An output array for `count` labels: the one given, checked, or a new one. */
export function labelsOutput(output: BigUint64Array | undefined, count: number): BigUint64Array {
  if (output === undefined) return new BigUint64Array(count);
  checkType('output', output, 'BigUint64Array');
  if (output.length !== count) throw argumentError('output', `${count} elements`, output.length);
  return output;
}
