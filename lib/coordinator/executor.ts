import type { ListenOptions } from './network-address.js';

/** A way to start workers: local child processes, batch jobs of a cluster. */
export interface Executor {
  /** For messages, e.g. 'local'. */
  readonly name: string;
  /**
   * Within how many seconds a worker that was started asks for its first block; infinite where jobs wait in a queue.
   * @default 120
   */
  readonly startSeconds?: number;
  /**
   * How many workers may be on their way at once, until they ask for their first block: more would only slow each other.
   * @default no limit
   */
  readonly startsAtOnce?: number;
  /**
   * After how many seconds without a block a worker is ended; another is started when there is work again. Finite where
   * waiting costs something, as in a job of a cluster.
   * @default never
   */
  readonly idleSeconds?: number;
  /**
   * Within how many seconds the executor knows that a worker's process has ended, once it was asked to {@link WorkerHandle.look}.
   * Infinite where it can only be waited for.
   * @default 1
   */
  readonly endSeconds?: number;
  /**
   * Whether its workers may be on other hosts than the coordinator, which then listens on TCP besides the Unix socket.
   * @default 'host'
   */
  readonly listens?: 'host' | 'network';
  /** Where the coordinator listens for those on other hosts. @default on every address that other hosts could reach */
  readonly listen?: ListenOptions;
  /**
   * Called once the run's lock is held, before the first worker, even if there is nothing left to do: ends what a coordinator of this
   * folder that was killed left behind. Throws when no worker could ever be started.
   */
  open?(place: ExecutorPlace): Promise<void>;
  /**
   * Starts one worker that will connect to the coordinator of `runDirectory`. Never throws: a worker that cannot start
   * ends with the reason.
   */
  start(request: WorkerRequest): WorkerHandle;
  /** Hosts that failed block after block: no more workers shall be started there, where that can be said. */
  excludeHosts?(hosts: readonly string[]): void;
  /** Called at the end of the run: nothing that was started is left when it resolves. Never rejects. */
  close?(): Promise<void>;
}

/** The run that an executor works for. */
export interface ExecutorPlace {
  readonly runDirectory: string;
  /** Which run of the coordinator in this folder, from 1. */
  readonly epoch: number;
  /** Its place among the executors of the run, of which there may be several of a kind. */
  readonly pool: number;
  /** Says what people should know, e.g. that the cluster takes no more jobs for now. Goes to the journal and the watchers. */
  notice(message: string): void;
  /** How many workers were started and do not run yet, and why, e.g. 'Resources'; told when it changes. */
  waiting(workers: number, reason: string): void;
}

export interface WorkerRequest {
  /** Never used twice in a run folder: `<epoch>.<number>`, and a new one for each restart. */
  readonly workerId: string;
  /** Holds the socket's address and the key file. */
  readonly runDirectory: string;
  /** Where the worker's output goes (appended). */
  readonly logFile: string;
}

export interface WorkerHandle {
  /** Process or job, for messages and the journal. */
  readonly description: string;
  /** Resolves when the worker has ended, whatever the cause. */
  readonly ended: Promise<WorkerEnd>;
  /** Ends it at once; harmless when it has ended. */
  kill(): void;
  /** Its connection is closed: a good moment to look whether it has ended, where that is not known by itself. */
  look?(): void;
}

/**
 * Why a worker ended, where its executor knows. `refused`: it can never be started like this, and trying again is no use. Of
 * all but `out-of-memory` and `refused` neither the worker's program nor its block is the cause.
 */
export type WorkerEndCause = 'out-of-memory' | 'preempted' | 'node-failure' | 'walltime' | 'cancelled' | 'refused';

export interface WorkerEnd {
  /** Exit status, null when it was ended by a signal. */
  readonly status: number | null;
  readonly signal: string | null;
  /** The last lines of its output. */
  readonly lastLines: string;
  readonly cause?: WorkerEndCause | undefined;
  /** How it ended, in words, in place of status and signal, e.g. 'job 71_3: TIMEOUT'. */
  readonly reason?: string | undefined;
}

/** Whether a worker was ended from outside, by nobody's fault. `ownReason`: why we ended it, if we did. */
export function isEviction({ cause }: WorkerEnd, ownReason: string | undefined): boolean {
  // what we ended ourselves is cancelled, too
  if (ownReason !== undefined) return false;
  return cause === 'preempted' || cause === 'node-failure' || cause === 'walltime' || cause === 'cancelled';
}
