import type { BlockPlan } from '../blocks/plan.js';
import { BlockState } from './block-state.js';
import type { PendingCounts } from './pending-counts.js';
import { ReadyQueue } from './ready-queue.js';

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
 * The blocks of one task while it runs: a byte of state for each, a counter (usually a byte) for each where the order
 * matters, the queue of those that can run, and a history of the few that failed or were lost.
 */
export class TaskBlocks {
  readonly states: Uint8Array;
  /** How many blocks each one waits for; undefined where none waits for any. */
  pending: PendingCounts | undefined;
  readonly queue: ReadyQueue;
  /** Whether an earlier run finished any block. */
  readonly resumed: boolean;
  private readonly tallies = new Float64Array(Object.keys(BlockState).length);
  private readonly histories = new Map<number, BlockHistory>();

  /** @param recorded what an earlier run left: 0 nothing, 1 done, 2 skipped. */
  constructor(
    readonly plan: BlockPlan,
    recorded?: Uint8Array,
  ) {
    this.states = new Uint8Array(plan.count);
    this.queue = new ReadyQueue(plan.count);
    this.tallies[BlockState.waiting] = plan.count;
    if (recorded !== undefined) {
      for (let block = 0; block < plan.count; block++) {
        if (recorded[block] !== 0) this.move(block, recorded[block] === 1 ? BlockState.done : BlockState.skipped);
      }
    }
    this.resumed = this.succeeded > 0;
  }

  /** Blocks that are not in a final state. */
  get unfinished(): number {
    return this.tally(BlockState.waiting) + this.tally(BlockState.ready) + this.tally(BlockState.running);
  }

  /** Blocks that are done or skipped. */
  get succeeded(): number {
    return this.tally(BlockState.done) + this.tally(BlockState.skipped);
  }

  tally(state: BlockState): number {
    return this.tallies[state];
  }

  move(block: number, to: BlockState): void {
    this.tallies[this.states[block]]--;
    this.tallies[to]++;
    this.states[block] = to;
  }

  /** Whether a block is done or skipped. */
  hasSucceeded(block: number): boolean {
    const state = this.states[block];
    return state === BlockState.done || state === BlockState.skipped;
  }

  /** Makes every block that waits for nothing ready: once, when the counters are set. */
  start(): void {
    const { pending, states } = this;
    if (pending === undefined && this.tally(BlockState.waiting) === states.length) {
      states.fill(BlockState.ready);
      this.tallies[BlockState.ready] = states.length;
      this.tallies[BlockState.waiting] = 0;
      this.queue.addAll(states.length);
      return;
    }
    for (let block = 0; block < states.length; block++) {
      if (states[block] === BlockState.waiting && (pending === undefined || pending[block] === 0))
        this.makeReady(block);
    }
  }

  makeReady(block: number): void {
    this.move(block, BlockState.ready);
    this.queue.add(block);
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

  /** Puts a block that was handed out back, behind all others. */
  putBack(block: number): void {
    this.move(block, BlockState.ready);
    this.queue.addLast(block);
  }

  /** The blocks in a state, in ascending order. */
  *blocksIn(state: BlockState): Generator<number> {
    let block = this.states.indexOf(state);
    while (block >= 0) {
      yield block;
      block = this.states.indexOf(state, block + 1);
    }
  }
}
