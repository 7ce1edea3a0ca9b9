import type { TypedArray } from '../../lib/storage/data-type.js';

/** The slow twin of a stored array: everything in memory, voxel by voxel. */
export class PlainArray {
  readonly voxels: (number | bigint)[];

  constructor(
    readonly shape: readonly number[],
    fill: number | bigint,
  ) {
    this.voxels = new Array(shape.reduce((a, b) => a * b, 1)).fill(fill);
  }

  /** Calls visit(index in the array or -1 outside, index in the box) for each voxel of a box. */
  private visit(
    begin: readonly number[],
    end: readonly number[],
    visit: (inside: number, inBox: number) => void,
  ): void {
    const position = [...begin];
    const count = begin.reduce((product, first, axis) => product * Math.max(0, end[axis] - first), 1);
    for (let inBox = 0; inBox < count; inBox += 1) {
      const isInside = position.every((value, axis) => value >= 0 && value < this.shape[axis]);
      const index = position.reduce((sum, value, axis) => sum * this.shape[axis] + value, 0);
      visit(isInside ? index : -1, inBox);
      for (let axis = position.length - 1; axis >= 0; axis -= 1) {
        position[axis] += 1;
        if (position[axis] < end[axis]) break;
        position[axis] = begin[axis];
      }
    }
  }

  write(begin: readonly number[], end: readonly number[], data: TypedArray): void {
    this.visit(begin, end, (inside, inBox) => {
      if (inside >= 0) this.voxels[inside] = data[inBox];
    });
  }

  read(begin: readonly number[], end: readonly number[], outside: number | bigint = 0): (number | bigint)[] {
    const result: (number | bigint)[] = [];
    this.visit(begin, end, (inside) => result.push(inside >= 0 ? this.voxels[inside] : outside));
    return result;
  }
}
