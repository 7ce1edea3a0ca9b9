import type { BlockLedger } from './block-ledger.js';
import { isEviction, type WorkerEnd } from './executor.js';
import type { FreeSpace } from './free-space.js';
import { type HostFault, HostWatch } from './host-watch.js';
import { MemoryPolicy, type MemoryPolicyOptions } from './memory-policy.js';
import type { Thrown } from './messages.js';
import { endedOutOfMemory, threwOutOfMemory } from './out-of-memory.js';
import { describeEnd, type Lease, type WorkerSession } from './worker-session.js';

export interface BlockFaultsOptions extends MemoryPolicyOptions {
  readonly ledger: BlockLedger;
  readonly space: FreeSpace;
  /** All workers that have not ended. */
  readonly sessions: ReadonlyMap<string, WorkerSession>;
  /** No more blocks go to this host. */
  onExcluded(host: string): void;
}

/**
 * Decides whose fault it is that a block was not done: its own, which counts against it; its worker's or its host's; that
 * too many ran at once for the memory there is; that a disk is full.
 */
export class BlockFaults {
  private readonly memory: MemoryPolicy;
  private readonly hosts = new HostWatch();

  constructor(private readonly options: BlockFaultsOptions) {
    this.memory = new MemoryPolicy(options);
  }

  /** Whether no blocks shall go to the worker's host. */
  avoids({ host }: WorkerSession): boolean {
    return host !== undefined && this.hosts.excluded.has(host);
  }

  succeeded({ host }: WorkerSession): void {
    this.hosts.succeeded(host);
  }

  /** Its code threw, or it ran too long. What it books may come a moment later. */
  async threw(session: WorkerSession, lease: Lease, error: Thrown, seconds: number): Promise<void> {
    const { ledger, space } = this.options;
    if (threwOutOfMemory(error)) {
      this.ranOut(session, lease, error, seconds);
      return;
    }
    if (/\bENOSPC\b/.test(`${error.code} ${error.message}`)) {
      await space.check();
      if (space.shortage !== undefined) {
        ledger.failed(lease, session.id, error, { seconds, counts: false });
        return;
      }
    }
    ledger.failed(lease, session.id, error, { seconds });
    this.blame(session, { ...lease, what: 'failure' });
  }

  /** Ends a worker whose block ran too long; that block is to be booked once it has ended, with what this gives. */
  timedOut(session: WorkerSession, lease: Lease): { readonly error: Thrown; readonly seconds: number } {
    const { name, blockTimeout } = this.options.tasks[lease.task];
    const seconds = blockTimeout / 1000;
    const message = `block ${lease.block} of task ${name} ran longer than its blockTimeout of ${seconds} s`;
    session.kill(message);
    session.leases.delete(lease.id);
    session.faultBooked = true;
    return { error: { message, stack: message, code: 'ERR_BLOCK_TIMEOUT' }, seconds };
  }

  /**
   * A worker ended while it held blocks.
   *
   * @param asked whether it was told to end: then nobody is to blame
   */
  ended(session: WorkerSession, end: WorkerEnd, asked: boolean): void {
    const { ledger } = this.options;
    const reason = session.reason ?? describeEnd(end);
    const lastLines = session.reason === undefined ? end.lastLines : '';
    const leases = [...session.leases.values()];
    const { atWork } = session;
    session.leases.clear();
    const outOfMemory = session.reason === undefined && !asked && endedOutOfMemory(end);
    // with several it is unclear which was at fault; they run alone next time, and then it is clear
    const blamed = leases.length === 1 && !asked && !session.faultBooked && !isEviction(end);
    if (outOfMemory && atWork !== undefined && leases.length > 1) this.memory.ranOut(session, atWork, this.sessions);
    for (const lease of leases) {
      if (outOfMemory && blamed) {
        const story = lastLines === '' ? reason : `${reason}; its last lines:\n${lastLines}`;
        this.ranOut(session, lease, { message: reason, stack: story, code: 'ERR_OUT_OF_MEMORY' }, 0);
        continue;
      }
      ledger.lost(lease, session.id, { reason, lastLines, blamed });
      if (blamed) this.blame(session, { ...lease, what: 'loss' });
    }
  }

  private get sessions(): Iterable<WorkerSession> {
    return this.options.sessions.values();
  }

  private ranOut(session: WorkerSession, lease: Lease, { message, stack }: Thrown, seconds: number): void {
    const alone = this.memory.ranOut(session, lease, this.sessions);
    const { peakMemory } = session;
    const peak = peakMemory === 0 ? '' : `; its worker was seen to hold ${Math.round(peakMemory / 2 ** 20)} MiB`;
    const what = alone ? 'out of memory, with no other block of its task at work' : 'out of memory';
    const told = `${what}${peak}: ${message}`;
    const error = { message: told, stack: `${told}\n${stack}`, code: 'ERR_OUT_OF_MEMORY' };
    this.options.ledger.failed(lease, session.id, error, { seconds, counts: alone, peakMemory });
  }

  private blame({ host }: WorkerSession, fault: HostFault): void {
    const { scheduler, journal, onEvent, onExcluded } = this.options;
    const faults = this.hosts.failed(host, fault);
    if (host === undefined || faults === undefined) return;
    for (const { task, block, what } of faults) scheduler.forgive(task, block, what);
    const blocks = new Set(faults.map(({ task, block }) => `${task} ${block}`)).size;
    journal.write('host-excluded', { host, blocks });
    onEvent({ type: 'host-excluded', host, blocks });
    onExcluded(host);
  }
}
