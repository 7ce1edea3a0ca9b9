import { BlockwrightError } from '../errors.js';
import type { RemotePart } from './remote-store.js';

/** What one entry takes beside its bytes, also where there is no file. */
const ENTRY_BYTES = 256;

type Read = (signal: AbortSignal) => Promise<RemotePart | undefined>;

/** A read that is under way, and how many wait for it. */
interface Flight {
  readonly result: Promise<RemotePart | undefined>;
  readonly controller: AbortController;
  waiting: number;
}

/**
 * Remembers what was read, up to a number of bytes: what was not used for longest goes first. Reads of one key at the same
 * time are one read, which is given up when no one waits for it any more.
 */
export class ReadCache {
  private readonly entries = new Map<string, RemotePart | undefined>();
  private readonly flights = new Map<string, Flight>();
  private held = 0;

  constructor(private readonly limit: number) {}

  /** Bytes held. */
  get bytes(): number {
    return this.held;
  }

  has(key: string): boolean {
    return this.entries.has(key);
  }

  /**
   * What `read` reads, or read for this key before.
   *
   * @param read gets a signal that is aborted when no one waits any more
   * @throws ERR_CANCELLED at once when `signal` is aborted; what `read` throws, which is not remembered
   */
  async get(key: string, read: Read, signal?: AbortSignal): Promise<RemotePart | undefined> {
    if (!this.entries.has(key)) {
      const readAndKeep: Read = async (given) => this.keep(key, await read(given));
      return this.share(key, readAndKeep, signal);
    }
    const entry = this.entries.get(key);
    this.entries.delete(key);
    this.entries.set(key, entry);
    return entry;
  }

  /** As {@link get}, but the result is not remembered. */
  async share(key: string, read: Read, signal?: AbortSignal): Promise<RemotePart | undefined> {
    const flight = this.flights.get(key) ?? this.start(key, read);
    flight.waiting += 1;
    try {
      return await unlessAborted(flight.result, signal);
    } finally {
      flight.waiting -= 1;
      if (flight.waiting === 0) this.end(key, flight);
    }
  }

  /** Remembers what was read; its bytes must be all of their memory. */
  keep(key: string, part: RemotePart | undefined): RemotePart | undefined {
    this.forget(key);
    if (sizeOf(part) > this.limit) return part;
    this.entries.set(key, part);
    this.held += sizeOf(part);
    for (const oldest of this.entries.keys()) {
      if (this.held <= this.limit) break;
      this.forget(oldest);
    }
    return part;
  }

  /** Forgets what turned out to be damaged: the next read may bring it whole. */
  forget(key: string): void {
    if (!this.entries.has(key)) return;
    this.held -= sizeOf(this.entries.get(key));
    this.entries.delete(key);
  }

  /** Forgets all. */
  clear(): void {
    this.entries.clear();
    this.held = 0;
  }

  private start(key: string, read: Read): Flight {
    const controller = new AbortController();
    const result = read(controller.signal);
    // Whoever still waits sees the error.
    result.catch(() => undefined);
    const flight = { result, controller, waiting: 0 };
    this.flights.set(key, flight);
    return flight;
  }

  private end(key: string, flight: Flight): void {
    flight.controller.abort();
    if (this.flights.get(key) === flight) this.flights.delete(key);
  }
}

function sizeOf(part: RemotePart | undefined): number {
  return ENTRY_BYTES + (part?.bytes.byteLength ?? 0);
}

/** The result, or ERR_CANCELLED as soon as the signal is aborted. */
async function unlessAborted<Result>(result: Promise<Result>, signal: AbortSignal | undefined): Promise<Result> {
  if (signal === undefined) return result;
  let onAbort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(new BlockwrightError('ERR_CANCELLED', 'the read was cancelled'));
  });
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort);
  try {
    return await Promise.race([result, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
    aborted.catch(() => undefined);
  }
}
