import { seededRandom } from './seeded-random.js';

/** Labels of any integer array as uint64. */
export function toLabels(values: ArrayLike<number> | ArrayLike<bigint>): BigUint64Array {
  return BigUint64Array.from(values as ArrayLike<bigint | number>, (value) => BigInt(value));
}

/** Labels of one byte as uint64, fast: two halves in place of a bigint a voxel. */
export function widened(bytes: Uint8Array): BigUint64Array {
  const halves = new Uint32Array(2 * bytes.length);
  for (let voxel = 0; voxel < bytes.length; voxel++) halves[2 * voxel] = bytes[voxel];
  return new BigUint64Array(halves.buffer);
}

/** Where two arrays differ first, -1 = nowhere: Jest's own comparison takes seconds for arrays of this size. */
export function firstDifference(found: ArrayLike<unknown>, expected: ArrayLike<unknown>): number {
  for (let index = 0; index < expected.length; ++index) {
    if (found[index] !== expected[index]) return index;
  }
  return found.length === expected.length ? -1 : expected.length;
}

/** Labels renumbered 1, 2, ... by their first voxel; 0 stays. Equal when the partitions are equal. */
export function canonical(labels: BigUint64Array): BigUint64Array {
  const numbers = new Map<bigint, bigint>([[0n, 0n]]);
  return labels.map((label) => {
    const number = numbers.get(label) ?? BigInt(numbers.size);
    numbers.set(label, number);
    return number;
  });
}

/** Random labels out of a few ids, in runs of random lengths along the last axis. */
export function randomLabels(voxels: number, ids: readonly bigint[], seed: number, meanRun = 2): BigUint64Array {
  const random = seededRandom(seed);
  const labels = new BigUint64Array(voxels);
  let label = 0n;
  for (let voxel = 0; voxel < voxels; ++voxel) {
    if (voxel === 0 || random() * meanRun < 1) label = ids[Math.floor(random() * ids.length)];
    labels[voxel] = label;
  }
  return labels;
}

/** Coordinates of a raster index. */
export function position(index: number, shape: readonly number[]): number[] {
  const result = new Array<number>(shape.length);
  for (let axis = shape.length - 1; axis >= 0; --axis) {
    result[axis] = index % shape[axis];
    index = (index - result[axis]) / shape[axis];
  }
  return result;
}

/** Raster index of coordinates, or undefined outside the array. */
export function indexOf(place: readonly number[], shape: readonly number[]): number | undefined {
  let index = 0;
  for (let axis = 0; axis < shape.length; ++axis) {
    if (place[axis] < 0 || place[axis] >= shape[axis]) return undefined;
    index = index * shape[axis] + place[axis];
  }
  return index;
}
