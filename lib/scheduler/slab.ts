import { BlockState } from './block-state.js';
import { allocatePendingCounts, type PendingCounts } from './pending-counts.js';
import { ReadyQueue } from './ready-queue.js';

/** Blocks that follow each other in raster order and are made, and given up, together. */
export const SLAB_BLOCKS = 2 ** 16;

const DONE = new Uint8Array(SLAB_BLOCKS).fill(BlockState.done);
const SKIPPED = new Uint8Array(SLAB_BLOCKS).fill(BlockState.skipped);
const UNWANTED = new Uint8Array(SLAB_BLOCKS).fill(BlockState.unwanted);
const NONE_PENDING = new Uint8Array(SLAB_BLOCKS);

/** The states, counters and queue of {@link SLAB_BLOCKS} blocks (fewer at the end of a plan). */
export class Slab {
  states: Uint8Array;
  /** How many blocks each one waits for; undefined where none waits for any. */
  pending: PendingCounts | undefined;
  /** Those that can run; undefined before the first. */
  queue: ReadyQueue | undefined;
  /** Blocks that are done, skipped or not wanted. */
  succeeded = 0;

  readonly end: number;

  constructor(
    readonly first: number,
    readonly size: number,
  ) {
    this.end = first + size;
    this.states = new Uint8Array(size);
  }

  addReady(offset: number): void {
    this.queue ??= new ReadyQueue(this.size);
    this.queue.add(offset);
  }

  /** Counters that may be written, though the memory was given up. */
  writablePending(most: number): PendingCounts | undefined {
    if (this.pending === NONE_PENDING) this.pending = allocatePendingCounts(this.size, most);
    return this.pending;
  }

  /** Gives the memory up when every block is done, or every one skipped, or not wanted, and nothing goes through them any more. */
  collapse(): void {
    if (this.succeeded < this.size) return;
    const [first] = this.states;
    const whole = first === BlockState.done ? DONE : first === BlockState.skipped ? SKIPPED : UNWANTED;
    if (this.states !== whole && !isAll(this.states, whole[0])) return;
    if (this.pending !== NONE_PENDING && this.pending !== undefined && !isAll(this.pending, 0)) return;
    this.states = whole;
    if (this.pending !== undefined) this.pending = NONE_PENDING;
    this.queue = undefined;
  }
}

function isAll(values: PendingCounts, value: number): boolean {
  for (let i = 0; i < values.length; i++) if (values[i] !== value) return false;
  return true;
}
