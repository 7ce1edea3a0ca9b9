/** The public interface of Blockwright. */

export type { Block, Fit } from './blocks/block.js';
export { BlockGraph, type GraphTask, type TaskBlock } from './blocks/block-graph.js';
export type { GridRange } from './blocks/grid-range.js';
export { BlockPlan, type BlockPlanJson, type BlockPlanOptions, type BlockPlanRois } from './blocks/plan.js';
export {
  type ArrayComparison,
  type ArrayOptions,
  compareArrays,
  type MetadataDifference,
} from './compare/compare-arrays.js';
export type { AttributeComparison, GraphComparison, RowsComparison } from './compare/compare-graphs.js';
export type { LutComparison } from './compare/compare-luts.js';
export { type Comparison, compareStores, type StoreOptions } from './compare/compare-stores.js';
export type { PartitionDifferences } from './compare/partition-differences.js';
export type { ValueDifferences, VoxelDifference } from './compare/value-differences.js';
export type { RunEvent, RunState, TaskCounts } from './coordinator/events.js';
export type { RunResult, TaskResult } from './coordinator/run.js';
export {
  type FolderStatistics,
  type RunStatistics,
  readStatistics,
  type Statistics,
} from './coordinator/run-statistics.js';
export type { BlockFailure } from './coordinator/task-progress.js';
export type { SlowBlock, TaskStatistics } from './coordinator/task-tally.js';
export * from './errors.js';
export type { ComparedVolumes } from './evaluation/block-table.js';
export {
  type EvaluateVolumesOptions,
  type EvaluationProgress,
  evaluateVolumes,
} from './evaluation/evaluate-volumes.js';
export type { Evaluation, EvaluationOptions, Overlap, WorstMerge, WorstSplit } from './evaluation/evaluation.js';
export { Coordinate, type CoordinateLike, ceilDiv, floorDiv } from './geometry/coordinate.js';
export { Roi, type SnapMode } from './geometry/roi.js';
export type {
  AttributeColumns,
  BlockKey,
  EdgeAttribute,
  EdgeColumns,
  GraphSchema,
  GraphStore,
  NodeColumns,
} from './graph/graph-store.js';
export { ThreadedGraphStore } from './graph/graph-thread.js';
export { type Lut, type LutColumns, openLut, writeLut } from './graph/lut.js';
export { SqliteGraphStore } from './graph/sqlite-graph-store.js';
export { type ArgmaxOptions, argmax, type ChannelValues, type ClassNumbers } from './native/argmax.js';
export {
  type BlockComponents,
  type BlockComponentsOptions,
  type BlockPlace,
  blockComponents,
  type ComponentLabels,
} from './native/block-components.js';
export {
  type ComponentIds,
  type ConnectedComponents,
  type ConnectedComponentsOptions,
  type Connectivity,
  connectedComponents,
} from './native/connected-components.js';
export { type ContingencyTable, contingencyTable, mergeContingencyTables } from './native/contingency-table.js';
export { type DistanceTransformOptions, distanceTransform } from './native/distance-transform.js';
export {
  type DownsampleMethod,
  type DownsampleOptions,
  type DownsampleValues,
  downsample,
  downsampledShape,
} from './native/downsample.js';
export { type EdgeScoreSums, type EdgeScores, type EdgeScoresOptions, edgeScores } from './native/edge-scores.js';
export { type FilterFragmentsOptions, filterFragments } from './native/filter-fragments.js';
export { findSeeds, type SeedMaskOptions, type Seeds, seedMask } from './native/find-seeds.js';
export { type FragmentStatistics, fragmentStatistics } from './native/fragment-statistics.js';
export { type GaussianSmoothingOptions, gaussianSmoothing } from './native/gaussian-smoothing.js';
export {
  type EdgeSums,
  type FragmentEdges,
  type GraphMutexWatershedOptions,
  graphMutexWatershed,
} from './native/graph-mutex-watershed.js';
export { type JoinedComponents, joinComponents, type PairRun } from './native/join-components.js';
export { mapFile } from './native/map-file.js';
export { type EdgeRun, type MergedEdges, mergeEdges } from './native/merge-edges.js';
export { type MergedNodes, mergeNodes, type NodeRun } from './native/merge-nodes.js';
export { type MutexWatershedOptions, mutexWatershed } from './native/mutex-watershed.js';
export { type LookupTable, type RelabelOptions, relabel } from './native/relabel.js';
export { removeDebris } from './native/remove-debris.js';
export { segmentSizes } from './native/segment-sizes.js';
export {
  type LabelError,
  type LabelOverlap,
  type ScoreOptions,
  type SegmentationErrors,
  type SegmentationScores,
  segmentationErrors,
  segmentationScores,
} from './native/segmentation-scores.js';
export { type ThresholdOptions, type ThresholdValues, threshold } from './native/threshold.js';
export type { VoxelBox } from './native/voxel-box.js';
export { type Copy, type CopyRequest, copyPipeline } from './pipeline/copy.js';
export { type LoadOptions, loadPipeline } from './pipeline/file.js';
export { type CombineOptions, sequence, together } from './pipeline/operators.js';
export {
  type ArrayInput,
  type Pipeline,
  type PipelineInput,
  type PipelineOptions,
  pipeline,
  type SkipInput,
  type TaskInput,
} from './pipeline/pipeline.js';
export { blockGraphOf, type PipelinePlan, planPipeline } from './pipeline/plan.js';
export type { PlannedTask } from './pipeline/planned-task.js';
export { type RunPipelineOptions, runPipeline } from './pipeline/run.js';
export { runSerially, type SerialOptions } from './pipeline/run-serially.js';
export type { ArrayInfo } from './storage/array-info.js';
export { findSharedChunk, type SharedChunk, sharedChunkError } from './storage/chunk-conflicts.js';
export { type ChunkSizes, chunkSizesFor } from './storage/chunk-sizes.js';
export { ChunkedArray } from './storage/chunked-array.js';
export type { Compressor } from './storage/compressor.js';
export type { CreateOptions } from './storage/create-array.js';
export { type Hierarchy, type HierarchyNode, type HierarchyOptions, listHierarchy } from './storage/hierarchy.js';
export type { ImageAxis, ImageLevel } from './storage/image-group.js';
export type { Level } from './storage/image-level.js';
export type { ArrayMetadata, DataType, TypedArray } from './storage/metadata.js';
export type { ConvertedType, VolumeOperation } from './storage/operations/operation.js';
export type { Pyramid, PyramidLevel } from './storage/pyramid.js';
export { RemoteArray, type RemoteArrayOptions } from './storage/remote-array.js';
export { type GroupInfo, type ImageInfo, storeInfo, type UnreadableInfo } from './storage/store-info.js';
export type { Finding } from './storage/verify-array.js';
export {
  type StoreFinding,
  type StoreProgress,
  type StoreVerification,
  type VerifyStoreOptions,
  verifyStore,
} from './storage/verify-store.js';

export type { ReadOptions, ReadRoiOptions, RegionOptions, Volume, WriteOptions } from './storage/volume.js';
export { openVolume, type StackedSource, type StoredSource, type VolumeSource } from './storage/volume-source.js';
export { roiOf } from './tasks/block-options.js';
export { labelColour } from './view/colour.js';
export { channelPicture, enlarge, labelPicture, type Picture, sideBySide, toPng } from './view/slice-image.js';
export { arrayName, filePath, graphName, lutPath } from './workers/option-types.js';
export {
  type BlockContext,
  defineTask,
  type OutputArray,
  type OutputImage,
  type PlanContext,
  type Resource,
  type RunContext,
  type StoreContext,
  type TaskDefinition,
  type TaskPlan,
} from './workers/task-definition.js';
