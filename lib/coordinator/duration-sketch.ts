/** Neighbouring bounds of bins have this ratio; half of it, 1 %, is how far a quantile may be off. */
const RATIO = 1.02;
const SCALE = 1 / Math.log(RATIO);
/** Shorter ones count as this, in seconds. */
const SHORTEST = 1e-6;

/**
 * How many durations there were of which length, in bins of equal ratio: quantiles to 1 %, in a few hundred numbers
 * whatever comes. Sketches of several runs add up.
 */
export class DurationSketch {
  private readonly bins = new Map<number, number>();
  private count = 0;

  /** @param bins as {@link toJSON} gives them */
  constructor(bins: readonly (readonly [bin: number, count: number])[] = []) {
    for (const [bin, count] of bins) this.put(bin, count);
  }

  add(seconds: number): void {
    this.put(seconds > SHORTEST ? Math.floor(Math.log(seconds / SHORTEST) * SCALE) : 0, 1);
  }

  merge(other: DurationSketch): void {
    for (const [bin, count] of other.bins) this.put(bin, count);
  }

  /** The duration that a part of all do not exceed, e.g. 0.5: the median; 0 when there were none. */
  quantile(part: number): number {
    const rank = Math.max(1, Math.ceil(part * this.count));
    let seen = 0;
    for (const [bin, count] of this.toJSON()) {
      seen += count;
      if (seen >= rank) return SHORTEST * RATIO ** (bin + 0.5);
    }
    return 0;
  }

  /** Bins by length. */
  toJSON(): [bin: number, count: number][] {
    return [...this.bins].sort(([a], [b]) => a - b);
  }

  private put(bin: number, count: number): void {
    this.bins.set(bin, (this.bins.get(bin) ?? 0) + count);
    this.count += count;
  }
}
