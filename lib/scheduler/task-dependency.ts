import { downstreamRange, upstreamCounts, upstreamRange } from '../blocks/dependencies.js';
import { emptyGridRange, type GridRange, visitRows } from '../blocks/grid-range.js';
import { BlockState } from './block-state.js';
import { type PendingCounts, productCounts } from './pending-counts.js';
import type { Slab } from './slab.js';
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
  /** Whether less is left to do upstream than an earlier run did. */
  private readonly few: boolean;
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
    this.few = this.counts !== undefined && this.remaining < from.succeeded;
    this.most = this.counts?.reduce((product, axis) => product * largest(axis), 1) ?? 1;
  }

  /** Whether blocks that nothing has touched wait for it. */
  get holds(): boolean {
    return this.counts !== undefined || this.remaining > 0;
  }

  /** Whether some blocks wait for none of the upstream task's. */
  get gaps(): boolean {
    return this.counts?.some((axis) => axis.includes(0)) ?? false;
  }

  /** Whether it is not a barrier, and an earlier run finished blocks that it would wait for. */
  get resumed(): boolean {
    return this.counts !== undefined && this.from.succeeded > 0;
  }

  /** Adds what the waiting blocks of a slab wait for. */
  seed({ first, size, states }: Slab, pending: PendingCounts): void {
    if (this.counts === undefined) {
      if (this.remaining === 0) return;
      for (let i = 0; i < size; i++) if (states[i] === BlockState.waiting) pending[i]++;
      return;
    }
    if (this.few) return;
    productCounts(this.to.plan, this.counts, first, size, (block, count) => {
      if (states[block - first] === BlockState.waiting) pending[block - first] += count;
    });
  }

  /** Once all slabs have their counts: takes off what is already done, or adds what is not where that is less. */
  seedResumed(): void {
    const { few } = this;
    if (!this.resumed || this.remaining === 0) return;
    const step = few ? 1 : -1;
    const addRow = (first: number, count: number): void => {
      for (let block = first; block < first + count; block++) {
        if (this.to.state(block) === BlockState.waiting) this.to.setPending(block, this.to.pending(block) + step);
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
      if (--this.remaining === 0) {
        this.to.visitMade(this.releaseRow);
        this.to.wake();
      }
      return;
    }
    downstreamRange(this.from.plan, this.to.plan, block, this.range);
    visitRows(this.range, this.gridShape, this.releaseRow);
  }

  /** A block of the upstream task will never be done: visits all that wait for it. */
  visitWaiting(block: number, visit: (block: number) => void): void {
    const visitRow = (first: number, count: number): void => {
      for (let index = first; index < first + count; index++) {
        if (this.to.state(index) === BlockState.waiting) visit(index);
      }
    };
    if (this.counts === undefined) {
      // nothing can be waiting behind a barrier that has fallen once
      if (this.remaining !== Number.POSITIVE_INFINITY) visitRow(0, this.to.plan.count);
      this.remaining = Number.POSITIVE_INFINITY;
      return;
    }
    downstreamRange(this.from.plan, this.to.plan, block, this.range);
    visitRows(this.range, this.gridShape, visitRow);
  }

  /** Visits the orphaned blocks that wait for a block, of a barrier all that are left. */
  visitOrphaned(block: number, visit: (block: number) => void): void {
    const { to } = this;
    if (to.tally(BlockState.orphaned) === 0) return;
    const visitRow = (first: number, count: number): void => {
      for (let index = first; index < first + count; index++) {
        if (to.state(index) === BlockState.orphaned) visit(index);
      }
    };
    if (this.counts === undefined) {
      visitRow(0, to.plan.count);
      return;
    }
    downstreamRange(this.from.plan, to.plan, block, this.range);
    visitRows(this.range, this.gridShape, visitRow);
  }

  /** Whether a block waits for one that failed or is orphaned. */
  lostFor(block: number): boolean {
    if (this.from.lost === 0) return false;
    return this.counts === undefined || this.needed(block).some((index) => this.from.isLost(index));
  }

  /** For how many blocks a block still waits; for a barrier that holds, 1. */
  pendingFor(block: number): number {
    if (this.counts === undefined) return this.remaining > 0 ? 1 : 0;
    return this.needed(block).filter((index) => !this.from.hasSucceeded(index)).length;
  }

  /** Blocks were revived: a barrier counts anew. */
  renew(): void {
    if (this.counts !== undefined) return;
    const { from } = this;
    this.remaining = from.lost > 0 ? Number.POSITIVE_INFINITY : from.plan.count - from.succeeded;
  }

  private needed(block: number): number[] {
    const needed: number[] = [];
    const range = upstreamRange(this.from.plan, this.to.plan, block);
    visitRows(range, this.from.plan.gridShape.values, (first, count) => {
      for (let index = first; index < first + count; index++) needed.push(index);
    });
    return needed;
  }

  private readonly releaseRow = (first: number, count: number): void => {
    for (let block = first; block < first + count; block++) {
      const slab = this.to.slabOf(block);
      const { pending, states } = slab;
      const offset = block - slab.first;
      // what an earlier run did is not held up, and what is orphaned stays so
      if (pending === undefined || states[offset] !== BlockState.waiting) continue;
      if (--pending[offset] === 0) this.to.makeReady(block);
    }
  };
}

function largest(values: Float64Array): number {
  let result = 0;
  for (const value of values) result = Math.max(result, value);
  return result;
}
