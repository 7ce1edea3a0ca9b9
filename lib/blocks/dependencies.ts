import { emptyGridRange, type GridRange } from './grid-range.js';
import type { BlockPlan } from './plan.js';

/*
 * Order across tasks: a block waits for every block of an upstream task whose writeRoi has a point in common with its
 * readRoi. Rois are boxes and grids are regular, so the answer is a box of grid positions, found axis by axis.
 * Rois are the ones that blocks really have: cut at the total under `shrink`, beyond it under `overhang`; daisy 2 keeps
 * waiting for what a cut block would have written, daisy 1.2 overlooks blocks that only an overhang brings in. A block
 * that reads nothing which the upstream task writes waits for none of its blocks.
 */

/**
 * The blocks of `upstream` that a block of `plan` waits for.
 *
 * @param into filled instead of a new range; begin and end as many entries as there are dimensions.
 */
export function upstreamRange(
  upstream: BlockPlan,
  plan: BlockPlan,
  block: number,
  into: GridRange = emptyGridRange(plan.dimensions),
): GridRange {
  let rest = block;
  for (let i = plan.axes.length - 1; i >= 0; i--) {
    const axis = plan.axes[i];
    const other = upstream.axes[i];
    const above = Math.floor(rest / axis.count);
    const position = rest - above * axis.count;
    rest = above;
    into.begin[i] = other.firstWriteEndingAfter(axis.readBegin(position));
    into.end[i] = other.writesBeginningBefore(axis.readEnd(position));
  }
  return into;
}

/** The blocks of `downstream` that wait for a block of `plan`; the reverse of {@link upstreamRange}. */
export function downstreamRange(
  plan: BlockPlan,
  downstream: BlockPlan,
  block: number,
  into: GridRange = emptyGridRange(plan.dimensions),
): GridRange {
  let rest = block;
  for (let i = plan.axes.length - 1; i >= 0; i--) {
    const axis = plan.axes[i];
    const other = downstream.axes[i];
    const above = Math.floor(rest / axis.count);
    const position = rest - above * axis.count;
    rest = above;
    into.begin[i] = other.firstReadEndingAfter(axis.writeBegin(position));
    into.end[i] = other.readsBeginningBefore(axis.writeEnd(position));
  }
  return into;
}

/** For each axis and position of `plan`, how many positions of `upstream` it waits for; their product is a block's. */
export function upstreamCounts(upstream: BlockPlan, plan: BlockPlan): readonly Float64Array[] {
  return plan.axes.map((axis, i) => {
    const other = upstream.axes[i];
    const counts = new Float64Array(axis.count);
    for (let position = 0; position < axis.count; position++) {
      const begin = other.firstWriteEndingAfter(axis.readBegin(position));
      counts[position] = Math.max(other.writesBeginningBefore(axis.readEnd(position)) - begin, 0);
    }
    return counts;
  });
}
