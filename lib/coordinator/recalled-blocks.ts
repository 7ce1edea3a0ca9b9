import { fillInside } from '../blocks/grid-range.js';
import type { DoneRecord } from './done-record.js';
import { RecordedState } from './done-record-metadata.js';
import type { RunTask } from './run-task.js';

/** Blocks that are looked at together. */
const PIECE = 2 ** 20;

/** For the scheduler: a block that is not to run in this run. */
const UNWANTED = 3;

/** What a run begins with, of one task. */
export interface RecalledBlocks {
  /** As the scheduler takes it: 0 to do, 1 done, 2 skipped, 3 not wanted. Undefined when all are to do. */
  readonly states: Uint8Array | undefined;
  /** Blocks that the task's mask leaves out; they count as skipped. */
  readonly masked: number;
  /** Blocks that an earlier run's mask left out and which are to run now. */
  readonly unmasked: number;
}

/**
 * Reads what earlier runs left of a task's blocks and books in the record which of the others its mask leaves out. Earned and
 * asserted are kept apart: a block that is done stays so whatever the mask says, and what a mask left out is decided anew in
 * each run. The mask is asked about blocks alone that are wanted and not done. Memory: one byte a block.
 */
export async function recallBlocks(record: DoneRecord, task: RunTask): Promise<RecalledBlocks> {
  const { plan, skip, wanted } = task;
  const found = await record.reset();
  if (skip === undefined && wanted === undefined && !found?.includes(RecordedState.masked)) {
    return { states: found, masked: 0, unmasked: 0 };
  }
  const states = found ?? new Uint8Array(plan.count);
  let masked = 0;
  let unmasked = 0;
  for (let first = 0; first < states.length; first += PIECE) {
    const piece = states.subarray(first, first + PIECE);
    const inside = new Uint8Array(piece.length);
    if (wanted === undefined) inside.fill(1);
    else fillInside(wanted, plan.gridShape.values, first, inside);
    const open = piece.map((state, i) => (inside[i] === 1 && isOpen(state) ? 1 : 0));
    const out = skip !== undefined && open.includes(1) ? await skip(first, open) : new Uint8Array(piece.length);
    const leftOut: number[] = [];
    const takenUp: number[] = [];
    for (let i = 0; i < piece.length; i++) {
      if (open[i] === 0) continue;
      if (out[i] !== 0 && piece[i] === RecordedState.pending) leftOut.push(first + i);
      if (out[i] === 0 && piece[i] === RecordedState.masked) takenUp.push(first + i);
      piece[i] = out[i] !== 0 ? RecordedState.masked : RecordedState.pending;
    }
    record.mark(leftOut, RecordedState.masked);
    record.mark(takenUp, RecordedState.pending);
    unmasked += takenUp.length;
    for (let i = 0; i < piece.length; i++) {
      if (piece[i] === RecordedState.masked) {
        piece[i] = RecordedState.skipped;
        masked++;
      } else if (piece[i] === RecordedState.pending && inside[i] === 0) {
        piece[i] = UNWANTED;
      }
    }
  }
  await record.flush();
  return { states, masked, unmasked };
}

/** What to tell of blocks that a mask left out and which are wanted now: what was made without them. */
export function unmaskedNotices(tasks: readonly RunTask[], recalled: readonly RecalledBlocks[]): string[] {
  return tasks.flatMap(({ index, name }) => {
    const { unmasked } = recalled[index];
    if (unmasked === 0) return [];
    const later = new Set([index]);
    for (const task of tasks) {
      if ([...task.upstreamIndices, ...task.barrierIndices].some((other) => later.has(other))) later.add(task.index);
    }
    later.delete(index);
    const stale = [...later].filter((place) => recalled[place].states?.includes(RecordedState.done));
    const again = stale.map((place) => `retry --task ${tasks[place].name} --done`);
    const what = `${name}: ${unmasked} blocks that a mask left out before are done now`;
    if (stale.length === 0) return [what];
    return [
      `${what}. Blocks of later tasks that were done without them stay as they are; to do them again: ${again.join('; ')}`,
    ];
  });
}

function isOpen(state: number): boolean {
  return state === RecordedState.pending || state === RecordedState.masked;
}
