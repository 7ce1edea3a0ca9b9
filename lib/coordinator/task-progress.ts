/** A block that failed for good. */
export interface BlockFailure {
  readonly task: string;
  readonly block: number;
  readonly attempt: number;
  readonly message: string;
  readonly stack: string;
  /** Of the error, where it has one. */
  readonly code?: string | undefined;
  readonly workerId: string;
  /** The machine that the worker ran on, where that is known. */
  readonly host?: string | undefined;
  /** The block's log. */
  readonly logFile: string;
}

/** Figures of one task that the scheduler does not keep. */
export class TaskProgress {
  /** Blocks handed out. Each comes to be done or skipped, or one of the three below. */
  attempts = 0;
  /** Attempts beyond the first, of all blocks. */
  retried = 0;
  /** Attempts whose code threw, ran too long or ran out of memory. */
  errors = 0;
  /** Attempts whose worker ended. */
  lost = 0;
  /** Attempts that were given back, nothing having gone wrong. */
  givenBack = 0;
  private first: number | undefined;
  private last = 0;

  constructor(
    /** Blocks done or skipped before this run began. */
    readonly alreadyDone: number,
  ) {}

  get started(): boolean {
    return this.first !== undefined;
  }

  /** From its first block's lease to the end of its last. */
  get seconds(): number {
    return this.first === undefined ? 0 : Math.max(0, this.last - this.first) / 1000;
  }

  leased(attempt: number): void {
    this.first ??= performance.now();
    this.attempts++;
    if (attempt > 1) this.retried++;
  }

  /** An attempt was not begun. */
  returned(attempt: number): void {
    this.attempts--;
    if (attempt > 1) this.retried--;
  }

  ended(): void {
    this.last = performance.now();
  }
}
