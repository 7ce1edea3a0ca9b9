import type { ArrayFormat } from './array-format.js';

/** Indices of the chunks that a region meets, in raster order. */
export function* chunksOf(
  chunkShape: readonly number[],
  begin: readonly number[],
  end: readonly number[],
): Generator<readonly number[]> {
  if (begin.some((first, axis) => first >= end[axis])) return;
  const first = begin.map((voxel, axis) => Math.floor(voxel / chunkShape[axis]));
  const last = end.map((voxel, axis) => Math.floor((voxel - 1) / chunkShape[axis]));
  const index = [...first];
  for (;;) {
    yield [...index];
    let axis = index.length - 1;
    while (axis >= 0 && index[axis] === last[axis]) {
      index[axis] = first[axis];
      axis -= 1;
    }
    if (axis < 0) return;
    index[axis] += 1;
  }
}

/** The key of a chunk: 'c/0/1/2', '0.1.2', ...; of an array without axes 'c' or '0'. */
export function chunkKey({ keyPrefix, keySeparator }: ArrayFormat, index: readonly number[]): string {
  const parts = keyPrefix === '' ? index : [keyPrefix, ...index];
  return parts.length === 0 ? '0' : parts.join(keySeparator);
}
