import { BlockwrightError } from '../errors.js';
import type { BlockLedger } from './block-ledger.js';
import type { WorkerSession } from './worker-session.js';

/** Seconds of work beyond which what one worker holds unbegun is worth a message when another has nothing to do. */
const WORTH_SHARING = 0.002;

export interface DispatcherOptions {
  readonly ledger: BlockLedger;
  /** All workers. */
  sessions(): Iterable<WorkerSession>;
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

  /** @param held how many leases it holds by its own count; ERR_PROTOCOL when it is another number. */
  ask(session: WorkerSession, held: number): void {
    // a result that never came would be waited for without end
    if (session.leases.size !== held) {
      const text = `expected ${session.leases.size} leases held when it asked for blocks, found ${held}`;
      throw new BlockwrightError('ERR_PROTOCOL', text);
    }
    session.asked = true;
    (held === 0 ? this.parked : this.ahead).add(session);
  }

  /** It holds fewer leases than before. */
  eased(session: WorkerSession): void {
    if (session.leases.size === 0 && this.ahead.delete(session)) this.parked.add(session);
  }

  /** It is to get no more. */
  forget(session: WorkerSession): void {
    this.parked.delete(session);
    this.ahead.delete(session);
  }

  /** Gives what is ready to those that ask. */
  distribute(): void {
    for (const session of this.parked) {
      if (!this.grant(session)) break;
      this.parked.delete(session);
    }
    if (this.parked.size === 0) {
      for (const session of this.ahead) {
        if (!session.mayRunAhead) continue;
        if (!this.grant(session)) break;
        this.ahead.delete(session);
      }
      return;
    }
    this.reclaim(WORTH_SHARING);
    this.options.onIdle(this.parked.size);
  }

  /** From time to time: blocks that take longer than was thought are shared, too. */
  tick(): void {
    if (this.parked.size > 0) this.reclaim(0);
  }

  private grant(session: WorkerSession): boolean {
    const blocks = this.options.ledger.take();
    if (blocks.length === 0) return false;
    const leased = blocks.map(({ task, block, attempt }) => {
      return { lease: session.grant(task, block, attempt).id, task, block, attempt };
    });
    session.send({ type: 'lease', blocks: leased });
    return true;
  }

  /** Asks the worker that holds the most for half of what it has not begun, if that is work of more than `seconds`. */
  private reclaim(seconds: number): void {
    let returning = 0;
    let richest: WorkerSession | undefined;
    for (const session of this.options.sessions()) {
      if (session.returning) returning++;
      else if (!session.dismissed && session.leases.size > (richest?.leases.size ?? 1)) richest = session;
    }
    const newest = richest?.leases.last;
    if (richest === undefined || newest === undefined || returning >= this.parked.size) return;
    const unbegun = richest.leases.size - 1;
    if (unbegun * this.options.ledger.secondsOf(newest.task) <= seconds) return;
    richest.returning = true;
    richest.send({ type: 'return', count: Math.ceil(unbegun / 2) });
  }
}
