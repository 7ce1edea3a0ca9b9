import { BlockwrightError } from '../errors.js';
import type { Connection, Message } from './connection.js';
import type { WorkerEnd, WorkerHandle } from './executor.js';
import { type Lease, LeaseQueue } from './lease-queue.js';
import { parseHeartbeat } from './messages.js';

/** Milliseconds in which what a worker last sent must have arrived once its process has ended. */
const LAST_WORDS = 1000;
/** Milliseconds after which a worker that was killed is taken to have ended. */
const LAST_BREATH = 10_000;

/** How long a worker may be silent. */
export interface Patience {
  /** Until it first asks for a block. */
  readonly startSeconds: number;
  /** Between its signs of life. */
  readonly leaseSeconds: number;
}

/** One started worker: its process, its connections and the blocks it holds. */
export class WorkerSession {
  readonly leases = new LeaseQueue();
  connection: Connection | undefined;
  heartbeat: Connection | undefined;
  /** How many leases it has asked for and not been given. */
  wanted = 0;
  /** How many results it has sent. */
  results = 0;
  /** When it was last heard of. */
  lastSeen: number;
  /** Since when it has been waiting for blocks, while it does. */
  idleSince = 0;
  /** It closed its connection in order after it had given back what it held. */
  parted = false;
  /** It was told to end for want of work. */
  retired = false;
  /** Where it runs, as it says when it first asks for blocks. */
  host: string | undefined;
  /** The most bytes of memory that it was seen to hold. */
  peakMemory = 0;
  /** When the lease at work was first told to be. */
  runningSince = 0;
  /** It was asked to give leases back and has not answered. */
  returning = false;
  /** When it was last asked to. */
  returnAsked = 0;
  /** It was warned that its time is over: it takes no more blocks, and ends. */
  draining = false;
  /** Nothing more is accepted from it: it has ended, or is about to. */
  dismissed = false;
  /** Why it was ended, if it was not its own doing. */
  reason: string | undefined;
  /** Whether the block that made it end is known and booked. */
  faultBooked = false;
  /** Resolves when it first asks for blocks; never where it does not. */
  readonly came: Promise<void>;
  /** Resolves when its process has ended and all that it sent has arrived. */
  readonly ended: Promise<WorkerEnd>;
  /** The newest lease that it said it had begun. */
  private begun = 0;
  private nextLease = 1;
  private hasAsked = false;
  /** The oldest lease that it held when it said that it is at work on none, and since when it says so. */
  private waiting: number | undefined;
  private waitingSince = 0;
  private takeAsEnded: (end: WorkerEnd) => void = () => undefined;
  private tellCame: () => void = () => undefined;

  constructor(
    readonly id: string,
    readonly handle: WorkerHandle,
    readonly started: number,
    /** Place of its pool among those of the run. */
    readonly pool = 0,
    /** Within how many seconds the end of its process is known; infinite where it cannot be ended, only waited for. */
    private readonly endSeconds = 1,
  ) {
    this.lastSeen = started;
    const forced = new Promise<WorkerEnd>((resolve) => {
      this.takeAsEnded = resolve;
    });
    this.ended = Promise.race([this.lastWords(), forced]);
    this.came = new Promise<void>((resolve) => {
      this.tellCame = resolve;
    });
  }

  /** Whether it has asked for blocks: from then on it is known to work. */
  get asked(): boolean {
    return this.hasAsked;
  }

  /** It asks for blocks. */
  arrive(): void {
    this.hasAsked = true;
    this.tellCame();
  }

  /**
   * The lease that is surely at work: one that the worker said it had begun, for it sends the result of such a one before
   * it begins another. Undefined where nothing is sure: short blocks come and go without a word.
   */
  get atWork(): Lease | undefined {
    return this.leases.get(this.begun);
  }

  /** Whether it may hold more than it does: not behind a block that was tried before, for that may end the worker. */
  get mayRunAhead(): boolean {
    return (this.leases.last?.attempt ?? 1) === 1;
  }

  grant(task: number, block: number, attempt: number): Lease {
    const lease = { id: this.nextLease++, task, block, attempt };
    this.leases.push(lease);
    return lease;
  }

  /** Whether the worker holds a lease and may still act for it. */
  holds(lease: Lease): boolean {
    return !this.dismissed && this.leases.get(lease.id) === lease;
  }

  /** Takes back a lease with its result; undefined when the worker does not hold it. Throws ERR_PROTOCOL out of order. */
  settle(id: number): Lease | undefined {
    const lease = this.leases.get(id);
    if (lease === undefined || this.dismissed) return undefined;
    // a result that never came would be waited for without end
    if (lease !== this.leases.first) {
      throw new BlockwrightError(
        'ERR_PROTOCOL',
        `lease ${id}: expected the result of ${this.leases.first?.id} before it`,
      );
    }
    this.leases.shift();
    return lease;
  }

  /** Takes back the newest leases, newest first, which were not begun. Throws ERR_PROTOCOL when they are others. */
  takeBack(ids: readonly number[]): Lease[] {
    const taken: Lease[] = [];
    for (const id of ids) {
      const { last } = this.leases;
      // others were on their way when it was warned; what is before them is taken back when it has ended
      if (this.draining && last !== undefined && last.id > id) break;
      if (last?.id !== id || id <= this.begun) {
        throw new BlockwrightError('ERR_PROTOCOL', `lease ${id}: expected one that is held, not begun, and the newest`);
      }
      this.leases.pop();
      taken.push(last);
    }
    return taken;
  }

  /** Whether a worker that was told or warned has ended by itself: then it has begun nothing that it still holds. */
  endedInOrder({ status, signal }: WorkerEnd): boolean {
    return status === 0 || (this.parted && (signal === null || this.reason !== undefined));
  }

  /** Takes back all that it held when it ended, oldest first, with what is sure of each. */
  takeAll(): { readonly lease: Lease; readonly came: 'begun' | 'unbegun' | 'unsure' }[] {
    const { atWork, faultBooked } = this;
    const leases = this.leases.drain();
    // the only one is begun as soon as the result of the one before is sent
    const alone = leases.length === 1 && !faultBooked;
    return leases.map((lease) => {
      if (lease === atWork || alone) return { lease, came: 'begun' };
      const known = atWork !== undefined || faultBooked;
      return { lease, came: known && lease.id > this.begun ? 'unbegun' : 'unsure' };
    });
  }

  /** It says that a lease is at work; it may say so twice, and late. */
  begin(id: number, now: number): void {
    if (id <= this.begun || this.leases.get(id) === undefined) return;
    this.begun = id;
    this.runningSince = now;
  }

  /** A sign of life, with the lease at work. Throws ERR_PROTOCOL for anything else. */
  beat(message: Message, now: number): void {
    const { running, host, memory } = parseHeartbeat(message);
    this.lastSeen = now;
    if (memory !== undefined && memory > this.peakMemory) this.peakMemory = memory;
    this.host ??= host;
    this.begin(running, now);
    const waiting = running === 0 ? this.leases.first?.id : undefined;
    if (waiting !== this.waiting) this.waitingSince = now;
    this.waiting = waiting;
  }

  /** Why it is to be given up; undefined while it is not. */
  overdue(now: number, { startSeconds, leaseSeconds }: Patience): string | undefined {
    if (!this.asked && now - this.started > startSeconds * 1000) {
      return `it did not ask for a block within ${startSeconds} s`;
    }
    if (this.connection !== undefined && now - this.lastSeen > leaseSeconds * 1000) {
      return `no sign of life for ${leaseSeconds} s`;
    }
    // one of its connections may be dead and the other not: it does not know what it holds, or its results do not arrive
    const { first } = this.leases;
    if (first !== undefined && first.id === this.waiting && now - this.waitingSince > leaseSeconds * 1000) {
      return `it holds blocks and was at work on none for ${leaseSeconds} s`;
    }
    return undefined;
  }

  send(message: Message): void {
    this.connection?.send(message);
  }

  /** Has it end, for there is no work for it. */
  retire(milliseconds: number): void {
    this.retired = true;
    this.sendAway(milliseconds, 'it did not end when there was no work for it');
  }

  /** Tells it to end, and ends it where it does not in time. */
  sendAway(milliseconds: number, reason: string): void {
    this.send({ type: 'stop' });
    this.killAfter(milliseconds, reason);
  }

  /** Milliseconds beyond those of a local process until its end is known. */
  get slowness(): number {
    return Math.min(60, this.endSeconds - 1) * 1000;
  }

  /** Ends the process at once and listens to it no more. */
  kill(reason: string): void {
    this.reason ??= reason;
    this.dismissed = true;
    this.disconnect();
    this.handle.kill();
    if (this.endSeconds === Number.POSITIVE_INFINITY) return;
    const breath = Math.max(LAST_BREATH, 2000 * this.endSeconds);
    const timer = setTimeout(() => this.takeAsEnded({ status: null, signal: null, lastLines: '' }), breath);
    void this.ended.then(() => clearTimeout(timer));
  }

  /** Ends it unless it ends by itself in time. */
  killAfter(milliseconds: number, reason: string): void {
    const timer = setTimeout(() => this.kill(reason), milliseconds);
    void this.ended.then(() => clearTimeout(timer));
  }

  disconnect(): void {
    this.connection?.destroy();
    this.heartbeat?.destroy();
  }

  private async lastWords(): Promise<WorkerEnd> {
    const end = await this.handle.ended;
    if (this.connection !== undefined) {
      const timer = setTimeout(() => this.disconnect(), LAST_WORDS);
      await this.connection.closed;
      clearTimeout(timer);
    }
    return end;
  }
}

/** How a worker ended, for people. */
export function describeEnd(end: WorkerEnd): string {
  if (end.reason !== undefined) return end.reason;
  if (end.signal !== null) return `ended by ${end.signal}`;
  return end.status === null ? 'it did not start' : `exit status ${end.status}`;
}
