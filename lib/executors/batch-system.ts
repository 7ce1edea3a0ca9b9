import type { WorkerEndCause } from '../coordinator/executor.js';

/*
 * What a batch system (SLURM, LSF) must be able to do so that `BatchExecutor` can run workers on it. A system only talks to its
 * commands: which jobs there should be, what is tried again and what is told to people is the executor's part. Each method starts at
 * most a few short processes, and every failure of them is a {@link BatchError}, never a guess: an answer that cannot be understood
 * says nothing about jobs.
 */
export interface BatchSystem {
  /** For messages, e.g. 'slurm'. */
  readonly name: string;
  /** How many workers one {@link submit} may have at most, as the cluster is set up. Asked once, before the first. */
  mostAtOnce(): Promise<number>;
  /** The script that {@link submit} submits for these workers; also shown to people before there is a run. */
  script(submission: BatchSubmission): string;
  /**
   * Submits one job, or element of an array, for each worker. Resolves with their ids, in the order of the workers: each id
   * names that one job to {@link query} and {@link cancel}. When it rejects, nothing was submitted, save with 'unavailable' where
   * it may have been.
   */
  submit(submission: BatchSubmission): Promise<readonly string[]>;
  /**
   * The ids of the jobs that carry one of these names and have not ended, with the name: finds what was submitted without an
   * answer, and what a coordinator that was killed left.
   */
  find(names: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /** How jobs stand, by id. One that is missing in the answer is not known to the system any more. */
  query(ids: readonly string[]): Promise<ReadonlyMap<string, BatchJob>>;
  /** Ends jobs; those that have ended or are not known are no error. */
  cancel(ids: readonly string[]): Promise<void>;
}

/** Workers to be submitted together. */
export interface BatchSubmission {
  /** The jobs' name, unlike that of any other submission of anybody: letters, digits, `-`, `_` and `.`. */
  readonly name: string;
  /** At least one, at most {@link BatchSystem.mostAtOnce}; ids are `<epoch>.<number>`, ascending, all of one epoch. */
  readonly workers: readonly { readonly workerId: string; readonly logFile: string }[];
  /** The program of a worker and its arguments, without `--worker-id ID`, which the script adds. Absolute paths, no secrets. */
  readonly command: readonly string[];
  /** Where the jobs start: absolute. */
  readonly folder: string;
}

/** How a job stands. */
export type BatchJob =
  /** Waits in the queue, with the system's reason, e.g. 'Resources'. */
  | { readonly state: 'waiting'; readonly reason: string }
  | { readonly state: 'running' }
  /** Ran, and waits again: its worker has ended. */
  | { readonly state: 'requeued' }
  | {
      readonly state: 'ended';
      /** The system's own word, e.g. 'TIMEOUT'. */
      readonly word: string;
      /** Undefined: the worker's program ended by itself, well or not. */
      readonly cause?: WorkerEndCause | undefined;
      /** Exit status of the worker; null when it was ended by a signal, or it is not known. */
      readonly status: number | null;
      readonly signal: string | null;
      /** On which node, where known. */
      readonly node?: string | undefined;
    };

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
