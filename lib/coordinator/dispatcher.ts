import { BlockwrightError } from '../errors.js';
import type { BlockLedger } from './block-ledger.js';
import type { WorkerSession } from './worker-session.js';

/** Seconds of work beyond which what one worker holds unbegun is worth a message when another has nothing to do. */
const WORTH_SHARING = 0.002;
/** Milliseconds in which a worker answers that does not compute. */
const ANSWER_WITHIN = 500;
/** Leases that a worker may ask for before it is given one. */
const MOST_WANTED = 16;

export interface DispatcherOptions {
  readonly ledger: BlockLedger;
  /** All workers. */
  sessions(): Iterable<WorkerSession>;
  now(): number;
  /** Whether a worker may have blocks at all, now. */
  mayServe(session: WorkerSession): boolean;
  /** So many workers wait for blocks. */
  onIdle(workers: number): void;
}

/**
 * Gives blocks to workers that ask: first to those that have nothing to do, then to those that ask ahead, while they are
 * at work. Where some have nothing to do and nothing is ready, others are asked to give back what they have not begun.
 */
export class Dispatcher {
  /** Workers that have nothing to do. */
  readonly parked = new Set<WorkerSession>();
  /** Workers that ask while they still hold blocks. */
  private readonly ahead = new Set<WorkerSession>();

  constructor(private readonly options: DispatcherOptions) {}

  /**
   * It asks for one more lease.
   *
   * @param held how many it holds by its own count; ERR_PROTOCOL when it is another number
   * @param newest the newest that it had then: later ones were on their way
   */
  ask(session: WorkerSession, held: number, newest = Number.POSITIVE_INFINITY): void {
    const { leases } = session;
    // a result that never came would be waited for without end
    const expected = leases.size - leases.newerThan(newest);
    if (expected !== held) {
      const text = `expected ${expected} leases held when it asked for blocks, found ${held}`;
      throw new BlockwrightError('ERR_PROTOCOL', text);
    }
    if (session.wanted === MOST_WANTED) {
      throw new BlockwrightError(
        'ERR_PROTOCOL',
        `expected at most ${MOST_WANTED} leases asked for at once, found more`,
      );
    }
    if (!session.asked) this.options.ledger.joined(session.id);
    session.arrive();
    session.wanted++;
    if (leases.size > 0) this.ahead.add(session);
    else if (!this.parked.has(session)) this.park(session);
  }

  /** It holds fewer leases than before. */
  eased(session: WorkerSession): void {
    if (session.leases.size === 0 && this.ahead.delete(session)) this.park(session);
  }

  /** It is to get no more. */
  forget(session: WorkerSession): void {
    session.wanted = 0;
    this.parked.delete(session);
    this.ahead.delete(session);
  }

  /** Gives what is ready to those that have nothing to do. */
  serveIdle(): void {
    this.serve(this.parked, new Set());
    if (this.parked.size === 0) return;
    this.reclaim(WORTH_SHARING);
    this.options.onIdle(this.parked.size);
  }

  /** Gives what is left to those that ask ahead. */
  serveAhead(): void {
    if (this.ahead.size === 0) return;
    this.serve(this.ahead, new Set(this.waiting.map(({ pool }) => pool)));
  }

  /** From time to time: blocks that take longer than was thought are shared, too. */
  tick(): void {
    this.reclaim(0);
  }

  /** Those that have nothing to do and may have blocks. */
  private get waiting(): WorkerSession[] {
    return [...this.parked].filter((session) => this.options.mayServe(session));
  }

  private park(session: WorkerSession): void {
    session.idleSince = this.options.now();
    this.parked.add(session);
  }

  /** @param dry pools that have nothing for them */
  private serve(asking: Set<WorkerSession>, dry: Set<number>): void {
    for (const session of asking) {
      // one that was asked to give some back answers by those it has now
      if (session.returning || session.dismissed) continue;
      if (dry.has(session.pool) || !session.mayRunAhead || !this.options.mayServe(session)) continue;
      if (!this.grant(session)) {
        dry.add(session.pool);
        continue;
      }
      asking.delete(session);
      if (--session.wanted > 0) this.ahead.add(session);
    }
  }

  private grant(session: WorkerSession): boolean {
    const blocks = this.options.ledger.take(session.pool);
    if (blocks.length === 0) return false;
    const leased = blocks.map(({ task, block, attempt }) => {
      return { lease: session.grant(task, block, attempt).id, task, block, attempt };
    });
    session.send({ type: 'lease', blocks: leased });
    return true;
  }

  /** Asks those that hold the most for half of what they have not begun, where that is work of more than `seconds`. */
  private reclaim(seconds: number): void {
    const idle = new Map<number, number>();
    for (const { pool } of this.waiting) idle.set(pool, (idle.get(pool) ?? 0) + 1);
    for (const [pool, workers] of idle) this.reclaimOf(pool, workers, seconds);
  }

  private reclaimOf(pool: number, workers: number, seconds: number): void {
    const now = this.options.now();
    let returning = 0;
    let richest: WorkerSession | undefined;
    for (const session of this.options.sessions()) {
      if (session.pool !== pool || session.dismissed || session.draining) continue;
      // one that is deep in a block answers when it is over: others are asked meanwhile
      if (session.returning) returning += now - session.returnAsked < ANSWER_WITHIN ? 1 : 0;
      else if (session.leases.size > (richest?.leases.size ?? 1)) richest = session;
    }
    const newest = richest?.leases.last;
    if (richest === undefined || newest === undefined || returning >= workers) return;
    const unbegun = richest.leases.size - 1;
    if (unbegun * this.options.ledger.secondsOf(newest.task) <= seconds) return;
    richest.returning = true;
    richest.returnAsked = now;
    richest.send({ type: 'return', count: Math.ceil(unbegun / 2) });
  }
}
