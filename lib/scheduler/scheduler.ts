import { BlockwrightError } from '../errors.js';
import { type BlockCounts, BlockState } from './block-state.js';
import { keepInOrder } from './orphan-order.js';
import { Resources, type ResourceUse } from './resources.js';
import { isLost, type Revived, revive } from './revival.js';
import type { ScheduledTask } from './scheduled-task.js';
import { type BlockHistory, TaskBlocks } from './task-blocks.js';
import { TaskDependency } from './task-dependency.js';
import { byPool, checkTasks, downstreamFirst } from './task-order.js';

export { type BlockCounts, BlockState } from './block-state.js';
export type { ResourceUse } from './resources.js';
export type { Revived } from './revival.js';
export type { RecordedPiece, ScheduledTask } from './scheduled-task.js';

export interface SchedulerOptions {
  /** The most blocks that run at once, of all tasks together. @default no limit */
  readonly workers?: number | undefined;
  /** How much there is of each named resource. */
  readonly resources?: Readonly<Record<string, number>> | undefined;
  /** How many times a block may lose its worker before it is taken for the cause and fails. @default 3 */
  readonly maxLosses?: number | undefined;
  /** How many blocks are made and given up together: less memory, more of them. @default 65 536, which is the most */
  readonly slabBlocks?: number | undefined;
}

/** The right to run a block. */
export interface Assignment {
  readonly task: number;
  readonly block: number;
  /** From 1; counts every time that this block was handed out. */
  readonly attempt: number;
}

/** Why {@link Scheduler.acquire} gives nothing. */
export type IdleReason = 'finished' | 'budget' | 'dependencies' | `resource ${string}` | `limit of task ${string}`;

/**
 * Decides which block runs next: a state machine without clocks, processes or files. The same calls in the same order
 * give the same answers.
 *
 * A block becomes ready when all that it waits for is done or skipped: blocks of its own task under conflicts, and blocks
 * of upstream tasks. Ready blocks are handed out task by task, those farthest downstream first so that little lies
 * half-done between tasks, and within a task in raster order. A block that failed or lost its worker comes back behind
 * the others; one that fails for good orphans all that waits for it, directly or through others.
 *
 * Memory: that of the slabs of 65 536 blocks that are begun and not wholly done, usually two bytes a block, one for a task
 * in which nothing waits, and up to 0.13 for the queue.
 */
export class Scheduler {
  private readonly names: readonly string[];
  private readonly maxRetries: readonly number[];
  /** How many blocks of each task may run at once. */
  private readonly limits: number[];
  private readonly blocks: readonly TaskBlocks[];
  /** For each task, the dependencies of others on it. */
  private readonly dependents: readonly (readonly TaskDependency[])[];
  private readonly order: readonly number[];
  /** The same, of the tasks of each pool alone. */
  private readonly poolOrders: readonly (readonly number[])[];
  private readonly resources: Resources;
  private readonly workers: number;
  private readonly maxLosses: number;
  private readonly neighbours: Float64Array;
  private readonly passing: number[] = [];
  private running = 0;
  private unfinished = 0;

  constructor(tasks: readonly ScheduledTask[], options: SchedulerOptions = {}) {
    this.workers = atLeastOne('workers', options.workers ?? Number.POSITIVE_INFINITY);
    this.maxLosses = atLeastOne('maxLosses', options.maxLosses ?? 3);
    checkTasks(tasks);
    this.names = tasks.map((task) => task.name);
    this.maxRetries = tasks.map((task) => task.maxRetries ?? 2);
    this.limits = tasks.map(() => Number.POSITIVE_INFINITY);
    this.order = downstreamFirst(tasks);
    this.poolOrders = byPool(this.order, tasks);
    this.resources = new Resources(options.resources ?? {}, tasks);
    this.blocks = tasks.map((task) => new TaskBlocks(task.plan, task.recorded, options.slabBlocks));
    this.neighbours = new Float64Array(Math.max(1, ...tasks.map((task) => task.plan.maxNeighbours)));
    const dependents: TaskDependency[][] = tasks.map(() => []);
    tasks.forEach((task, index) => {
      const barriers = new Set(task.barriers);
      const dependencies = [...new Set([...task.upstream, ...barriers])].map((from) => {
        const dependency = new TaskDependency(this.blocks[from], this.blocks[index], index, barriers.has(from));
        dependents[from].push(dependency);
        return dependency;
      });
      this.seed(index, dependencies);
    });
    this.dependents = dependents;
    for (const blocks of this.blocks) this.unfinished += blocks.unfinished;
  }

  /** Whether every block is in a final state. */
  get finished(): boolean {
    return this.unfinished === 0;
  }

  /**
   * The next block to run, which now counts as running; undefined when there is none: see {@link idleReason}.
   *
   * @param pool of the tasks of this pool alone; @default of all
   */
  acquire(pool?: number): Assignment | undefined {
    if (this.running >= this.workers) return undefined;
    for (const task of this.tasksOf(pool)) {
      const blocks = this.blocks[task];
      if (!blocks.canRun || this.missing(task) !== undefined) continue;
      const block = blocks.take();
      if (block === undefined) continue;
      this.resources.take(task);
      this.running++;
      return { task, block, attempt: blocks.handOut(block) };
    }
    return undefined;
  }

  /** Whether this attempt still holds its block. */
  isCurrent(task: number, block: number, attempt: number): boolean {
    const blocks = this.blocks[task];
    return blocks?.state(block) === BlockState.running && blocks.attempts(block) === attempt;
  }

  /** A block's result is written (or there was nothing to do). False: the attempt is stale, and nothing changed. */
  complete(task: number, block: number, attempt: number, outcome: 'done' | 'skipped'): boolean {
    if (!this.isCurrent(task, block, attempt)) return false;
    this.stop(task);
    this.unfinished--;
    this.blocks[task].move(block, outcome === 'done' ? BlockState.done : BlockState.skipped);
    for (const dependency of this.dependents[task]) dependency.release(block);
    this.leaveOrder(task, block);
    return true;
  }

  /** A block failed by its own fault. */
  fail(task: number, block: number, attempt: number): 'retry' | 'failed' | 'stale' {
    if (!this.isCurrent(task, block, attempt)) return 'stale';
    const history = this.blocks[task].history(block);
    history.failures++;
    return this.takeBack(task, block, history.failures > this.maxRetries[task]);
  }

  /** A block's worker was lost. The block is blamed only when that happened `maxLosses` times. */
  lose(task: number, block: number, attempt: number): 'retry' | 'failed' | 'stale' {
    if (!this.isCurrent(task, block, attempt)) return 'stale';
    const history = this.blocks[task].history(block);
    history.losses++;
    return this.takeBack(task, block, history.losses >= this.maxLosses);
  }

  /** A block was given back without fault, e.g. by a worker that ends. False: the attempt is stale. */
  giveBack(task: number, block: number, attempt: number): boolean {
    if (!this.isCurrent(task, block, attempt)) return false;
    this.blocks[task].history(block); // from now on its attempts are counted
    this.takeBack(task, block, false);
    return true;
  }

  /**
   * Blocks that failed for good are tried again, with their retries and losses counted anew, and what they had orphaned waits
   * again unless something else stands in its way for good. Attempts go on counting. Blocks that did not fail are left alone.
   */
  revive(task: number, failed: Iterable<number>): Revived {
    const { revived, demoted } = revive(this.blocks, this.dependents, task, failed);
    this.unfinished += revived.failed + revived.orphaned;
    for (let i = 0; i < demoted.length; i += 2) this.orphanIfLost(demoted[i], demoted[i + 1]);
    return revived;
  }

  /**
   * Takes back what was counted against a block, as it was not its fault after all. Nothing changes where it is in a final
   * state: what failed for good stays so.
   */
  forgive(task: number, block: number, what: 'failure' | 'loss'): void {
    const blocks = this.blocks[task];
    if (blocks.state(block) >= BlockState.done) return;
    const history = blocks.knownHistory(block);
    if (history === undefined) return;
    if (what === 'failure') history.failures = Math.max(0, history.failures - 1);
    else history.losses = Math.max(0, history.losses - 1);
  }

  /** From now on no more than `limit` blocks of a task are handed out at once; those that run may end. */
  setLimit(task: number, limit: number): void {
    this.limits[task] = atLeastOne('limit', limit);
  }

  /** How many blocks of a task may run at once; infinite without a limit. */
  limit(task: number): number {
    return this.limits[task];
  }

  /** A block that was handed out is surely never begun; its attempt's number comes again. False: the attempt is stale. */
  withdraw(task: number, block: number, attempt: number): boolean {
    if (!this.isCurrent(task, block, attempt)) return false;
    this.stop(task);
    this.blocks[task].withdraw(block);
    this.settleReturned(task, block);
    return true;
  }

  state(task: number, block: number): BlockState {
    return this.blocks[task].state(block);
  }

  counts(task: number): BlockCounts {
    return this.blocks[task].counts();
  }

  /** Of a pool's tasks: how many blocks have no final state, and how many are ready and could be acquired now. */
  demand(pool: number): { readonly left: number; readonly ready: number } {
    let left = 0;
    let ready = 0;
    for (const task of this.tasksOf(pool)) {
      left += this.blocks[task].unfinished;
      if (this.missing(task) !== undefined) continue;
      const { [task]: limit } = this.limits;
      ready += Math.min(this.blocks[task].tally(BlockState.ready), limit - this.blocks[task].tally(BlockState.running));
    }
    return { left, ready };
  }

  /** Why nothing can be acquired; undefined when something can. */
  idleReason(pool?: number): IdleReason | undefined {
    if (this.tasksOf(pool).every((task) => this.blocks[task].unfinished === 0)) return 'finished';
    if (this.running >= this.workers) return 'budget';
    let missing: IdleReason | undefined;
    for (const task of this.tasksOf(pool)) {
      if (!this.blocks[task].canRun) continue;
      const reason = this.missing(task);
      if (reason === undefined) return undefined;
      missing ??= reason;
    }
    return missing ?? 'dependencies';
  }

  /** The blocks of a task in a state, in ascending order; the states must not change meanwhile. */
  blocksIn(task: number, state: BlockState): Generator<number> {
    return this.blocks[task].blocksIn(state);
  }

  /** The blocks of a task that failed for good, in ascending order. */
  failedBlocks(task: number): number[] {
    return [...this.blocksIn(task, BlockState.failed)];
  }

  /** How often a block that runs or ran was handed out. */
  attempts(task: number, block: number): number {
    return this.blocks[task].attempts(block);
  }

  /** What a ready block of the task would have to wait for. */
  private missing(task: number): IdleReason | undefined {
    if (this.blocks[task].tally(BlockState.running) >= this.limits[task]) return `limit of task ${this.names[task]}`;
    const resource = this.resources.missing(task);
    return resource === undefined ? undefined : `resource ${resource}`;
  }

  private tasksOf(pool: number | undefined): readonly number[] {
    return pool === undefined ? this.order : (this.poolOrders[pool] ?? []);
  }

  /**
   * How often a block was handed out, where it did not succeed at once (else 0), and how often it failed by its own fault and lost
   * its worker since it was last revived.
   */
  troubles(task: number, block: number): Readonly<BlockHistory> {
    return { attempts: 0, failures: 0, losses: 0, ...this.blocks[task].recalled(block) };
  }

  /** Blocks behind a revived one in their task's order that ran when it was revived: it waits until they have ended. */
  heldBy(task: number, block: number): number[] {
    return [...(this.blocks[task].heldBy(block) ?? [])];
  }

  /** How much of each named resource there is and is in use. */
  resourceUse(): readonly ResourceUse[] {
    return this.resources.use();
  }

  /** The first resource that a block of the task would have to wait for; undefined when there is enough of all. */
  missingResource(task: number): string | undefined {
    return this.resources.missing(task);
  }

  private seed(task: number, dependencies: readonly TaskDependency[]): void {
    const blocks = this.blocks[task];
    const { plan } = blocks;
    blocks.begin(dependencies);
    if (blocks.resumed && plan.levels > 1 && blocks.unfinished > 0) {
      for (const root of plan.roots()) if (blocks.hasSucceeded(root)) this.releaseOwn(blocks, root);
    }
    if (blocks.resumed) blocks.collapse();
    blocks.start();
  }

  /**
   * A block stands no longer in the way of its task's other blocks. A block that does not run, because an earlier run
   * finished it or because it is orphaned, keeps its place in the order all the same: it passes on what it waits for,
   * or blocks on both sides of it, which may conflict with each other, could run at once.
   */
  private releaseOwn(blocks: TaskBlocks, block: number): void {
    const { plan } = blocks;
    if (plan.levels === 1) return;
    const passing = this.passing;
    let next: number | undefined = block;
    while (next !== undefined) {
      const length = plan.downstream(next, this.neighbours);
      for (let i = 0; i < length; i++) {
        const neighbour = this.neighbours[i];
        const { first, pending, states } = blocks.slabOf(neighbour);
        if (pending === undefined || --pending[neighbour - first] > 0) continue;
        if (states[neighbour - first] === BlockState.waiting) blocks.makeReady(neighbour);
        else passing.push(neighbour);
      }
      next = passing.pop();
    }
  }

  private takeBack(task: number, block: number, forGood: boolean): 'retry' | 'failed' {
    const blocks = this.blocks[task];
    this.stop(task);
    if (!forGood) {
      blocks.putBack(block);
      this.settleReturned(task, block);
      return 'retry';
    }
    this.orphanDownstream(task, block);
    blocks.move(block, BlockState.failed);
    this.unfinished--;
    if (blocks.resumed) this.leaveOrder(task, block);
    return 'failed';
  }

  private settleReturned(task: number, block: number): void {
    this.orphanIfLost(task, block);
    this.blocks[task].letGo(block);
  }

  /** A block ended: it stands in the way of no other, unless one before it was revived while it ran. */
  private leaveOrder(task: number, block: number): void {
    const blocks = this.blocks[task];
    if (!blocks.resumed || blocks.pending(block) === 0) this.releaseOwn(blocks, block);
    blocks.letGo(block);
  }

  /** A block that waits again because one before it was revived may have lost another one meanwhile. */
  private orphanIfLost(task: number, block: number): void {
    const blocks = this.blocks[task];
    if (blocks.state(block) !== BlockState.waiting || !isLost(blocks, block)) return;
    blocks.move(block, BlockState.orphaned);
    this.unfinished--;
    this.orphanDownstream(task, block, true);
  }

  private orphanDownstream(task: number, block: number, orphaned = false): void {
    const stack = [task, block]; // pairs of numbers: there may be millions
    const inOrder: number[] = []; // the same, of those that something could still wait for
    if (orphaned && this.blocks[task].resumed) inOrder.push(task, block);
    while (stack.length > 0) {
      const lost = stack.pop()!;
      const from = stack.pop()!;
      const orphan = (to: number, orphaned: number): void => {
        const { plan, resumed } = this.blocks[to];
        this.blocks[to].move(orphaned, BlockState.orphaned);
        this.unfinished--;
        if (plan.levels > 1 || this.dependents[to].length > 0) stack.push(to, orphaned);
        if (plan.levels > 1 && resumed) inOrder.push(to, orphaned);
      };
      const blocks = this.blocks[from];
      const { plan } = blocks;
      const length = plan.levels === 1 ? 0 : plan.downstream(lost, this.neighbours);
      for (let i = 0; i < length; i++) {
        const neighbour = this.neighbours[i];
        if (blocks.state(neighbour) === BlockState.waiting) orphan(from, neighbour);
      }
      for (const dependency of this.dependents[from]) {
        dependency.visitWaiting(lost, (waiting) => orphan(dependency.task, waiting));
      }
    }
    for (const [of, free] of keepInOrder(this.blocks, inOrder)) this.releaseOwn(this.blocks[of], free);
  }

  private stop(task: number): void {
    this.running--;
    this.resources.giveBack(task);
  }
}

function atLeastOne(parameter: string, value: number): number {
  if (!(value >= 1)) {
    throw new BlockwrightError('ERR_PLAN', `${parameter}: expected a number of at least 1, found ${value}`);
  }
  return value;
}
