import type { BlockLedger, Took } from './block-ledger.js';
import { isEviction, type WorkerEnd } from './executor.js';
import type { FreeSpace } from './free-space.js';
import { type ExcludedHost, type HostFault, HostWatch } from './host-watch.js';
import type { Lease } from './lease-queue.js';
import { MemoryPolicy, type MemoryPolicyOptions } from './memory-policy.js';
import type { Thrown } from './messages.js';
import { endedOutOfMemory, threwOutOfMemory } from './out-of-memory.js';
import { describeEnd, type WorkerSession } from './worker-session.js';

/** Milliseconds after a host came under suspicion in which workers that are being started are waited for. */
const COMING = 30_000;

export interface BlockFaultsOptions extends MemoryPolicyOptions {
  /** One watch over hosts for each. */
  readonly pools: readonly unknown[];
  readonly ledger: BlockLedger;
  readonly space: FreeSpace;
  /** All workers that have not ended. */
  readonly sessions: ReadonlyMap<string, WorkerSession>;
  /** No more blocks go to this host. */
  onExcluded(pool: number, host: string): void;
  /** What became of a block is known. */
  onBooked(): void;
  /** The record or the journal cannot be written. */
  onFailure(error: unknown): void;
}

/**
 * Decides whose fault it is that a block was not done: its own, which counts against it; its worker's or its host's; that
 * too many ran at once for the memory there is; that a disk is full.
 */
export class BlockFaults {
  private readonly memory: MemoryPolicy;
  /** Of each pool: what another executor's workers can do says nothing of a host. */
  private readonly hosts: readonly HostWatch[];
  /** Since when there has been a suspected host. */
  private suspectedSince = 0;

  constructor(private readonly options: BlockFaultsOptions) {
    this.memory = new MemoryPolicy(options);
    this.hosts = options.pools.map(() => new HostWatch());
  }

  /** Whether no more blocks shall go to the worker's host. */
  avoids({ host, pool }: WorkerSession): boolean {
    return host !== undefined && this.hosts[pool].excluded.has(host);
  }

  /** Whether workers may be held back: see {@link holdsBack}, whose answer changes as time goes by. */
  get suspicious(): boolean {
    return this.hosts.some(({ suspecting }) => suspecting);
  }

  /** Whether a worker is to wait: its host is suspected, and others are at work, or soon will be, whose results will tell. */
  holdsBack({ host, pool }: WorkerSession): boolean {
    if (host === undefined || !this.hosts[pool].suspects(host)) return false;
    let coming = false;
    for (const other of this.sessions) {
      if (other.dismissed || (other.host !== undefined && this.hosts[other.pool].suspects(other.host))) continue;
      // one of the same pool can do all that this one could, so nothing waits for ever
      const able = other.pool === pool && other.asked && !other.draining && !other.retired;
      if (able || other.leases.size > 0) return true;
      if (!other.asked) coming = true;
    }
    return coming && performance.now() - this.suspectedSince < COMING;
  }

  succeeded({ host, pool }: WorkerSession): void {
    if (host !== undefined) this.exclude(pool, this.hosts[pool].succeeded(host));
  }

  /** Its code threw, or it ran too long. What it books may come a moment later. */
  threw(session: WorkerSession, lease: Lease, error: Thrown, took: Took): void {
    const { onBooked, onFailure } = this.options;
    this.bookThrown(session, lease, error, took).then(onBooked, onFailure);
  }

  private async bookThrown(session: WorkerSession, lease: Lease, error: Thrown, took: Took): Promise<void> {
    const { ledger, space } = this.options;
    if (threwOutOfMemory(error)) {
      this.ranOut(session, lease, error, took);
      return;
    }
    if (/\bENOSPC\b/.test(`${error.code} ${error.message}`)) {
      await space.check();
      if (space.shortage !== undefined) {
        ledger.failed(lease, session, error, { ...took, counts: false });
        return;
      }
    }
    ledger.failed(lease, session, error, took);
    this.blame(session, lease, 'failure');
  }

  /** Ends a worker whose block ran too long; that block is to be booked once it has ended, with what this gives. */
  timedOut(session: WorkerSession, lease: Lease): { readonly error: Thrown; readonly took: Took } {
    const { name, blockTimeout } = this.options.tasks[lease.task];
    const seconds = blockTimeout / 1000;
    const message = `block ${lease.block} of task ${name} ran longer than its blockTimeout of ${seconds} s`;
    session.kill(message);
    session.leases.remove(lease);
    session.faultBooked = true;
    return { error: { message, stack: message, code: 'ERR_BLOCK_TIMEOUT' }, took: { seconds } };
  }

  /**
   * A worker ended while it held blocks.
   *
   * @param how `asked`: it was told to end, then nobody is to blame; `stopping`: so is every worker
   */
  ended(session: WorkerSession, end: WorkerEnd, how: { readonly asked: boolean; readonly stopping: boolean }): void {
    const { asked, stopping } = how;
    const { ledger } = this.options;
    const reason = session.reason ?? describeEnd(end);
    const lastLines = session.reason === undefined ? end.lastLines : '';
    const outOfMemory = session.reason === undefined && !asked && endedOutOfMemory(end);
    let limited = false;
    for (const { lease, came } of session.takeAll()) {
      // nothing went wrong with those that were not begun, or came when it was about to end in order
      const untouched = came === 'unbegun' || (asked && session.endedInOrder(end));
      const blamed = came === 'begun' && !asked && !isEviction(end, session.reason);
      if (stopping || untouched) {
        ledger.givenBack(lease, session.id);
      } else if (blamed && outOfMemory) {
        const story = lastLines === '' ? reason : `${reason}; its last lines:\n${lastLines}`;
        this.ranOut(session, lease, { message: reason, stack: story, code: 'ERR_OUT_OF_MEMORY' }, { seconds: 0 });
      } else {
        // where it is not sure which was at fault, they run alone next time, and then it is
        if (outOfMemory && !limited) this.memory.ranOut(session, lease, this.sessions);
        limited = true;
        ledger.lost(lease, session, { reason, lastLines, blamed });
        if (blamed) this.blame(session, lease, 'loss');
      }
    }
  }

  private get sessions(): Iterable<WorkerSession> {
    return this.options.sessions.values();
  }

  private ranOut(session: WorkerSession, lease: Lease, { message, stack }: Thrown, took: Took): void {
    const alone = this.memory.ranOut(session, lease, this.sessions);
    const peakMemory = Math.max(session.peakMemory, took.cost?.memory ?? 0);
    const peak = peakMemory === 0 ? '' : `; its worker was seen to hold ${Math.round(peakMemory / 2 ** 20)} MiB`;
    const what = alone ? 'out of memory, with no other block of its task at work' : 'out of memory';
    const told = `${what}${peak}: ${message}`;
    const error = { message: told, stack: `${told}\n${stack}`, code: 'ERR_OUT_OF_MEMORY' };
    this.options.ledger.failed(lease, session, error, { ...took, counts: alone, peakMemory });
  }

  private blame({ host, pool }: WorkerSession, { task, block }: Lease, what: HostFault['what']): void {
    if (host === undefined) return;
    if (!this.suspicious) this.suspectedSince = performance.now();
    for (const other of this.sessions)
      if (other.pool === pool && other.host !== undefined) this.hosts[pool].meet(other.host);
    this.exclude(pool, this.hosts[pool].failed(host, { task, block, what }));
  }

  private exclude(pool: number, hosts: readonly ExcludedHost[]): void {
    const { scheduler, journal, onEvent, onExcluded } = this.options;
    for (const { host, faults } of hosts) {
      for (const { task, block, what } of faults) scheduler.forgive(task, block, what);
      const blocks = new Set(faults.map(({ task, block }) => `${task} ${block}`)).size;
      journal.write('host-excluded', { host, blocks });
      onEvent({ type: 'host-excluded', host, blocks });
      onExcluded(pool, host);
    }
  }
}
