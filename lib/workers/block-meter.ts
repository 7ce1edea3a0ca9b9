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
export class BlockMeter {
  /** What the task's code says. */
  readonly note: BlockCostNote = {};
  private readonly began: NodeJS.CpuUsage | undefined;
  private readonly memory: MemoryPeak | undefined;
  private readonly underWay = { read: 0, write: 0 };
  private readonly milliseconds = { read: 0, write: 0 };
  private readonly bytes = { read: 0, write: 0 };
  /** Since when neither count of `underWay` has changed. */
  private since = 0;

  /** @param detailed whether CPU time and memory are measured, which takes some 15 microseconds */
  constructor(detailed = true) {
    if (!detailed) return;
    this.memory = new MemoryPeak();
    this.began = process.cpuUsage();
  }

  /** Counts the time until the work has settled, and the bytes that it gives. */
  async during<Value>(kind: Kind, work: () => Promise<Value>, bytesOf: (value: Value) => number): Promise<Value> {
    this.change(kind, 1);
    try {
      const value = await work();
      this.bytes[kind] += bytesOf(value);
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
    this.bytes[kind] += bytes;
  }

  /** What was measured, at the end of the attempt; undefined when it was nothing. */
  end(): BlockCost | undefined {
    const { began, milliseconds, bytes, note } = this;
    this.account();
    const cost: { -readonly [Key in keyof BlockCost]: BlockCost[Key] } = {};
    if (milliseconds.read > 0) cost.read = round(milliseconds.read / 1000);
    if (milliseconds.write > 0) cost.write = round(milliseconds.write / 1000);
    if (bytes.read > 0) cost.bytesRead = bytes.read;
    if (bytes.write > 0) cost.bytesWritten = bytes.write;
    if (began !== undefined) {
      const { user, system } = process.cpuUsage(began);
      cost.cpu = (user + system) / 1e6;
      const peak = this.memory?.end();
      if (peak !== undefined) cost.memory = peak;
    }
    // a task's code may say anything; what is no number of seconds is not told
    const gpu = Number(note.gpuSeconds);
    if (Number.isFinite(gpu) && gpu >= 0) cost.gpu = gpu;
    return Object.keys(cost).length === 0 ? undefined : cost;
  }

  private change(kind: Kind, by: 1 | -1): void {
    this.account();
    this.underWay[kind] += by;
    this.memory?.sample();
  }

  /** What happened since the last change: read before write, so that no moment counts twice. */
  private account(): void {
    const { read, write } = this.underWay;
    const now = performance.now();
    if (read > 0) this.milliseconds.read += now - this.since;
    else if (write > 0) this.milliseconds.write += now - this.since;
    this.since = now;
  }
}

/** To microseconds. */
function round(seconds: number): number {
  return Math.round(seconds * 1e6) / 1e6;
}
