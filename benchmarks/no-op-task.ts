import { z } from 'zod';
import { BlockPlan } from '../lib/blocks/plan.js';
import { Roi } from '../lib/geometry/roi.js';
import { defineTask } from '../lib/workers/task-definition.js';

/** World units a block is wide, and that it reads around itself under conflicts: as in reference/scheduler.py. */
const SIZE = 10;
const CONTEXT = 4;

/** Blocks of the scheduler benchmark: `blocks` an axis. */
export function noOpPlan(blocks: readonly number[], conflict: boolean): BlockPlan {
  const context = blocks.map(() => (conflict ? CONTEXT : 0));
  return new BlockPlan({
    totalWriteRoi: new Roi(
      context,
      blocks.map((count) => count * SIZE),
    ),
    blockShape: blocks.map(() => SIZE),
    contextLow: context,
    contextHigh: context,
    fit: 'shrink',
    readWriteConflict: conflict,
  });
}

/** A task whose blocks do nothing: what is left is the cost of running blocks at all. */
export default defineTask({
  type: 'no-op',
  description: 'Blocks that do nothing, for benchmarks.',
  options: z.strictObject({
    blocks: z.array(z.int().positive()).describe('Blocks an axis.'),
    conflict: z.boolean().describe('Whether neighbours must not run at once.'),
  }),
  plan: (options) => ({ blocks: noOpPlan(options.blocks, options.conflict), reads: [], writes: [], outputs: [] }),
  processBlock: async () => {},
});
