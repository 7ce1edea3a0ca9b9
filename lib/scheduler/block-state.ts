/** What is known of a block. Everything from `done` on is final. */
export const BlockState = {
  /** Something upstream is not done. */
  waiting: 0,
  /** Nothing hinders it but the budget and the resources. */
  ready: 1,
  /** Handed out. */
  running: 2,
  /** Its result is written. */
  done: 3,
  /** Someone asserted that there is nothing to do; counts as done for what is downstream. */
  skipped: 4,
  /** Not asked for in this run. Nothing that is asked for needs it. */
  unwanted: 5,
  /** Used up its attempts. */
  failed: 6,
  /** Something upstream failed, so it never runs. */
  orphaned: 7,
} as const;

export type BlockState = (typeof BlockState)[keyof typeof BlockState];

/** How many blocks of a task are in each state. */
export interface BlockCounts {
  readonly total: number;
  readonly waiting: number;
  readonly ready: number;
  readonly running: number;
  readonly done: number;
  readonly skipped: number;
  readonly failed: number;
  readonly orphaned: number;
  readonly unwanted: number;
}

/** Whether what waits for a block in this state may go on. */
export function isSuccess(state: BlockState): boolean {
  return state >= BlockState.done && state <= BlockState.unwanted;
}
