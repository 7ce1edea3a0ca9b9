import type { BlockPlan } from '../blocks/plan.js';

/** What an earlier run left of blocks that follow each other, one byte a block: 0 nothing, 1 done, 2 skipped; 3 for one that is not to run. */
export interface RecordedPiece {
  readonly first: number;
  readonly states: Uint8Array;
}

/** A task as the scheduler sees it. */
export interface ScheduledTask {
  readonly name: string;
  readonly plan: BlockPlan;
  /** Tasks (places in the array) whose blocks are waited for where their writeRoi meets the readRoi. */
  readonly upstream: readonly number[];
  /** Tasks of which every block is waited for, whatever the Rois: of a LUT, of anything that is not cut into blocks. */
  readonly barriers?: readonly number[] | undefined;
  /** How often a block may fail and be tried again. @default 2 */
  readonly maxRetries?: number | undefined;
  /** What one block holds while it runs, e.g. { gpu: 1 }. */
  readonly resources?: Readonly<Record<string, number>> | undefined;
  /** Which workers run its blocks, for runs with several kinds of them: see {@link Scheduler.acquire}. @default 0 */
  readonly pool?: number | undefined;
  /** What an earlier run left: of all blocks, or in pieces, each block at most once, read one after the other. Copied. */
  readonly recorded?: Uint8Array | Iterable<RecordedPiece> | undefined;
}
