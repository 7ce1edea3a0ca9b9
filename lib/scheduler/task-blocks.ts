import type { BlockPlan } from '../blocks/plan.js';
import { type BlockCounts, BlockState, isSuccess } from './block-state.js';
import { addOwnCounts, allocatePendingCounts } from './pending-counts.js';
import { ReadyQueue } from './ready-queue.js';
import type { RecordedPiece } from './scheduled-task.js';
import { SLAB_BLOCKS, Slab } from './slab.js';
import type { TaskDependency } from './task-dependency.js';

/** What is remembered of a block that did not succeed at once. */
export interface BlockHistory {
  /** How often it was handed out. */
  attempts: number;
  /** How often it failed by its own fault. */
  failures: number;
  /** How often its worker was lost. */
  losses: number;
}

/**
 * The blocks of one task while it runs, in slabs that are made when something first touches them: a byte of state for
 * each block, a counter (usually a byte) for each where the order matters, the queue of those that can run. A slab whose
 * blocks are all done is given up again. Beside them a history of the few blocks that failed or were lost.
 */
export class TaskBlocks {
  /** Whether an earlier run finished any block, or some are not wanted. */
  readonly resumed: boolean;
  private readonly slabs: (Slab | undefined)[];
  /** Slabs with blocks that can run, or that may have some once they are made. */
  private readonly promising: ReadyQueue;
  /** Where a block was looked for last. */
  private last: Slab | undefined;
  private retries = new ReadyQueue(1);
  private dependencies: readonly TaskDependency[] = [];
  private most = 0;
  /** Of the blocks in slabs. */
  private readonly tallies = new Float64Array(Object.keys(BlockState).length);
  private readonly histories = new Map<number, BlockHistory>();
  /** Blocks that wait until blocks behind them in the order, which run, have ended. */
  private readonly held = new Map<number, Set<number>>();
  /** Blocks in no slab yet, and how many of them wait for no block of their own task. */
  private unmade: number;
  private unmadeRoots: number;

  /**
   * @param recorded what an earlier run left: 0 nothing, 1 done, 2 skipped; 3 for one that is not to run.
   * @param slabBlocks how many a slab has, at most SLAB_BLOCKS
   */
  constructor(
    readonly plan: BlockPlan,
    recorded?: Uint8Array | Iterable<RecordedPiece>,
    private readonly slabBlocks: number = SLAB_BLOCKS,
  ) {
    const length = Math.ceil(plan.count / slabBlocks);
    this.slabs = new Array<Slab | undefined>(length).fill(undefined);
    this.promising = new ReadyQueue(length);
    this.unmade = plan.count;
    const roots = plan.axes.reduce((product, { count, levels }) => product * Math.floor(count / levels), 1);
    this.unmadeRoots = plan.count === 0 ? 0 : roots;
    if (recorded !== undefined) this.recall(recorded);
    this.resumed = this.succeeded > 0;
  }

  /** Blocks that are not in a final state. */
  get unfinished(): number {
    return this.tally(BlockState.waiting) + this.tally(BlockState.ready) + this.tally(BlockState.running);
  }

  /** Blocks that nothing waits for any more: done, skipped, or not wanted. */
  get succeeded(): number {
    return this.tallies[BlockState.done] + this.tallies[BlockState.skipped] + this.tallies[BlockState.unwanted];
  }

  tally(state: BlockState): number {
    const made = this.tallies[state];
    if (state === BlockState.ready) return made + this.unmadeReady;
    return state === BlockState.waiting ? made + this.unmade - this.unmadeReady : made;
  }

  /** On blocks of which tasks this one's wait. */
  get waitsFor(): readonly TaskDependency[] {
    return this.dependencies;
  }

  /** Blocks that will never be done, as things are. */
  get lost(): number {
    return this.tallies[BlockState.failed] + this.tallies[BlockState.orphaned];
  }

  /** Whether a block failed or is orphaned. */
  isLost(block: number): boolean {
    return this.state(block) >= BlockState.failed;
  }

  /** What is remembered of a block that did not succeed at once; undefined of others. */
  recalled(block: number): Readonly<BlockHistory> | undefined {
    return this.histories.get(block);
  }

  /** Whether a block waits for others of its task or of tasks upstream. */
  get ordered(): boolean {
    return this.plan.levels > 1 || this.dependencies.length > 0;
  }

  /** The slab of a block, made if it is not there. */
  slabOf(block: number): Slab {
    // neighbours mostly lie in one slab: without this the schedule is half as fast
    const { last } = this;
    if (last !== undefined && block >= last.first && block < last.end) return last;
    const place = Math.floor(block / this.slabBlocks);
    const slab = this.slabs[place] ?? this.make(place);
    this.last = slab;
    return slab;
  }

  state(block: number): BlockState {
    const slab = this.slabOf(block);
    return slab.states[block - slab.first] as BlockState;
  }

  /** How many blocks a block still waits for. */
  pending(block: number): number {
    const slab = this.slabOf(block);
    return slab.pending === undefined ? 0 : slab.pending[block - slab.first];
  }

  setPending(block: number, count: number): void {
    const slab = this.slabOf(block);
    slab.pending![block - slab.first] = count;
  }

  move(block: number, to: BlockState): void {
    const slab = this.slabOf(block);
    const offset = block - slab.first;
    this.tallies[slab.states[offset]]--;
    this.tallies[to]++;
    slab.states[offset] = to;
    if (isSuccess(to) && ++slab.succeeded === slab.size) slab.collapse();
  }

  /** Whether a block is done, skipped or not wanted. */
  hasSucceeded(block: number): boolean {
    return isSuccess(this.state(block));
  }

  /**
   * Says what the blocks wait for beside each other. Slabs are made at once only where arithmetic alone does not tell
   * which blocks are ready: after an earlier run, or when blocks wait for nothing of a task that others wait for.
   */
  begin(dependencies: readonly TaskDependency[]): void {
    this.dependencies = dependencies;
    this.most = dependencies.reduce((sum, dependency) => sum + dependency.most, this.plan.maxNeighbours);
    if (this.unfinished === 0) return;
    const partial = this.resumed || dependencies.some(({ gaps, resumed }) => gaps || resumed);
    if (partial) {
      this.slabs.forEach((slab, place) => {
        if (slab === undefined) this.make(place, false);
        else this.seed(slab);
      });
      for (const dependency of dependencies) dependency.seedResumed();
    } else this.wake();
  }

  /** Makes every block that waits for nothing ready, in the slabs that {@link begin} made. */
  start(): void {
    if (this.unfinished === 0) return;
    for (const slab of this.slabs) if (slab !== undefined) this.open(slab);
  }

  /** A barrier has fallen: blocks in slabs that are not made may be ready. */
  wake(): void {
    if (this.dependencies.some((dependency) => dependency.holds)) return;
    this.slabs.forEach((slab, place) => {
      if (slab === undefined) this.promising.add(place);
    });
  }

  /** A barrier has fallen: the blocks of the slabs that are there wait for one thing less. */
  visitMade(visit: (first: number, count: number) => void): void {
    for (const slab of this.slabs) if (slab !== undefined) visit(slab.first, slab.size);
  }

  /** Puts a waiting block into the queue, unless it is held. */
  makeReady(block: number): void {
    if (this.held.size > 0 && this.held.has(block)) return;
    this.move(block, BlockState.ready);
    const slab = this.slabOf(block);
    slab.addReady(block - slab.first);
    const place = Math.floor(block / this.slabBlocks);
    if (!this.promising.has(place)) this.promising.add(place);
  }

  /** Takes a block that can run out of the queue: it waits again. */
  demote(block: number): void {
    this.move(block, BlockState.waiting);
    const { first, queue } = this.slabOf(block);
    if (queue?.remove(block - first) !== true) this.retries.remove(block);
  }

  /** Holds a waiting block until another one, which runs, has ended. */
  hold(block: number, running: number): void {
    const reasons = this.held.get(block) ?? new Set();
    this.held.set(block, reasons.add(running));
  }

  /** A block runs no more: those that it held may be ready. */
  letGo(ended: number): void {
    if (this.held.size === 0) return;
    for (const [block, reasons] of this.held) {
      if (!reasons.delete(ended) || reasons.size > 0) continue;
      this.held.delete(block);
      if (this.state(block) === BlockState.waiting && this.pending(block) === 0) this.makeReady(block);
    }
  }

  /** One more block stands before this one; returns how many did before. */
  addPending(block: number): number {
    const slab = this.slabOf(block);
    return slab.writablePending(this.most)![block - slab.first]++;
  }

  /** The running blocks that a block is held by. */
  heldBy(block: number): ReadonlySet<number> | undefined {
    return this.held.get(block);
  }

  /** Whether a block can run. */
  get canRun(): boolean {
    return this.tallies[BlockState.ready] > 0 || this.unmadeReady > 0;
  }

  /** Takes the next block out of the queue: lowest index first, those that came back last. */
  take(): number | undefined {
    for (let place = this.promising.lowest(); place !== undefined; place = this.promising.lowest()) {
      const { first, queue } = this.slabs[place] ?? this.make(place);
      const offset = queue?.take();
      if (queue === undefined || queue.length === 0) this.promising.take();
      if (offset !== undefined) return first + offset;
    }
    return this.retries.take();
  }

  /** Hands out the next block and says the how-manieth attempt it is. */
  handOut(block: number): number {
    this.move(block, BlockState.running);
    if (this.histories.size === 0) return 1;
    const history = this.histories.get(block);
    return history === undefined ? 1 : ++history.attempts;
  }

  /** How often a block that runs or ran was handed out. */
  attempts(block: number): number {
    if (this.histories.size === 0) return 1;
    return this.histories.get(block)?.attempts ?? 1;
  }

  /** The history of a block that was handed out, kept from now on. */
  history(block: number): BlockHistory {
    let history = this.histories.get(block);
    if (history === undefined) {
      history = { attempts: 1, failures: 0, losses: 0 };
      this.histories.set(block, history);
    }
    return history;
  }

  /** The history of a block, if it has one. */
  knownHistory(block: number): BlockHistory | undefined {
    return this.histories.get(block);
  }

  /** Puts a block that was handed out back, behind all others; one before it in the order may have been revived meanwhile. */
  putBack(block: number): void {
    if (this.pending(block) > 0) {
      this.move(block, BlockState.waiting);
      return;
    }
    this.move(block, BlockState.ready);
    this.retries.addLast(block);
  }

  /** Puts a block that was handed out and not begun back to where it was. */
  withdraw(block: number): void {
    const history = this.histories.get(block);
    if (history !== undefined) history.attempts--;
    if (history !== undefined || this.pending(block) > 0) this.putBack(block);
    else this.makeReady(block);
  }

  counts(): BlockCounts {
    return {
      total: this.plan.count,
      waiting: this.tally(BlockState.waiting),
      ready: this.tally(BlockState.ready),
      running: this.tally(BlockState.running),
      done: this.tally(BlockState.done),
      skipped: this.tally(BlockState.skipped),
      failed: this.tally(BlockState.failed),
      orphaned: this.tally(BlockState.orphaned),
      unwanted: this.tally(BlockState.unwanted),
    };
  }

  /** The blocks in a state, in ascending order. */
  *blocksIn(state: BlockState): Generator<number> {
    const seen = state > BlockState.ready; // such blocks are only where something happened
    for (let place = 0; place < this.slabs.length; place++) {
      const slab = this.slabs[place] ?? (seen ? undefined : this.make(place));
      if (slab === undefined) continue;
      let offset = slab.states.indexOf(state);
      while (offset >= 0 && offset < slab.size) {
        yield slab.first + offset;
        offset = slab.states.indexOf(state, offset + 1);
      }
    }
  }

  /** Gives up what slabs hold of blocks that are done. */
  collapse(): void {
    for (const slab of this.slabs) slab?.collapse();
  }

  private get unmadeReady(): number {
    if (this.unmade === 0) return 0;
    return this.dependencies.some((dependency) => dependency.holds) ? 0 : this.unmadeRoots;
  }

  private make(place: number, open = true): Slab {
    const first = place * this.slabBlocks;
    const slab = new Slab(first, Math.min(this.slabBlocks, this.plan.count - first));
    this.slabs[place] = slab;
    this.unmade -= slab.size;
    this.tallies[BlockState.waiting] += slab.size;
    // before the run begins all slabs are made or none, and then it does not matter how many of the others' blocks are ready
    if (this.most > 0) this.unmadeRoots -= this.seed(slab);
    else if (this.plan.levels === 1) this.unmadeRoots -= slab.size;
    if (open && this.most > 0) this.open(slab);
    return slab;
  }

  /** Counts what its blocks wait for; returns how many wait for none of their own task. */
  private seed(slab: Slab): number {
    if (!this.ordered) return slab.size;
    const pending = allocatePendingCounts(slab.size, this.most);
    slab.pending = pending;
    const roots = this.plan.levels > 1 ? addOwnCounts(this.plan, slab.first, pending) : slab.size;
    for (const dependency of this.dependencies) dependency.seed(slab, pending);
    return roots;
  }

  private open(slab: Slab): void {
    const { size, states, pending } = slab;
    let ready = 0;
    for (let offset = 0; offset < size; offset++) {
      if (states[offset] !== BlockState.waiting || (pending !== undefined && pending[offset] > 0)) continue;
      states[offset] = BlockState.ready;
      slab.addReady(offset);
      ready++;
    }
    if (ready === 0) return;
    this.tallies[BlockState.waiting] -= ready;
    this.tallies[BlockState.ready] += ready;
    const place = Math.floor(slab.first / this.slabBlocks);
    if (!this.promising.has(place)) this.promising.add(place);
  }

  private recall(recorded: Uint8Array | Iterable<RecordedPiece>): void {
    const pieces = ArrayBuffer.isView(recorded) ? [{ first: 0, states: recorded as Uint8Array }] : recorded;
    for (const { first, states } of pieces as Iterable<RecordedPiece>) {
      for (let i = 0; i < states.length; ) {
        const end = Math.min(states.length, i + this.slabBlocks - ((first + i) % this.slabBlocks));
        this.recallPart(first + i, states.subarray(i, end));
        i = end;
      }
    }
  }

  /** The same of blocks of one slab. */
  private recallPart(first: number, recorded: Uint8Array): void {
    if (recorded.every((state) => state === 0)) return;
    const slab = this.slabOf(first);
    const tallies = RECALLED.map(() => 0);
    for (let i = 0; i < recorded.length; i++) {
      const state = recorded[i];
      if (state > 0 && state < RECALLED.length) {
        slab.states[first - slab.first + i] = RECALLED[state];
        tallies[state]++;
      }
    }
    RECALLED.forEach((state, i) => {
      this.tallies[state] += tallies[i];
      this.tallies[BlockState.waiting] -= tallies[i];
      slab.succeeded += tallies[i];
    });
    slab.collapse();
  }
}

/** What a byte of an earlier run's record means; others mean nothing. */
const RECALLED = [BlockState.waiting, BlockState.done, BlockState.skipped, BlockState.unwanted] as const;
