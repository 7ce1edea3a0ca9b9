import type { BlockCost } from '../coordinator/block-cost.js';
import { MemoryPeak } from './memory-peak.js';

/** What a task's code may add to the cost of its block. */
export interface BlockCostNote {
  /** GPU seconds; left undefined where none is used. */
  gpuSeconds?: number | undefined;
}

type Kind = 'read' | 'write';

/**
 * Measures one attempt at a block: how long something was read or written, in total, however much of it at once; how many
 * bytes; CPU time and peak memory of the process.
 */
export class BlockMeter implements BlockCostNote {
  gpuSeconds: number | undefined = undefined;
  private readonly began: NodeJS.CpuUsage | undefined;
  private readonly memory: MemoryPeak | undefined;
  // plain numbers: one of these is made for every block, however short
  private reads = 0;
  private writes = 0;
  private readMilliseconds = 0;
  private writeMilliseconds = 0;
  private bytesRead = 0;
  private bytesWritten = 0;
  /** Since when neither `reads` nor `writes`, what is under way, has changed. */
  private since = 0;

  /** @param detailed whether CPU time and memory are measured, which takes some 15 microseconds */
  constructor(detailed = true) {
    this.memory = detailed ? new MemoryPeak() : undefined;
    this.began = detailed ? process.cpuUsage() : undefined;
  }

  /** Counts the time until the work has settled, and the bytes that it gives. */
  async during<Value>(kind: Kind, work: () => Promise<Value>, bytesOf: (value: Value) => number): Promise<Value> {
    this.change(kind, 1);
    try {
      const value = await work();
      this.count(kind, bytesOf(value));
      return value;
    } finally {
      this.change(kind, -1);
    }
  }

  /** Counts the time in which an item is waited for, and bytes that were sent for them. */
  async *items<Item>(
    kind: Kind,
    items: AsyncIterable<Item>,
    bytesOf: (item: Item) => number,
  ): AsyncGenerator<Item, void> {
    const iterator = items[Symbol.asyncIterator]();
    let over = false;
    try {
      for (;;) {
        const next = await this.during(
          kind,
          () => iterator.next(),
          ({ done, value }) => (done ? 0 : bytesOf(value)),
        );
        over = next.done === true;
        if (next.done) return;
        yield next.value;
      }
    } catch (error) {
      over = true;
      throw error;
    } finally {
      // the reader left early
      if (!over) await iterator.return?.();
    }
  }

  /** Bytes beside those of {@link during}. */
  count(kind: Kind, bytes: number): void {
    if (kind === 'read') this.bytesRead += bytes;
    else this.bytesWritten += bytes;
  }

  /** What was measured, at the end of the attempt; undefined when it was nothing. */
  end(): BlockCost | undefined {
    if (this.reads > 0 || this.writes > 0) this.account();
    const { began, readMilliseconds, writeMilliseconds, bytesRead, bytesWritten, gpuSeconds } = this;
    const cost: { -readonly [Key in keyof BlockCost]: BlockCost[Key] } = {};
    if (readMilliseconds > 0) cost.read = round(readMilliseconds / 1000);
    if (writeMilliseconds > 0) cost.write = round(writeMilliseconds / 1000);
    if (bytesRead > 0) cost.bytesRead = bytesRead;
    if (bytesWritten > 0) cost.bytesWritten = bytesWritten;
    if (began !== undefined) {
      const { user, system } = process.cpuUsage(began);
      cost.cpu = (user + system) / 1e6;
      const peak = this.memory?.end();
      if (peak !== undefined) cost.memory = peak;
    }
    // a task's code may say anything; what is no number of seconds is not told
    if (Number.isFinite(gpuSeconds) && gpuSeconds! >= 0) cost.gpu = gpuSeconds;
    return Object.keys(cost).length === 0 ? undefined : cost;
  }

  private change(kind: Kind, by: 1 | -1): void {
    this.account();
    if (kind === 'read') this.reads += by;
    else this.writes += by;
    this.memory?.sample();
  }

  /** What happened since the last change: read before write, so that no moment counts twice. */
  private account(): void {
    const now = performance.now();
    if (this.reads > 0) this.readMilliseconds += now - this.since;
    else if (this.writes > 0) this.writeMilliseconds += now - this.since;
    this.since = now;
  }
}

/** To microseconds. */
function round(seconds: number): number {
  return Math.round(seconds * 1e6) / 1e6;
}
