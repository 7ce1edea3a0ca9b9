import type { Coordinate } from '../geometry/coordinate.js';
import type { DataType } from './data-type.js';

export type { DataType, TypedArray } from './data-type.js';

/**
 * What an array is: its voxels, and where they lie in the world. Leading axes may be channels; the others are physical
 * and are the axes of `offset` and `voxelSize`.
 */
export interface ArrayMetadata {
  /** Voxels per axis, channels first; up to 6 axes. */
  readonly shape: readonly number[];
  /** Voxels of a chunk per axis, of an inner chunk where the array has shards; at most 2^31 - 1 bytes. */
  readonly chunkShape: readonly number[];
  /** Voxels of a shard per axis, a multiple of the chunk: what is written as one file. Left out: no shards. */
  readonly shardShape?: readonly number[];
  readonly dataType: DataType;
  /** Number of leading axes that are channels; at least one axis is physical where there are any. */
  readonly channelAxes: number;
  /** World units of the corner of voxel (0, 0, 0); one entry a physical axis. */
  readonly offset: Coordinate;
  /** World units a voxel, positive; one entry a physical axis. */
  readonly voxelSize: Coordinate;
  /** One entry a physical axis, e.g. 'nm'; '' = unknown. */
  readonly units: readonly string[];
  /** One entry an axis; a channel's name ends in '^'. */
  readonly axisNames: readonly string[];
  /** Attributes beside the above, e.g. `neighborhood`. An integer beyond 2^53 is a bigint. */
  readonly attributes: Readonly<Record<string, unknown>>;
}
