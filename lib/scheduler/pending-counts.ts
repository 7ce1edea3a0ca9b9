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
 * Adds the number of blocks of its own task that each block waits for, for the blocks `first` to `first + pending.length - 1`;
 * returns how many of them wait for none.
 */
export function addOwnCounts(plan: BlockPlan, first: number, pending: PendingCounts): number {
  // the rule of BlockPlan.upstream, from the first axis to the last: `above` is the count if this axis wraps around
  const step = (i: number, position: number, above: number) => {
    const { count, levels } = plan.axes[i];
    if (levels === 1) return above;
    const sides = (position + 1 < count ? 1 : 0) + (position - levels + 1 >= 0 ? 1 : 0);
    return position % levels < levels - 1 ? sides : sides * above;
  };
  const last = plan.axes.length - 1;
  let roots = 0;
  visitRows(plan, first, pending.length, 0, step, (block, end, position, outer) => {
    // as `step`, without a call for each block
    const { count, levels } = plan.axes[last];
    for (; block < end; block++, position++) {
      let value = outer;
      if (levels > 1) {
        const sides = (position + 1 < count ? 1 : 0) + (position - levels + 1 >= 0 ? 1 : 0);
        value = position % levels < levels - 1 ? sides : sides * outer;
      }
      if (value === 0) roots++;
      else pending[block - first] += value;
    }
  });
  return roots;
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
  const step = (axis: number, position: number, above: number) => above * counts[axis][position];
  const last = plan.axes.length - 1;
  visitRows(plan, first, size, 1, step, (block, end, position, outer) => {
    for (; block < end; block++, position++) {
      const value = outer * counts[last][position];
      if (value > 0) add(block, value);
    }
  });
}

/** Calls `row` with the blocks from `block` to `end`, the position of the first along the last axis, and what the outer axes give. */
function visitRows(
  plan: BlockPlan,
  first: number,
  size: number,
  start: number,
  step: (axis: number, position: number, above: number) => number,
  row: (block: number, end: number, position: number, outer: number) => void,
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
    row(block, rowEnd, block - rowBegin, outer);
    block = rowEnd;
  }
}
