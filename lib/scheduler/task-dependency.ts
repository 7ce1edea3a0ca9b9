import { downstreamRange, upstreamCounts } from '../blocks/dependencies.js';
import { emptyGridRange, type GridRange, visitRows } from '../blocks/grid-range.js';
import { BlockState } from './block-state.js';
import { productCounts } from './pending-counts.js';
import type { TaskBlocks } from './task-blocks.js';

/**
 * That the blocks of one task wait for blocks of another: for those whose writeRoi meets their readRoi, or, as a
 * barrier, for all of them. Where every block would wait for every block a barrier is the same and costs one counter
 * instead of a product; so it is used there too.
 */
export class TaskDependency {
  /** The largest number of blocks that one block waits for; a barrier counts as one. */
  readonly most: number;
  private readonly counts: readonly Float64Array[] | undefined;
  private readonly range: GridRange;
  private readonly gridShape: readonly number[];
  /** Blocks that still hold the barrier. */
  private remaining: number;

  constructor(
    private readonly from: TaskBlocks,
    private readonly to: TaskBlocks,
    /** The place of the task that waits. */
    readonly task: number,
    barrier: boolean,
  ) {
    this.gridShape = to.plan.gridShape.values;
    this.range = emptyGridRange(to.plan.dimensions);
    this.remaining = from.plan.count - from.succeeded;
    const counts = barrier ? undefined : upstreamCounts(from.plan, to.plan);
    const all = counts?.every((axis, i) => axis.every((count) => count === from.plan.axes[i].count)) ?? true;
    this.counts = all ? undefined : counts;
    this.most = this.counts?.reduce((product, axis) => product * largest(axis), 1) ?? 1;
  }

  /** Adds what the waiting blocks wait for, given what is already done. */
  seed(): void {
    if (this.remaining === 0) return;
    const { states, pending } = this.to;
    if (pending === undefined) return;
    if (this.counts === undefined) {
      for (let block = 0; block < states.length; block++) if (states[block] === BlockState.waiting) pending[block]++;
      return;
    }
    // from the side with fewer blocks: add for each that is not done, or subtract for each that is
    const few = this.remaining < this.from.succeeded;
    const step = few ? 1 : -1;
    if (!few) {
      productCounts(this.to.plan, this.counts, (block, count) => {
        if (states[block] === BlockState.waiting) pending[block] += count;
      });
      if (this.from.succeeded === 0) return;
    }
    const addRow = (first: number, count: number): void => {
      for (let block = first; block < first + count; block++) {
        if (states[block] === BlockState.waiting) pending[block] += step;
      }
    };
    for (let block = 0; block < this.from.plan.count; block++) {
      if (this.from.hasSucceeded(block) === few) continue;
      downstreamRange(this.from.plan, this.to.plan, block, this.range);
      visitRows(this.range, this.gridShape, addRow);
    }
  }

  /** A block of the upstream task is done: those that waited for nothing else are ready. */
  release(block: number): void {
    if (this.counts === undefined) {
      if (--this.remaining === 0) this.releaseRow(0, this.to.plan.count);
      return;
    }
    downstreamRange(this.from.plan, this.to.plan, block, this.range);
    visitRows(this.range, this.gridShape, this.releaseRow);
  }

  /** A block of the upstream task will never be done: visits all that wait for it. */
  visitWaiting(block: number, visit: (block: number) => void): void {
    const { states } = this.to;
    const visitRow = (first: number, count: number): void => {
      for (let index = first; index < first + count; index++) {
        if (states[index] === BlockState.waiting) visit(index);
      }
    };
    if (this.counts === undefined) {
      // nothing can be waiting behind a barrier that has fallen once
      if (this.remaining !== Number.POSITIVE_INFINITY) visitRow(0, states.length);
      this.remaining = Number.POSITIVE_INFINITY;
      return;
    }
    downstreamRange(this.from.plan, this.to.plan, block, this.range);
    visitRows(this.range, this.gridShape, visitRow);
  }

  private readonly releaseRow = (first: number, count: number): void => {
    const { states, pending } = this.to;
    if (pending === undefined) return;
    for (let block = first; block < first + count; block++) {
      // what an earlier run did is not held up, and what is orphaned stays so
      if (states[block] === BlockState.waiting && --pending[block] === 0) this.to.makeReady(block);
    }
  };
}

function largest(values: Float64Array): number {
  let result = 0;
  for (const value of values) result = Math.max(result, value);
  return result;
}
