import { BlockwrightError } from '../errors.js';

/** What one entry takes beside its bytes, also where there is no file. */
const ENTRY_BYTES = 256;

/** A read that is under way, and how many wait for it. */
interface Flight {
  readonly result: Promise<Uint8Array | undefined>;
  readonly controller: AbortController;
  waiting: number;
}

/**
 * Remembers what was read, up to a number of bytes: what was not used for longest goes first. Reads of one key at the same
 * time are one read, which is given up when no one waits for it any more.
 */
export class ReadCache {
  private readonly entries = new Map<string, Uint8Array | undefined>();
  private readonly flights = new Map<string, Flight>();
  private held = 0;

  constructor(private readonly limit: number) {}

  /** Bytes held. */
  get bytes(): number {
    return this.held;
  }

  /**
   * What `read` reads, or read for this key before.
   *
   * @throws ERR_CANCELLED at once when `signal` is aborted; what `read` throws, which is not remembered
   */
  async get(
    key: string,
    read: (signal: AbortSignal) => Promise<Uint8Array | undefined>,
    signal?: AbortSignal,
  ): Promise<Uint8Array | undefined> {
    if (this.entries.has(key)) {
      const entry = this.entries.get(key);
      this.entries.delete(key);
      this.entries.set(key, entry);
      return entry;
    }
    const flight = this.flights.get(key) ?? this.start(key, read);
    flight.waiting += 1;
    try {
      return await unlessAborted(flight.result, signal);
    } finally {
      flight.waiting -= 1;
      if (flight.waiting === 0) this.end(key, flight);
    }
  }

  /** Forgets what turned out to be damaged: the next read may bring it whole. */
  forget(key: string): void {
    if (!this.entries.has(key)) return;
    this.held -= sizeOf(this.entries.get(key));
    this.entries.delete(key);
  }

  private start(key: string, read: (signal: AbortSignal) => Promise<Uint8Array | undefined>): Flight {
    const controller = new AbortController();
    const result = read(controller.signal).then((bytes) => {
      this.keep(key, bytes);
      return bytes;
    });
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

  private keep(key: string, bytes: Uint8Array | undefined): void {
    this.forget(key);
    if (sizeOf(bytes) > this.limit) return;
    this.entries.set(key, bytes);
    this.held += sizeOf(bytes);
    for (const oldest of this.entries.keys()) {
      if (this.held <= this.limit) break;
      this.forget(oldest);
    }
  }
}

function sizeOf(bytes: Uint8Array | undefined): number {
  return ENTRY_BYTES + (bytes?.byteLength ?? 0);
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
