/** The public interface of Blockwright. */

export type { Block, Fit } from './blocks/block.js';
export type { GridRange } from './blocks/grid-range.js';
export { BlockPlan, type BlockPlanJson, type BlockPlanOptions, type BlockPlanRois } from './blocks/plan.js';
export * from './errors.js';
export { Coordinate, type CoordinateLike, ceilDiv, floorDiv } from './geometry/coordinate.js';
export { Roi, type SnapMode } from './geometry/roi.js';
export { type FragmentStatistics, fragmentStatistics } from './native/fragment-statistics.js';
