import type { Coordinate } from '../geometry/coordinate.js';
import type { Roi } from '../geometry/roi.js';

/** Data types of array elements. */
export type DataType =
  | 'uint8'
  | 'int8'
  | 'uint16'
  | 'int16'
  | 'uint32'
  | 'int32'
  | 'uint64'
  | 'int64'
  | 'float32'
  | 'float64'
  | 'bool';

/** A typed array that holds a region. bool comes as Uint8Array. */
export type TypedArray =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | BigUint64Array
  | BigInt64Array
  | Float32Array
  | Float64Array;

/**
 * What an array is: its voxels, and where they lie in the world. Leading axes may be channels; the others are physical
 * and are the axes of `offset` and `voxelSize`.
 */
export interface ArrayMetadata {
  /** Voxels per axis, channels first. */
  readonly shape: readonly number[];
  readonly chunkShape: readonly number[];
  readonly dataType: DataType;
  /** Number of leading axes that are channels. */
  readonly channelAxes: number;
  /** World units of the corner of voxel (0, 0, 0); one entry a physical axis. */
  readonly offset: Coordinate;
  /** World units a voxel; one entry a physical axis. */
  readonly voxelSize: Coordinate;
  /** One entry a physical axis, e.g. 'nm'; '' = unknown. */
  readonly units: readonly string[];
  /** One entry an axis; a channel's name ends in '^'. */
  readonly axisNames: readonly string[];
  /** Attributes beside the above, e.g. `neighborhood`. */
  readonly attributes: Readonly<Record<string, unknown>>;
}

export type { Roi };
