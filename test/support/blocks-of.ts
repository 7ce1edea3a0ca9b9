import type { VoxelBox } from '../../lib/native/voxel-box.js';
import { position } from './labels.js';

/** The blocks of a shape, cut at its end, in raster order. */
export function blocksOf(shape: readonly number[], blockShape: readonly number[]): VoxelBox[] {
  const grid = shape.map((extent, axis) => Math.ceil(extent / blockShape[axis]));
  const count = grid.reduce((product, extent) => product * extent, 1);
  return Array.from({ length: count }, (_, index) => {
    const offset = position(index, grid).map((place, axis) => place * blockShape[axis]);
    return { offset, shape: offset.map((first, axis) => Math.min(blockShape[axis], shape[axis] - first)) };
  });
}

type Labels =
  | Uint8Array
  | Int8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

function eachRow(
  box: VoxelBox,
  shape: readonly number[],
  action: (whole: number, part: number, length: number) => void,
) {
  const last = shape.length - 1;
  const outer = box.shape.slice(0, last);
  const rows = outer.reduce((product, extent) => product * extent, 1);
  for (let row = 0; row < rows; row++) {
    const place = [...position(row, outer), 0];
    const whole = place.reduce((index, at, axis) => index * shape[axis] + at + box.offset[axis], 0);
    action(whole, row * box.shape[last], box.shape[last]);
  }
}

/** A box of an array, as an array of its own. */
export function cutBox<Type extends Labels>(labels: Type, shape: readonly number[], box: VoxelBox): Type {
  const count = box.shape.reduce((product, extent) => product * extent, 1);
  const part = labels.slice(0, count) as Type;
  eachRow(box, shape, (whole, at, length) => part.set(labels.subarray(whole, whole + length) as never, at));
  return part;
}

/** Puts a box back into an array. */
export function pasteBox<Type extends Labels>(part: Type, labels: Type, shape: readonly number[], box: VoxelBox): void {
  eachRow(box, shape, (whole, at, length) => labels.set(part.subarray(at, at + length) as never, whole));
}
