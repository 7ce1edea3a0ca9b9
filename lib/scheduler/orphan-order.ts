import { BlockState } from './block-state.js';
import type { TaskBlocks } from './task-blocks.js';

/**
 * Blocks that never run keep their place in their task's order too, for the sake of what an earlier run finished
 * behind them: from now on they wait for their own task's blocks alone, and pass that on.
 *
 * @param orphans pairs of task and block, just orphaned
 * @returns task and block of those that wait for nothing
 */
export function keepInOrder(tasks: readonly TaskBlocks[], orphans: readonly number[]): [task: number, block: number][] {
  const found = new Float64Array(Math.max(1, ...tasks.map(({ plan }) => plan.maxNeighbours)));
  const counts: number[] = [];
  for (let i = 0; i < orphans.length; i += 2) {
    const blocks = tasks[orphans[i]];
    const length = blocks.plan.upstream(orphans[i + 1], found);
    let count = 0;
    for (let k = 0; k < length; k++) {
      // the orphans among them still have the counts they waited with, which are not 0
      if (blocks.state(found[k]) < BlockState.done || blocks.pending(found[k]) > 0) count++;
    }
    counts.push(count);
  }
  const free: [number, number][] = [];
  counts.forEach((count, i) => {
    tasks[orphans[2 * i]].setPending(orphans[2 * i + 1], count);
    if (count === 0) free.push([orphans[2 * i], orphans[2 * i + 1]]);
  });
  return free;
}
