/** How many blocks of a task are in which state. */
export interface TaskCounts {
  readonly name: string;
  readonly total: number;
  readonly waiting: number;
  readonly ready: number;
  readonly running: number;
  readonly done: number;
  readonly skipped: number;
  readonly failed: number;
  readonly orphaned: number;
  /** Not asked for in this run. */
  readonly unwanted: number;
  /** Of the skipped ones, those that a mask left out when the run began. */
  readonly masked: number;
}

interface BlockFacts {
  readonly task: string;
  readonly block: number;
  /** From 1. */
  readonly attempt: number;
  readonly worker: string;
}

/** What happens in a run, for those who show its progress. */
export type RunEvent =
  /** What earlier runs did is being read; once a second where that takes long, before `run-start`. */
  | { readonly type: 'reading-record'; readonly task: string; readonly blocks: number; readonly total: number }
  | { readonly type: 'run-start'; readonly epoch: number; readonly tasks: readonly TaskCounts[] }
  /** The first block of a task is handed out. */
  | { readonly type: 'task-start'; readonly task: string; readonly counts: TaskCounts }
  | ({ readonly type: 'block-done' | 'block-skipped'; readonly seconds: number } & BlockFacts)
  /** Its code threw, or it ran too long. */
  | ({ readonly type: 'block-failed'; readonly message: string; readonly willRetry: boolean } & BlockFacts)
  /** Its worker ended. */
  | ({ readonly type: 'block-lost'; readonly reason: string; readonly willRetry: boolean } & BlockFacts)
  | { readonly type: 'worker-start'; readonly worker: string; readonly description: string }
  /** The first worker came over this address of the coordinator's host; it listens on no other over TCP from now on. */
  | { readonly type: 'address-proved'; readonly address: string; readonly port: number }
  | { readonly type: 'worker-end'; readonly worker: string; readonly reason: string; readonly expected: boolean }
  /** Workers that were started and do not run yet, as jobs in a queue, and why. */
  | { readonly type: 'workers-waiting'; readonly workers: number; readonly reason: string }
  /** What the executor says to people. */
  | { readonly type: 'executor-notice'; readonly message: string }
  /** Memory did not suffice: no more than so many blocks of the task run at once from now on. */
  | { readonly type: 'task-limited'; readonly task: string; readonly blocks: number }
  /** A host failed so many blocks while others got on: it is avoided, and those blocks are not counted as failed there. */
  | { readonly type: 'host-excluded'; readonly host: string; readonly blocks: number }
  /** Too little disk space: no blocks are begun until there is more. */
  | { readonly type: 'paused'; readonly reason: string }
  | { readonly type: 'resumed' }
  /** Failed blocks of a task are tried again, and what they orphaned waits for them. */
  | {
      readonly type: 'blocks-revived';
      readonly task: string;
      readonly failed: number;
      readonly orphaned: number;
      readonly tasks: readonly TaskCounts[];
    }
  /** Somebody asked from elsewhere that the run stops. */
  | { readonly type: 'stop-asked'; readonly now: boolean }
  /** Something that people should know about the results. */
  | { readonly type: 'run-notice'; readonly message: string }
  /** Workers wait for blocks. */
  | { readonly type: 'idle'; readonly workers: number }
  | { readonly type: 'run-end'; readonly state: RunState; readonly tasks: readonly TaskCounts[] };

/** Why a run was stopped before its end: it was asked to, its time was over, a disk was full for too long. */
export type StopReason = 'signal' | 'deadline' | 'space';

/** How a run stands or ended: `incomplete` with blocks failed, `failed` when it could not go on. */
export type RunState = 'running' | 'complete' | 'incomplete' | 'interrupted' | 'failed';
