import type { BlockPlan } from '../blocks/plan.js';

/** How many blocks each block waits for, in the narrowest numbers that hold the largest of them. */
export type PendingCounts = Uint8Array | Uint16Array | Uint32Array | Float64Array;

/** @param most the largest count that will be stored. */
export function allocatePendingCounts(length: number, most: number): PendingCounts {
  if (most < 2 ** 8) return new Uint8Array(length);
  if (most < 2 ** 16) return new Uint16Array(length);
  if (most < 2 ** 32) return new Uint32Array(length);
  return new Float64Array(length);
}

/**
 * Calls `add(block, count)` with the number of blocks of its own task that each block waits for, if any, for the blocks
 * `first` to `first + size - 1`.
 */
export function ownCounts(
  plan: BlockPlan,
  first: number,
  size: number,
  add: (block: number, count: number) => void,
): void {
  // the rule of BlockPlan.upstream, from the first axis to the last: `above` is the count if this axis wraps around
  visitCounts(plan, first, size, 0, add, (i, position, above) => {
    const { count, levels } = plan.axes[i];
    if (levels === 1) return above;
    const sides = (position + 1 < count ? 1 : 0) + (position - levels + 1 >= 0 ? 1 : 0);
    return position % levels < levels - 1 ? sides : sides * above;
  });
}

/**
 * Calls `add(block, count)` with the product of what `counts` has for each axis of a block's position, if not 0, for the
 * blocks `first` to `first + size - 1`.
 */
export function productCounts(
  plan: BlockPlan,
  counts: readonly Float64Array[],
  first: number,
  size: number,
  add: (block: number, count: number) => void,
): void {
  visitCounts(plan, first, size, 1, add, (i, position, above) => above * counts[i][position]);
}

/** Row by row: what the outer axes give is found once a row. */
function visitCounts(
  plan: BlockPlan,
  first: number,
  size: number,
  start: number,
  add: (block: number, count: number) => void,
  step: (axis: number, position: number, above: number) => number,
): void {
  const last = plan.axes.length - 1;
  const length = plan.axes[last].count;
  const positions = new Float64Array(last);
  const end = first + size;
  for (let block = first; block < end; ) {
    let rest = Math.floor(block / length);
    const rowBegin = rest * length;
    const rowEnd = Math.min(rowBegin + length, end);
    for (let i = last - 1; i >= 0; i--) {
      const above = Math.floor(rest / plan.axes[i].count);
      positions[i] = rest - above * plan.axes[i].count;
      rest = above;
    }
    let outer = start;
    for (let i = 0; i < last; i++) outer = step(i, positions[i], outer);
    for (; block < rowEnd; block++) {
      const value = step(last, block - rowBegin, outer);
      if (value > 0) add(block, value);
    }
  }
}
