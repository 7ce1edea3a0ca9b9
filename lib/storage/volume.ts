import type { Roi } from '../geometry/roi.js';
import type { TypedArray } from './data-type.js';
import type { FillValue } from './fill-value.js';
import type { ArrayMetadata } from './metadata.js';

export interface RegionOptions {
  readonly signal?: AbortSignal;
  /** Threads that read, decode, encode and write. @default the cores of the machine, at most 4 */
  readonly threads?: number;
}

export interface ReadOptions extends RegionOptions {
  /** Memory to read into, of the volume's type and of the region's size; it is faster than new memory. */
  readonly into?: TypedArray;
}

export interface ReadRoiOptions extends ReadOptions {
  /** Value of voxels outside the volume. @default 0 */
  readonly fill?: FillValue;
}

export interface WriteOptions extends RegionOptions {
  /** Whether the data is on the disk when the promise resolves, also after a loss of power. @default true */
  readonly durable?: boolean;
}

/**
 * Voxels with a place in the world, as tasks see them, wherever they come from: an array in a local folder
 * ({@link ChunkedArray}), in a remote store, or either seen through lazy operations. Only the first can be written; the others
 * refuse it with ERR_UNSUPPORTED.
 */
export interface Volume {
  /** Absolute path or address, for messages. */
  readonly path: string;
  readonly metadata: ArrayMetadata;
  readonly shape: readonly number[];
  /** Number of axes, channels included. */
  readonly dimensions: number;
  /** The volume's box in world units, of its physical axes. */
  readonly roi: Roi;
  /** The value of voxels that were never written. */
  readonly fillValue: FillValue;
  /** Reads the voxels [begin, end), all axes included, in C order. */
  readRegion(begin: readonly number[], end: readonly number[], options?: ReadOptions): Promise<TypedArray>;
  /** Reads a box of the world with all channels; its shape has all axes. */
  readRoi(roi: Roi, options?: ReadRoiOptions): Promise<{ readonly data: TypedArray; readonly shape: number[] }>;
  /** Writes the voxels [begin, end). */
  writeRegion(
    begin: readonly number[],
    end: readonly number[],
    data: TypedArray,
    options?: WriteOptions,
  ): Promise<void>;
  /** Writes the part of a box of the world that lies inside the volume. */
  writeRoi(roi: Roi, data: TypedArray, options?: WriteOptions): Promise<void>;
}
