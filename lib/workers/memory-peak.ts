import { openSync, readSync, writeSync } from 'node:fs';

/** Files of the system that tell the highest resident memory of this process, and set it back to what it is now. */
interface Counter {
  readonly reset: number;
  readonly status: number;
}

const RESET_PEAK = Buffer.from('5');
const text = Buffer.alloc(8192);
/** Opened once a process; null where the system has none or does not allow it. */
let counter: Counter | null | undefined;

/**
 * The highest resident memory of this process, all of it, from its making to {@link end}. Where the system has no such
 * count (Linux has VmHWM), the highest of a few samples: then it may be too low. One at a time.
 */
export class MemoryPeak {
  private sampled = 0;

  constructor() {
    if (counter === undefined) counter = openCounter();
    if (counter === null) this.sample();
    else writeSync(counter.reset, RESET_PEAK);
  }

  /** Looks, where the system does not count by itself. */
  sample(): void {
    if (counter === null) this.sampled = Math.max(this.sampled, process.memoryUsage.rss());
  }

  /** Bytes. */
  end(): number | undefined {
    this.sample();
    return counter ? highest(counter.status) : this.sampled;
  }
}

function openCounter(): Counter | null {
  try {
    const found = { reset: openSync('/proc/self/clear_refs', 'w'), status: openSync('/proc/self/status', 'r') };
    writeSync(found.reset, RESET_PEAK);
    return highest(found.status) === undefined ? null : found;
  } catch {
    return null;
  }
}

function highest(status: number): number | undefined {
  const length = readSync(status, text, 0, text.byteLength, 0);
  const found = /^VmHWM:\s*(\d+) kB/m.exec(text.toString('latin1', 0, length));
  return found === null ? undefined : Number(found[1]) * 1024;
}
