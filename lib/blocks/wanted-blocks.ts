import type { Roi } from '../geometry/roi.js';
import { emptyGridRange, type GridRange, gridRangeCount } from './grid-range.js';
import type { BlockPlan } from './plan.js';

/** A task among others, as far as its blocks wait for blocks of others. */
export interface TaskInOrder {
  readonly plan: BlockPlan;
  /** Tasks (places in the list) whose blocks are waited for where their writeRoi meets the readRoi. */
  readonly upstream: readonly number[];
  /** Tasks of which every block is waited for. */
  readonly barriers: readonly number[];
}

/**
 * Which blocks have to be done for some blocks of some tasks: for each task the smallest box of grid positions that holds
 * those asked for and everything that is waited for upstream. Under `readWriteConflict` with the blocks of the task itself
 * whose results could come to them through their neighbours.
 *
 * @param asked by place of the task; a task that is left out is only done as far as others need it
 */
export function wantedBlocks(tasks: readonly TaskInOrder[], asked: ReadonlyMap<number, GridRange>): GridRange[] {
  const wanted = tasks.map(({ plan }, place) => {
    const range = emptyGridRange(plan.dimensions);
    const given = asked.get(place);
    if (given !== undefined) widen(range, given);
    return range;
  });
  for (const place of downstreamFirst(tasks)) {
    const { plan, upstream, barriers } = tasks[place];
    const range = wanted[place];
    if (gridRangeCount(range) === 0) continue;
    addNeighbours(plan, range);
    for (const other of upstream) widen(wanted[other], neededRange(tasks[other].plan, plan, range));
    for (const other of barriers) widen(wanted[other], allBlocks(tasks[other].plan));
  }
  return wanted;
}

/** Every block of a plan. */
export function allBlocks(plan: BlockPlan): GridRange {
  return { begin: new Float64Array(plan.dimensions), end: Float64Array.from(plan.gridShape.values) };
}

/** The blocks of a plan that write in a box of the world. One with other axes has no place in it: then all do. */
export function blocksIn(plan: BlockPlan, roi: Roi): GridRange {
  return plan.dimensions === roi.dimensions ? plan.blocksMeeting(roi, 'write') : allBlocks(plan);
}

/** The blocks of `upstream` that some block of the range waits for. */
function neededRange(upstream: BlockPlan, plan: BlockPlan, { begin, end }: GridRange): GridRange {
  const needed = emptyGridRange(upstream.dimensions);
  plan.axes.forEach((axis, i) => {
    const other = upstream.axes[i];
    needed.begin[i] = other.firstWriteEndingAfter(axis.readBegin(begin[i]));
    needed.end[i] = other.writesBeginningBefore(axis.readEnd(end[i] - 1));
  });
  return needed;
}

/** A block sees its neighbours of earlier levels, they see theirs, and so on: at most one step a level. */
function addNeighbours({ axes, levels }: BlockPlan, { begin, end }: GridRange): void {
  if (levels <= 1) return;
  axes.forEach(({ count, low, high, step }, i) => {
    begin[i] = Math.max(begin[i] - (levels - 1) * Math.ceil(low / step), 0);
    end[i] = Math.min(end[i] + (levels - 1) * Math.ceil(high / step), count);
  });
}

/** Makes a range hold another one too. */
function widen(range: GridRange, other: GridRange): void {
  if (gridRangeCount(other) === 0) return;
  const isEmpty = gridRangeCount(range) === 0;
  for (let i = 0; i < range.begin.length; i++) {
    range.begin[i] = isEmpty ? other.begin[i] : Math.min(range.begin[i], other.begin[i]);
    range.end[i] = isEmpty ? other.end[i] : Math.max(range.end[i], other.end[i]);
  }
}

/** Places of tasks, each before those it waits for. */
function downstreamFirst(tasks: readonly TaskInOrder[]): number[] {
  const order: number[] = [];
  const visited = new Set<number>();
  const visit = (place: number): void => {
    if (visited.has(place)) return;
    visited.add(place);
    for (const other of [...tasks[place].upstream, ...tasks[place].barriers]) visit(other);
    order.push(place);
  };
  tasks.forEach((_, place) => {
    visit(place);
  });
  return order.reverse();
}
