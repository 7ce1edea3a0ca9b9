import { AttemptLog } from '../coordinator/block-log.js';
import type { LeasedBlock } from '../coordinator/messages.js';
import type { RunFolder } from '../coordinator/run-folder.js';
import type { BlockMeter } from './block-meter.js';
import type { CallAnswer, ServiceCalls } from './service-calls.js';

/** What a block's code can reach. */
export interface WorkerBlockContext {
  readonly task: string;
  readonly block: number;
  /** From 1; counts within one run of the coordinator. */
  readonly attempt: number;
  /** Which run of the coordinator in this folder, from 1. With the attempt it makes names that are used once. */
  readonly epoch: number;
  readonly workerId: string;
  /** Measures what the attempt takes. */
  readonly meter: BlockMeter;
  /** Raised when the block's result is no longer wanted. */
  readonly signal: AbortSignal;
  /** Appends a line to the block's log; it is in the file when this returns. */
  log(line: string): void;
  /** Asks a service in the coordinator. Rejects with its error, or ERR_LEASE_LOST when this attempt is over. */
  call(service: string, method: string, header?: unknown, payload?: Uint8Array): Promise<CallAnswer>;
  /** The same where the answer comes in several parts. */
  stream(service: string, method: string, header?: unknown, payload?: Uint8Array): AsyncIterable<CallAnswer>;
}

/** What all attempts in a worker have in common. */
export interface AttemptPlace {
  readonly epoch: number;
  readonly workerId: string;
  readonly folder: RunFolder;
  readonly calls: ServiceCalls;
}

/** One attempt at a block. One of these is made for every block, however short: what not every block needs is made when it does. */
export class BlockAttempt implements WorkerBlockContext {
  readonly block: number;
  readonly attempt: number;
  readonly epoch: number;
  readonly workerId: string;
  private attemptLog: AttemptLog | undefined;
  private pending: Set<Promise<unknown>> | undefined;

  constructor(
    private readonly place: AttemptPlace,
    private readonly leased: LeasedBlock,
    readonly task: string,
    readonly meter: BlockMeter,
    private readonly abort: BlockAbort,
  ) {
    this.block = leased.block;
    this.attempt = leased.attempt;
    this.epoch = place.epoch;
    this.workerId = place.workerId;
  }

  get signal(): AbortSignal {
    return this.abort.signal;
  }

  log = (line: string): void => {
    const { task, block, attempt, workerId } = this;
    this.attemptLog ??= new AttemptLog(this.place.folder.blockLog(task, block), { attempt, workerId });
    this.attemptLog.log(line);
  };

  call(service: string, method: string, header?: unknown, payload?: Uint8Array): Promise<CallAnswer> {
    const answer = this.place.calls.call({ lease: this.leased.lease, service, method, header, payload });
    this.pending ??= new Set();
    const { pending } = this;
    pending.add(answer);
    void answer.then(
      () => pending.delete(answer),
      () => undefined,
    );
    return answer;
  }

  stream(service: string, method: string, header?: unknown, payload?: Uint8Array): AsyncIterable<CallAnswer> {
    this.pending ??= new Set();
    const { lease } = this.leased;
    return tracked(this.place.calls.stream({ lease, service, method, header, payload }), this.pending);
  }

  /** A call that was not waited for belongs to the block all the same. */
  async settled(): Promise<void> {
    while (this.pending !== undefined && this.pending.size > 0) await Promise.all(this.pending);
  }
}

/** The signal of a block, made when someone asks for it: most blocks are too short to. */
export class BlockAbort {
  aborted = false;
  private controller: AbortController | undefined;
  private reason: unknown;

  get signal(): AbortSignal {
    if (this.controller === undefined) {
      this.controller = new AbortController();
      if (this.aborted) this.controller.abort(this.reason);
    }
    return this.controller.signal;
  }

  abort(reason: unknown): void {
    this.aborted = true;
    this.reason = reason;
    this.controller?.abort(reason);
  }
}

/** The same items; as long as one is awaited it stands in `pending`. */
function tracked<Item>(items: AsyncGenerator<Item>, pending: Set<Promise<unknown>>): AsyncIterable<Item> {
  const iterator: AsyncIterableIterator<Item> = {
    next() {
      const item = items.next();
      const settled = () => pending.delete(item);
      pending.add(item);
      item.then(settled, settled);
      return item;
    },
    return: (value) => items.return(value),
    [Symbol.asyncIterator]: () => iterator,
  };
  return iterator;
}
