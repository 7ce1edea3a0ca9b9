/** How much work one lease shall hold, in seconds. */
const LEASE_WORK = 0.05;
/** Blocks that one lease may hold. */
export const LEASE_BLOCKS = 1024;
/** Weight of the newest measurement once there are some. */
const NEWEST = 0.1;

/** How long blocks of each task take: short ones are leased several at once. */
export class LeaseSize {
  private readonly means: number[] = [];

  observe(task: number, seconds: number): void {
    const mean = this.means[task];
    this.means[task] = mean === undefined ? seconds : mean + NEWEST * (seconds - mean);
  }

  /** How long a block of the task takes on average; a whole lease while nothing is known. */
  secondsOf(task: number): number {
    return this.means[task] ?? LEASE_WORK;
  }

  /** How large a part of a lease a block of the task is; a whole one while nothing is known. */
  share(task: number): number {
    const mean = this.means[task];
    return mean === undefined ? 1 : Math.max(mean / LEASE_WORK, 1 / LEASE_BLOCKS);
  }
}
