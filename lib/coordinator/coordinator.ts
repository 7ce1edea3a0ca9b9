import { BlockwrightError, codeOf } from '../errors.js';
import { Scheduler } from '../scheduler/scheduler.js';
import { AttentiveClock } from './attentive-clock.js';
import type { Peer } from './authentication.js';
import { BlockFaults } from './block-faults.js';
import { BlockLedger, type BlockLedgerOptions } from './block-ledger.js';
import type { Connection, Message } from './connection.js';
import type { Credentials } from './control-folder.js';
import type { CostBook } from './cost-book.js';
import { Dispatcher } from './dispatcher.js';
import type { RunEvent, StopReason } from './events.js';
import { isEviction, type WorkerEnd } from './executor.js';
import type { Journal } from './journal.js';
import { type BlockResult, type CallMessage, parseWorkerMessage, type WorkMessage } from './messages.js';
import type { RunFolder } from './run-folder.js';
import { type GuardSettings, RunGuards } from './run-guards.js';
import { type Listener, openListener, runListener } from './run-listener.js';
import { type RunTask, scheduledTask } from './run-task.js';
import { type Service, ServiceDesk } from './service-desk.js';
import { type PoolOptions, WorkerPools } from './worker-pools.js';
import { describeEnd, type WorkerSession } from './worker-session.js';

/** Milliseconds for a worker to end by itself once it was told. */
const FAREWELL = 5000;
/** The same once its connection is closed, or its block was cancelled. */
const PARTING = 1000;

export interface CoordinatorOptions extends Pick<BlockLedgerOptions, 'records' | 'masked'>, GuardSettings {
  readonly folder: RunFolder;
  readonly credentials: Credentials;
  readonly epoch: number;
  readonly journal: Journal;
  readonly costs: CostBook;
  readonly tasks: readonly RunTask[];
  /** Tasks name theirs by its place. */
  readonly pools: readonly PoolOptions[];
  readonly maxWorkers: number;
  readonly resources: Readonly<Record<string, number>>;
  readonly services: Readonly<Record<string, Service>>;
  readonly workerConfig: unknown;
  readonly heartbeatSeconds: number;
  readonly leaseSeconds: number;
  readonly graceSeconds: number;
  readonly maxLosses: number;
  readonly maxStarts: number;
  readonly maxCrashes: number;
  readonly leaseBlocks: number;
  onEvent(event: RunEvent): void;
  /** Somebody asks about the run, or wants something of it. */
  onControl(connection: Connection): void;
}

/**
 * The only owner of a run's schedule: hands blocks to workers and hears what became of them. Everything happens in answer
 * to a message, the end of a process or a tick of the clock; nothing is polled.
 */
export class Coordinator {
  readonly scheduler: Scheduler;
  readonly ledger: BlockLedger;
  readonly clock: AttentiveClock;
  private readonly listener: Listener;
  private readonly desk: ServiceDesk;
  readonly pools: WorkerPools;
  private readonly guards: RunGuards;
  private readonly faults: BlockFaults;
  private readonly dispatcher: Dispatcher;
  private readonly workerConfig: Uint8Array;
  stopping = false;
  /** Why it was stopped before its end, if it was. */
  stopReason: StopReason | undefined;
  private failure: { readonly error: unknown } | undefined;
  private finish: () => void = () => undefined;
  private readonly finished = new Promise<void>((resolve) => {
    this.finish = resolve;
  });

  /** @param recorded what earlier runs left, as the records have it; read here alone, for there may be much of it */
  constructor(
    private readonly options: CoordinatorOptions,
    recorded: readonly (Uint8Array | undefined)[],
  ) {
    const { tasks, resources, heartbeatSeconds, leaseSeconds, maxLosses } = options;
    this.workerConfig = Buffer.from(JSON.stringify(options.workerConfig ?? null));
    const scheduled = tasks.map((task) => scheduledTask(task, recorded[task.index]));
    this.scheduler = new Scheduler(scheduled, { resources, maxLosses });
    this.ledger = new BlockLedger({
      ...options,
      scheduler: this.scheduler,
      onEvent: (event) => options.onEvent(event),
      onCommitted: () => this.distribute(),
      isUrgent: () => this.dispatcher.parked.size > 0,
      onFailure: (error) => this.fail(error),
    });
    const tick = Math.min(250, heartbeatSeconds * 500, leaseSeconds * 125);
    this.clock = new AttentiveClock(tick, () => this.guard(() => this.tick()));
    const now = () => this.clock.now();
    this.listener = runListener(options, now, (peer, connection) => this.meet(peer, connection));
    this.desk = new ServiceDesk(options.services);
    this.pools = new WorkerPools({
      ...options,
      scheduler: this.scheduler,
      now,
      secondsOf: (task) => this.ledger.secondsOf(task),
      onStart: (session) => this.guard(() => this.workerStarted(session)),
      onEnd: (session, end) => this.guard(() => this.workerEnded(session, end)),
      onExhausted: (error) => this.fail(error),
    });
    this.guards = new RunGuards({
      ...options,
      onEvent: (event) => options.onEvent(event),
      onChange: () => this.guard(() => this.distribute()),
    });
    this.faults = new BlockFaults({
      ...options,
      scheduler: this.scheduler,
      ledger: this.ledger,
      space: this.guards.space,
      sessions: this.pools.sessions,
      onEvent: (event) => options.onEvent(event),
      onExcluded: (pool, host) => this.pools.exclude(pool, host),
      onBooked: () => this.guard(() => this.distribute()),
      onFailure: (error) => this.fail(error),
    });
    this.dispatcher = new Dispatcher({
      ledger: this.ledger,
      sessions: () => this.pools.sessions.values(),
      now,
      mayServe: (session) => !this.faults.avoids(session) && !this.faults.holdsBack(session),
      onIdle: (workers) => options.onEvent({ type: 'idle', workers }),
    });
  }

  /** Connections from strangers, so far. */
  get refusedConnections(): number {
    return this.listener.refused;
  }

  /**
   * Runs until every block has a final state or {@link interrupt} was called; throws when the run cannot go on. No worker,
   * socket or timer is left afterwards.
   */
  async run(): Promise<void> {
    try {
      await this.pools.open();
      if (this.scheduler.finished || this.stopping) return;
      await openListener(this.listener, this.options);
      await this.guards.space.start();
      const ended = this.pools.run().catch((error: unknown) => this.fail(error));
      this.distribute();
      await this.finished;
      this.stopping = true;
      this.listener.stopCounting();
      this.pools.stop();
      for (const session of this.pools.sessions.values()) {
        if (this.failure === undefined && session.asked && !session.dismissed) {
          session.sendAway(FAREWELL + session.slowness, 'it did not end when the run was over');
        } else {
          this.dismiss(session, 'the run is over');
        }
      }
      await ended;
    } finally {
      this.guards.space.stop();
      await this.ledger.settled();
      await this.listener.close();
      await this.pools.close();
    }
    if (this.failure !== undefined) throw this.failure.error;
  }

  /** Stops the clock; to be called whether it ran or not. */
  close(): void {
    this.clock.stop();
  }

  /** Orderly stop: no new blocks, those that run may end within the grace time. */
  interrupt(reason: StopReason = 'signal'): void {
    if (this.stopping) return;
    this.stopping = true;
    this.stopReason = reason;
    this.guards.note('stop', { reason });
    this.listener.stopCounting();
    this.pools.stop();
    const { graceSeconds } = this.options;
    for (const session of this.pools.sessions.values()) {
      if (session.asked) session.send({ type: 'stop' });
      else this.dismiss(session, 'interrupted before it began');
      session.killAfter(graceSeconds * 1000 + PARTING, 'interrupted');
    }
    const cancel = setTimeout(() => {
      for (const session of this.pools.sessions.values()) session.send({ type: 'cancel' });
    }, graceSeconds * 1000);
    void this.finished.then(() => clearTimeout(cancel));
    this.checkEnd();
  }

  /** Stop at once: blocks that run are given up. */
  abandon(): void {
    this.interrupt();
    for (const session of this.pools.sessions.values()) this.dismiss(session, 'interrupted');
  }

  /** What goes wrong here, e.g. no space for the journal, ends the run, not the process. */
  private guard(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.fail(error);
    }
  }

  private fail(error: unknown): void {
    this.failure ??= { error };
    this.stopping = true;
    this.finish();
  }

  private workerStarted(session: WorkerSession): void {
    const facts = { worker: session.id, description: session.handle.description };
    this.options.journal.write('worker-start', facts);
    this.options.onEvent({ type: 'worker-start', ...facts });
  }

  /** Somebody who knows the key. */
  private meet(peer: Peer, connection: Connection): void {
    if (peer.role === 'control') {
      this.options.onControl(connection);
      return;
    }
    const place = peer.role === 'worker' ? 'connection' : 'heartbeat';
    const session = this.pools.sessions.get(peer.workerId);
    if (session === undefined || session.dismissed || session[place] !== undefined) {
      this.listener.refuse(connection);
      return;
    }
    session[place] = connection;
    session.lastSeen = this.clock.now();
    void connection.closed.then((reason) => this.guard(() => this.disconnected(session, reason, peer)));
    if (peer.role === 'heartbeat') {
      connection.receive((message) => session.beat(message, this.clock.now()));
      return;
    }
    const { epoch, tasks, heartbeatSeconds } = this.options;
    const names = tasks.map((task) => task.name);
    connection.send({ type: 'welcome', epoch, tasks: names, heartbeatSeconds }, this.workerConfig);
    connection.receive((message, payload) => this.hear(session, connection, message, payload));
  }

  private hear(session: WorkerSession, connection: Connection, message: Message, payload: Uint8Array): void {
    if (session.dismissed) return;
    try {
      const said = parseWorkerMessage(message);
      if (said.type === 'work') {
        this.book(session, said);
        this.distribute();
      } else if (said.type === 'call') {
        this.serve(session, connection, said, payload);
      } else if (said.type === 'drain') {
        session.draining = true;
        this.dispatcher.forget(session);
      } else {
        this.desk.steer(connection, said.call, said.type);
      }
    } catch (error) {
      // what a worker says wrongly ends that worker; anything else is our own fault
      if (codeOf(error) === 'ERR_PROTOCOL') throw error;
      this.fail(error);
    }
  }

  private book(
    session: WorkerSession,
    { results, returned, begun, acquire, held = 0, newest, host }: WorkMessage,
  ): void {
    for (const result of results) this.settle(session, result);
    if (begun !== undefined) session.begin(begun, this.clock.now());
    if (returned !== undefined) {
      session.returning = false;
      for (const lease of session.takeBack(returned)) this.ledger.returned(lease);
    }
    this.dispatcher.eased(session);
    session.host ??= host;
    if (acquire) this.dispatcher.ask(session, held, newest);
  }

  private settle(session: WorkerSession, result: BlockResult): void {
    const lease = session.settle(result.lease);
    if (lease === undefined) {
      this.options.journal.write('result-refused', { worker: session.id, lease: result.lease });
      return;
    }
    if (result.outcome === 'given-back') {
      this.ledger.givenBack(lease, session.id);
      return;
    }
    session.results++;
    if (result.outcome !== 'error') {
      this.ledger.finished(lease, session.id, result.outcome, result);
      this.faults.succeeded(session);
    } else if (this.stopping && result.error.code === 'ERR_CANCELLED') {
      this.ledger.givenBack(lease, session.id);
    } else {
      this.faults.threw(session, lease, result.error, result);
    }
  }

  private serve(session: WorkerSession, connection: Connection, call: CallMessage, payload: Uint8Array): void {
    const lease = session.leases.get(call.lease);
    const { task: index, block, attempt } = lease ?? { task: -1, block: -1, attempt: 0 };
    const task = this.options.tasks[index]?.name ?? '';
    const isCurrent = () => lease !== undefined && session.holds(lease);
    void this.desk.answer({ task, block, attempt, workerId: session.id, isCurrent, connection }, call, payload);
  }

  /** Gives blocks to the workers that ask for some. */
  distribute(): void {
    if (!this.stopping && !this.guards.paused) {
      this.dispatcher.serveIdle();
      // where more workers can come they are called for, before others take the blocks that are left
      this.adjust();
      this.dispatcher.serveAhead();
    }
    this.checkEnd();
  }

  private adjust(): void {
    if (this.stopping || this.guards.paused) return;
    for (const session of this.pools.adjust(this.dispatcher.parked, this.clock.now())) this.dispatcher.forget(session);
  }

  private checkEnd(): void {
    const { outstanding } = this.ledger;
    if (this.scheduler.finished || (this.stopping && outstanding === 0)) {
      this.finish();
    } else if (outstanding === 0) {
      // nothing runs and nothing can be begun: waiting would never end
      const reason = this.scheduler.idleReason();
      if (reason !== undefined) this.fail(new BlockwrightError('ERR_PLAN', `the run cannot go on: ${reason}`));
    }
  }

  /** Its connection is over, but not by us: it has ended, or soon will. A heartbeat that ends is noticed by its silence. */
  private disconnected(session: WorkerSession, reason: Error | undefined, { role }: Peer): void {
    session.handle.look?.();
    if (session.dismissed || (role === 'heartbeat' && codeOf(reason) !== 'ERR_PROTOCOL')) return;
    session.dismissed = true;
    // it has said all that it had to say, however long its process takes to end
    session.parted = reason === undefined && session.draining;
    this.dispatcher.forget(session);
    if (codeOf(reason) === 'ERR_PROTOCOL') this.dismiss(session, `it broke the protocol: ${reason?.message}`);
    else session.killAfter((session.parted ? FAREWELL : PARTING) + session.slowness, 'it closed its connection');
  }

  private dismiss(session: WorkerSession, reason: string): void {
    this.dispatcher.forget(session);
    session.kill(reason);
  }

  private workerEnded(session: WorkerSession, end: WorkerEnd): void {
    session.dismissed = true;
    session.disconnect();
    this.dispatcher.forget(session);
    const reason = session.reason ?? describeEnd(end);
    const asked = this.stopping || session.draining || session.retired;
    const { status, signal, cause } = end;
    const expected =
      asked && (status === 0 || session.reason !== undefined) && (this.stopping || !isEviction(end, session.reason));
    this.options.journal.write('worker-end', { worker: session.id, reason, status, signal, cause });
    this.options.onEvent({ type: 'worker-end', worker: session.id, reason, expected });
    this.faults.ended(session, end, { asked, stopping: this.stopping });
    this.distribute();
  }

  private tick(): void {
    const now = this.clock.now();
    this.listener.tick();
    if (!this.stopping) this.dispatcher.tick();
    const { leaseSeconds, tasks } = this.options;
    for (const session of this.pools.sessions.values()) {
      if (session.dismissed) continue;
      const lease = session.atWork;
      const { startSeconds = 120 } = this.pools.executorOf(session);
      const overdue = session.overdue(now, { leaseSeconds, startSeconds });
      if (overdue !== undefined) {
        this.dismiss(session, overdue);
      } else if (this.faults.avoids(session) && session.leases.size === 0) {
        this.dismiss(session, `its host ${session.host} is avoided`);
      } else if (lease !== undefined && now - session.runningSince > tasks[lease.task].blockTimeout) {
        const { error, took } = this.faults.timedOut(session, lease);
        this.dispatcher.forget(session);
        // not before it has ended: what it still does must not meet the next attempt
        void session.ended.then(() => this.faults.threw(session, lease, error, took));
      }
    }
    this.adjust();
    if (this.faults.suspicious) this.distribute();
    if (this.guards.stopReason !== undefined) this.interrupt(this.guards.stopReason);
  }
}
