import fc from 'fast-check';
import type { Fit } from '../../lib/blocks/block.js';
import { BlockPlan } from '../../lib/blocks/plan.js';
import { Roi } from '../../lib/geometry/roi.js';

interface PlanLimits {
  readonly dimensions?: number;
  readonly readWriteConflict?: boolean;
  /** The longest axis of the grid, about. */
  readonly blocksPerAxis?: number;
}

/** Small plans of 1 to 3 dimensions, of every fit, with any context up to 2.5 blocks; sometimes without blocks. */
export function anyPlan(limits: PlanLimits = {}): fc.Arbitrary<BlockPlan> {
  const { blocksPerAxis = 5 } = limits;
  const axis = fc
    .record({ step: fc.integer({ min: 1, max: 6 }), origin: fc.integer({ min: -15, max: 15 }) })
    .chain(({ step, origin }) =>
      fc.record({
        step: fc.constant(step),
        origin: fc.constant(origin),
        extent: fc.integer({ min: 1, max: step * blocksPerAxis }),
        low: fc.integer({ min: 0, max: Math.floor(step * 2.5) }),
        high: fc.integer({ min: 0, max: Math.floor(step * 2.5) }),
      }),
    );
  const { dimensions, readWriteConflict } = limits;
  return fc
    .record({
      axes: fc.array(axis, { minLength: dimensions ?? 1, maxLength: dimensions ?? 3 }),
      fit: fc.constantFrom<Fit>('valid', 'overhang', 'shrink'),
      readWriteConflict: readWriteConflict === undefined ? fc.boolean() : fc.constant(readWriteConflict),
    })
    .map(
      ({ axes, ...rest }) =>
        new BlockPlan({
          totalWriteRoi: new Roi(
            axes.map(({ origin }) => origin),
            axes.map(({ extent }) => extent),
          ),
          blockShape: axes.map(({ step }) => step),
          contextLow: axes.map(({ low }) => low),
          contextHigh: axes.map(({ high }) => high),
          ...rest,
        }),
    );
}

/** The neighbours of a block as a list. */
export function neighboursOf(plan: BlockPlan, of: 'upstream' | 'downstream', index: number): number[] {
  const into = new Float64Array(plan.maxNeighbours);
  return [...into.subarray(0, plan[of](index, into))];
}
