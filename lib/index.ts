/** The public interface of Blockwright. */

export type { Block, Fit } from './blocks/block.js';
export * from './errors.js';
export { ceilDiv, Coordinate, type CoordinateLike, floorDiv } from './geometry/coordinate.js';
export { Roi, type SnapMode } from './geometry/roi.js';
export { type FragmentStatistics, fragmentStatistics } from './native/fragment-statistics.js';
export {
  type EdgeSums,
  type FragmentEdges,
  type GraphMutexWatershedOptions,
  graphMutexWatershed,
} from './native/graph-mutex-watershed.js';
export { type MutexWatershedOptions, mutexWatershed } from './native/mutex-watershed.js';
