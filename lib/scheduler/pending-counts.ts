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

/** Calls `add(block, count)` with the number of blocks of its own task that each block waits for, if any. */
export function ownCounts(plan: BlockPlan, add: (block: number, count: number) => void): void {
  const { axes } = plan;
  // the rule of BlockPlan.upstream, from the first axis to the last: `above` is the count if this axis wraps around
  const fill = (i: number, base: number, above: number): void => {
    const { count, levels } = axes[i];
    const last = i === axes.length - 1;
    for (let position = 0; position < count; position++) {
      let value = above;
      if (levels > 1) {
        const sides = (position + 1 < count ? 1 : 0) + (position - levels + 1 >= 0 ? 1 : 0);
        value = position % levels < levels - 1 ? sides : sides * above;
      }
      const index = base * count + position;
      if (!last) fill(i + 1, index, value);
      else if (value > 0) add(index, value);
    }
  };
  fill(0, 0, 0);
}

/** Calls `add(block, count)` with the product of what `counts` has for each axis of a block's position, if not 0. */
export function productCounts(
  plan: BlockPlan,
  counts: readonly Float64Array[],
  add: (block: number, count: number) => void,
): void {
  const { axes } = plan;
  const fill = (i: number, base: number, above: number): void => {
    const { count } = axes[i];
    const last = i === axes.length - 1;
    for (let position = 0; position < count; position++) {
      const value = above * counts[i][position];
      if (value === 0) continue;
      if (last) add(base * count + position, value);
      else fill(i + 1, base * count + position, value);
    }
  };
  fill(0, 0, 1);
}
