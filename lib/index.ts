/** The public interface of Blockwright. */

export type { Block, Fit } from './blocks/block.js';
export * from './errors.js';
export { ceilDiv, Coordinate, type CoordinateLike, floorDiv } from './geometry/coordinate.js';
export { Roi, type SnapMode } from './geometry/roi.js';
export { type FragmentStatistics, fragmentStatistics } from './native/fragment-statistics.js';
