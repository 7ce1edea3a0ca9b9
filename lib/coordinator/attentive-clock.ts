/**
 * Milliseconds that count only while this process is awake and its event loop turns. Where the coordinator was stopped
 * or suspended for a minute, or computed for long, what it could not hear meanwhile is held against nobody. Monotonic;
 * the wall clock plays no part.
 */
export class AttentiveClock {
  private counted = 0;
  private last: number;
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly tickMilliseconds: number,
    onTick: () => void,
    private readonly time: () => number = () => performance.now(),
  ) {
    this.last = time();
    this.timer = setInterval(() => {
      this.counted = this.now();
      this.last = time();
      onTick();
    }, tickMilliseconds);
  }

  now(): number {
    return this.counted + Math.min(this.time() - this.last, 4 * this.tickMilliseconds);
  }

  stop(): void {
    clearInterval(this.timer);
  }
}
