import type { Scheduler } from '../scheduler/scheduler.js';
import type { RunEvent } from './events.js';
import type { Executor } from './executor.js';
import { executorPlace } from './executor-place.js';
import type { Journal } from './journal.js';
import { WorkerPool, type WorkerPoolOptions } from './worker-pool.js';
import type { WorkerSession } from './worker-session.js';

/** Milliseconds for a worker to end by itself once it was told. */
const FAREWELL = 5000;
/** Milliseconds of work that one worker holds unbegun for which another is worth its start. */
const WORTH_STARTING = 1000;

/** An executor of a run, and how many workers it may have at once. */
export interface PoolOptions {
  readonly executor: Executor;
  readonly workers: number;
}

export interface WorkerPoolsOptions
  extends Omit<WorkerPoolOptions, 'pool' | 'executor' | 'nextId' | 'onDemand' | 'onStart'> {
  readonly pools: readonly PoolOptions[];
  readonly epoch: number;
  readonly journal: Journal;
  readonly scheduler: Scheduler;
  /** The most workers of all pools together. */
  readonly maxWorkers: number;
  /** Seconds that a block of a task takes, as far as is known. */
  secondsOf(task: number): number;
  onStart(session: WorkerSession): void;
  onEvent(event: RunEvent): void;
}

/**
 * The workers of a run: one pool an executor. Where there are several, or where idle workers cost something, a worker is
 * started when there is a block for it and ended when it was idle for long or another pool needs its place.
 */
export class WorkerPools {
  /** Started and not ended, by id. */
  readonly sessions = new Map<string, WorkerSession>();
  private readonly pools: readonly WorkerPool[];
  private readonly onDemand: readonly boolean[];
  private readonly excluded: (readonly string[])[] = [];
  private started = 0;

  constructor(private readonly options: WorkerPoolsOptions) {
    const { pools, epoch } = options;
    this.onDemand = pools.map(
      ({ executor, workers }) => pools.length > 1 || executor.idleSeconds !== undefined || workers > options.maxWorkers,
    );
    this.pools = pools.map(
      ({ executor }, pool) =>
        new WorkerPool({
          ...options,
          pool,
          executor,
          onDemand: this.onDemand[pool],
          nextId: () => `${epoch}.${this.started++}`,
          onStart: (session) => {
            this.sessions.set(session.id, session);
            options.onStart(session);
          },
          onEnd: (session, end) => {
            this.sessions.delete(session.id);
            options.onEnd(session, end);
          },
        }),
    );
  }

  /** Has the executors end what an earlier coordinator of this folder left. */
  async open(): Promise<void> {
    const { pools } = this.options;
    for (const [pool, { executor }] of pools.entries()) {
      await executor.open?.(executorPlace({ ...this.options, executor, pool }));
    }
  }

  /** Nothing that was started is left when it resolves. */
  async close(): Promise<void> {
    await Promise.all(this.options.pools.map(({ executor }) => executor.close?.()));
  }

  /** Starts workers, no more than there are blocks left. Resolves when all have ended for good. */
  async run(): Promise<void> {
    const { pools, scheduler } = this.options;
    await Promise.all(this.pools.map((pool, i) => pool.run(Math.min(pools[i].workers, scheduler.demand(i).left))));
  }

  stop(): void {
    for (const pool of this.pools) pool.stop();
  }

  /** No more blocks go to this host: its workers end, and executors that can start none there any more. */
  exclude(pool: number, host: string): void {
    this.excluded[pool] = [...(this.excluded[pool] ?? []), host];
    this.options.pools[pool].executor.excludeHosts?.(this.excluded[pool]);
  }

  /** For each pool, when each of its places that pause will start another worker. */
  get pauses(): readonly { readonly executor: string; readonly until: number }[] {
    return this.pools.flatMap((pool) => [...pool.pauses].map(({ until }) => ({ executor: pool.executor.name, until })));
  }

  executorOf(session: WorkerSession): Executor {
    return this.pools[session.pool].executor;
  }

  /**
   * Starts workers where blocks wait for some, and ends idle ones.
   *
   * @param idle those that wait for blocks
   * @returns those that were ended
   */
  adjust(idle: Iterable<WorkerSession>, now: number): WorkerSession[] {
    if (!this.onDemand.includes(true)) return [];
    const { maxWorkers, scheduler } = this.options;
    const demands = this.pools.map((_, pool) => scheduler.demand(pool));
    const ready = demands.map((demand) => demand.ready);
    for (const session of this.sessions.values()) ready[session.pool] += this.sharable(session, now);
    const retiring: WorkerSession[] = [];
    const spare: WorkerSession[] = [];
    const waiting = this.pools.map(() => 0);
    for (const session of idle) {
      waiting[session.pool]++;
      const { idleSeconds = Number.POSITIVE_INFINITY } = this.executorOf(session);
      const tooLong = now - session.idleSince > idleSeconds * 1000;
      if (demands[session.pool].left === 0 || tooLong) retiring.push(session);
      else spare.push(session);
    }
    const queued = this.pools.reduce((sum, pool) => sum + pool.queued, 0);
    let places = maxWorkers - this.sessions.size - queued;
    let wanted = 0;
    const wantedBy = this.pools.map(() => 0);
    const unneeded: WorkerSession[] = [];
    this.pools.forEach((pool, i) => {
      if (!this.onDemand[i]) return;
      const coming = [...pool.sessions].filter(({ asked, dismissed }) => !asked && !dismissed);
      // idle ones get what is ready, or wait for a reason that others would have, too
      const open = Math.max(0, ready[i] - waiting[i]);
      const missing = Math.min(Math.max(0, open - coming.length - pool.queued), pool.vacancies);
      unneeded.push(...coming.slice(open));
      const starting = Math.min(missing, Math.max(0, places));
      places -= starting;
      wantedBy[i] = missing - starting;
      wanted += wantedBy[i];
      pool.summon(starting);
    });
    // workers that are idle, or not needed when they will have started, stand in the way of another pool's
    let ending = [...this.sessions.values()].filter(({ retired }) => retired).length + retiring.length;
    const elsewhere = ({ pool }: WorkerSession) => wanted - wantedBy[pool] > 0 && ending < wanted;
    for (const session of spare) {
      if (!elsewhere(session)) continue;
      retiring.push(session);
      ending++;
    }
    for (const session of unneeded) {
      if (!elsewhere(session)) continue;
      session.retired = true;
      session.kill('its place was needed by others');
      ending++;
    }
    for (const session of retiring) session.retire(FAREWELL + session.slowness);
    return retiring;
  }

  /** How many leases a worker would give back to one that is started for them. */
  private sharable(session: WorkerSession, now: number): number {
    const { leases, atWork, runningSince } = session;
    const { last, size } = leases;
    if (last === undefined || size < 2) return 0;
    if (session.dismissed || session.draining || session.retired || session.returning) return 0;
    // the one at work tells before it has ended that blocks take longer than was thought
    const age = atWork === undefined ? 0 : now - runningSince;
    const milliseconds = Math.max(this.options.secondsOf(last.task) * 1000, age);
    return (size - 1) * milliseconds > WORTH_STARTING ? size - 1 : 0;
  }
}
