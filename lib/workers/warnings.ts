/** Seconds that batch systems usually leave between SIGTERM and SIGKILL are 30 (SLURM's KillWait); a block gets a part of them. */
const TERM_SECONDS = 10;

/**
 * The signals by which a batch system says that a worker's time is soon over: SIGUSR1 as asked for (`--signal`), SIGTERM when
 * a job is preempted, cancelled or at its end.
 */
export class Warnings {
  private receive: ((milliseconds: number) => void) | undefined;
  /** Of a warning that came before anybody listened. */
  private early: number | undefined;
  private readonly onWarning = () => this.warn(this.drainSeconds);
  private readonly onTerm = () => this.warn(Math.min(this.drainSeconds, TERM_SECONDS));

  /** @param drainSeconds how long a block may go on after SIGUSR1 */
  constructor(private readonly drainSeconds = 50) {
    process.on('SIGUSR1', this.onWarning);
    process.on('SIGTERM', this.onTerm);
  }

  /** `receive` gets how many milliseconds a block that runs may go on. */
  listen(receive: (milliseconds: number) => void): void {
    this.receive = receive;
    if (this.early !== undefined) receive(this.early);
  }

  close(): void {
    process.off('SIGUSR1', this.onWarning);
    process.off('SIGTERM', this.onTerm);
  }

  private warn(seconds: number): void {
    if (this.receive === undefined) this.early = seconds * 1000;
    else this.receive(seconds * 1000);
  }
}
