/** Bytes a millisecond at which a long answer must at least arrive. */
const SLOWEST_RATE = 65_536 / 1000;

/** Ends a request that takes too long, or when its caller wants no answer any more. */
export class ResponseDeadline {
  private readonly controller = new AbortController();
  private readonly began = performance.now();
  private readonly abort = () => this.controller.abort();
  private timer: NodeJS.Timeout;
  private allowed: number;
  /** Whether the time was over. */
  passed = false;

  constructor(
    seconds: number,
    private readonly caller?: AbortSignal,
  ) {
    this.allowed = seconds * 1000;
    this.timer = setTimeout(this.check, this.allowed);
    caller?.addEventListener('abort', this.abort);
    if (caller?.aborted) this.abort();
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** Gives the answer the time that these bytes may take. */
  extend(bytes: number): void {
    this.allowed += bytes / SLOWEST_RATE;
  }

  end(): void {
    clearTimeout(this.timer);
    this.caller?.removeEventListener('abort', this.abort);
  }

  private readonly check = () => {
    const left = this.began + this.allowed - performance.now();
    if (left > 1) {
      this.timer = setTimeout(this.check, left);
      return;
    }
    this.passed = true;
    this.abort();
  };
}
