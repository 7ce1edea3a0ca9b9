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
   * After how many seconds without a block a worker is ended; another is started when there is work again. Finite where
   * waiting costs something, as in a job of a cluster.
   * @default never
   */
  readonly idleSeconds?: number;
  /**
   * Starts one worker that will connect to the coordinator of `runDirectory`. Never throws: a worker that cannot start
   * ends with the reason.
   */
  start(request: WorkerRequest): WorkerHandle;
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
}

export interface WorkerEnd {
  /** Exit status, null when it was ended by a signal. */
  readonly status: number | null;
  readonly signal: string | null;
  /** The last lines of its output. */
  readonly lastLines: string;
}
