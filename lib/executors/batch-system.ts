import type { WorkerEndCause } from '../coordinator/executor.js';

/*
 * What a batch system (SLURM, LSF) must be able to do so that `BatchExecutor` can run workers on it. A system only talks to its
 * commands: which jobs there should be, what is tried again and what is told to people is the executor's part. Each method starts at
 * most a few short processes, and rejects with a {@link BatchError}, never guesses: an answer that cannot be understood says
 * nothing about jobs.
 */
export interface BatchSystem {
  /** For messages, e.g. 'slurm'. */
  readonly name: string;
  /** How many workers one {@link submit} may have at most, as the cluster is set up. Asked once, before the first. */
  mostAtOnce(): Promise<number>;
  /** The script that {@link submit} submits for these workers; also shown to people before there is a run. */
  script(submission: BatchSubmission): string;
  /**
   * Submits one job, or element of an array, for each worker. Resolves with their ids, in the order of the workers; an id
   * names that one job in {@link query} and {@link cancel}. When it rejects, nothing was submitted, save with 'unavailable', where
   * it may have been.
   */
  submit(submission: BatchSubmission): Promise<readonly string[]>;
  /**
   * All jobs of this user that carry one of these names, by id: those that have ended too, for a few minutes at least. How jobs
   * stand, but also what was submitted without an answer, and what a coordinator that was killed left.
   */
  query(names: readonly string[]): Promise<ReadonlyMap<string, BatchJob>>;
  /** Ends jobs; those that have ended or are not known are no error. */
  cancel(ids: readonly string[]): Promise<void>;
}

/** Workers to be submitted together. */
export interface BatchSubmission {
  /** The jobs' name, unlike that of any other submission of anybody: letters, digits, `-`, `_` and `.`. */
  readonly name: string;
  /** At least one, at most {@link BatchSystem.mostAtOnce}. */
  readonly workerIds: readonly string[];
  /** Where the workers' logs go; absolute. */
  readonly runDirectory: string;
  /** Nodes that the jobs shall not get, where the system can be told. */
  readonly exclude?: readonly string[] | undefined;
  /** The program of a worker and its arguments, without `--run-directory DIR --worker-id ID`. Absolute paths, no secrets. */
  readonly command: readonly string[];
}

/** How a job stands. */
export interface BatchJob {
  /** Of its {@link BatchSubmission}. */
  readonly name: string;
  readonly state:
    | 'waiting'
    | 'running'
    /** Its processes are about to end, whatever for. */
    | 'ending'
    /** It ran, and the system has put it back into the queue: its worker has ended. */
    | 'requeued'
    | 'ended';
  /** The system's own word for its state, e.g. 'TIMEOUT'. */
  readonly word: string;
  /** Why it waits, in the system's words, e.g. 'Resources'. */
  readonly reason?: string | undefined;
  /** Why it ended; undefined where the worker's program ended by itself, well or not. */
  readonly cause?: WorkerEndCause | undefined;
  /** Exit status of the worker; null when it was ended by a signal, or it is not known. */
  readonly status?: number | null | undefined;
  readonly signal?: string | null | undefined;
  /** On which node it is or was, where known. */
  readonly node?: string | undefined;
}

/**
 * Why a command of the batch system did not do what was asked:
 *
 * - `limit`: no more jobs are taken now (of this user, account, QOS, of the cluster); fewer, or later, may be
 * - `invalid`: it will never be taken like this: no such partition, more memory than any node has
 * - `unavailable`: no answer, none in time, or one that cannot be understood; what it should do may have happened
 * - `missing`: there is no such command here
 */
export type BatchErrorKind = 'limit' | 'invalid' | 'unavailable' | 'missing';

export class BatchError extends Error {
  override readonly name = 'BatchError';

  /** @param message what was called, and what it said */
  constructor(
    readonly kind: BatchErrorKind,
    message: string,
  ) {
    super(message);
  }
}

/** The kind of a {@link BatchError}; of anything else that was thrown 'unavailable', as nothing is known then. */
export function kindOf(thrown: unknown): BatchErrorKind {
  const kind = typeof thrown === 'object' && thrown !== null && 'kind' in thrown ? thrown.kind : undefined;
  return kind === 'limit' || kind === 'invalid' || kind === 'missing' ? kind : 'unavailable';
}
