import { join, resolve } from 'node:path';
import { BlockwrightError } from '../errors.js';
import { Roi } from '../geometry/roi.js';
import { argumentError } from '../native/checks.js';
import { isAddress, parseAddress } from './address.js';
import { exists } from './array-folder.js';
import type { ArrayFormat } from './array-format.js';
import { type CreateOptions, createArray } from './create-array.js';
import type { TypedArray } from './data-type.js';
import { type FillValue, fillValueOf } from './fill-value.js';
import type { ArrayMetadata } from './metadata.js';
import { readArray } from './open-array.js';
import { readRegionNatively, writeRegionNatively } from './region-engine.js';
import {
  checkData,
  checkRegion,
  fillArray,
  type RegionMemory,
  regionMemory,
  threadsOf,
  worldBox,
} from './region-memory.js';
import type { ReadOptions, ReadRoiOptions, Volume, WriteOptions } from './volume.js';

/**
 * A zarr array (v2 or v3) in a local folder. Regions are read and written by native code over threads.
 *
 * Several processes may write at once as long as no two of them write one chunk, or one shard where there are shards: what a
 * region covers in part is read, changed and written.
 */
export class ChunkedArray implements Volume {
  private constructor(
    /** Absolute path of the array's folder. */
    readonly path: string,
    readonly metadata: ArrayMetadata,
    readonly format: ArrayFormat,
  ) {}

  /**
   * Opens the array in a folder.
   *
   * @throws ERR_ARRAY_MISSING, ERR_METADATA, ERR_UNSUPPORTED, ERR_LIMIT, ERR_IO
   */
  static async open(path: string): Promise<ChunkedArray> {
    const folder = localPath(path);
    const { metadata, format } = await readArray(folder);
    return new ChunkedArray(folder, metadata, format);
  }

  /**
   * Creates an array (by default zarr v3 and zstd level 1), and the folders above it. Durable when the promise resolves.
   *
   * @throws ERR_ARRAY_EXISTS, ERR_ARGUMENT, ERR_METADATA, ERR_LIMIT, ERR_IO
   */
  static async create(path: string, metadata: ArrayMetadata, options: CreateOptions = {}): Promise<ChunkedArray> {
    const folder = localPath(path);
    const format = await createArray(folder, metadata, options);
    return new ChunkedArray(folder, metadata, format);
  }

  get shape(): readonly number[] {
    return this.metadata.shape;
  }

  /** Number of axes, channels included. */
  get dimensions(): number {
    return this.metadata.shape.length;
  }

  /** The array's box in world units, of its physical axes. */
  get roi(): Roi {
    const { shape, channelAxes, offset, voxelSize } = this.metadata;
    return new Roi(offset, voxelSize.multiply(shape.slice(channelAxes)));
  }

  /** The value of voxels that were never written. */
  get fillValue(): FillValue {
    return fillValueOf(this.format.fill, this.metadata.dataType);
  }

  /**
   * Reads the voxels [begin, end), all axes included, in C order.
   *
   * @param begin voxels; the region must lie inside the array
   * @throws ERR_ARGUMENT; ERR_CHUNK_CORRUPT with the array's path, the key of the chunk or shard, and in a shard the
   *   inner chunk's position; ERR_IO; ERR_LIMIT;
   *   ERR_OUT_OF_MEMORY; ERR_CANCELLED
   */
  async readRegion(begin: readonly number[], end: readonly number[], options: ReadOptions = {}): Promise<TypedArray> {
    checkRegion(this.metadata, begin, end);
    const dataShape = begin.map((first, axis) => end[axis] - first);
    const data = regionMemory(this.path, this.metadata, dataShape, options.into, true);
    await this.read({ begin, end, data, dataBegin: begin, dataShape }, options);
    return data;
  }

  /**
   * Writes the voxels [begin, end). Chunks that hold only the fill value are not stored. When it fails, some files may have
   * their new content and others their old, but none is cut.
   *
   * @param data of the array's type, C order, the size of the region; must not be changed until the promise settles
   * @throws as {@link readRegion}
   */
  async writeRegion(
    begin: readonly number[],
    end: readonly number[],
    data: TypedArray,
    options: WriteOptions = {},
  ): Promise<void> {
    checkRegion(this.metadata, begin, end);
    const dataShape = begin.map((first, axis) => end[axis] - first);
    checkData(this.metadata, data, dataShape);
    await this.write({ begin, end, data, dataBegin: begin, dataShape }, options);
  }

  /**
   * Reads a box of the world with all channels. Voxels outside the array have the value `fill`.
   *
   * @param roi world units of the physical axes, on the array's voxel grid (ERR_GEOMETRY otherwise)
   * @throws as {@link readRegion}
   */
  async readRoi(
    roi: Roi,
    options: ReadRoiOptions = {},
  ): Promise<{ readonly data: TypedArray; readonly shape: number[] }> {
    const box = worldBox(this.metadata, roi);
    const data = regionMemory(this.path, this.metadata, box.dataShape, options.into, true);
    if (!box.inside) fillArray(data, options.fill ?? 0);
    if (!box.empty) await this.read({ ...box, data }, options);
    return { data, shape: box.dataShape };
  }

  /**
   * Writes the part of a box of the world that lies inside the array.
   *
   * @param data of the shape of the whole box: channels, then the box's voxels
   * @throws as {@link readRoi}
   */
  async writeRoi(roi: Roi, data: TypedArray, options: WriteOptions = {}): Promise<void> {
    const box = worldBox(this.metadata, roi);
    checkData(this.metadata, data, box.dataShape);
    if (!box.empty) await this.write({ ...box, data }, options);
  }

  private async read(region: RegionMemory, options: ReadOptions): Promise<void> {
    const call = { threads: threadsOf(options), signal: options.signal };
    const missing = await readRegionNatively(this.path, this.format, region, call);
    // Missing chunks are the fill value, but not when the array itself has gone: an unmounted disk must not read as zeros.
    if (missing > 0 && !(await exists(join(this.path, this.format.zarrFormat === 3 ? 'zarr.json' : '.zarray')))) {
      throw new BlockwrightError('ERR_ARRAY_MISSING', `${this.path}: the array was removed while it was open`, {
        path: this.path,
      });
    }
  }

  private async write(region: RegionMemory, options: WriteOptions): Promise<void> {
    const call = { threads: threadsOf(options), signal: options.signal, durable: options.durable ?? true };
    await writeRegionNatively(this.path, this.format, region, call);
  }
}

function localPath(path: string): string {
  if (typeof path !== 'string' || path === '') throw argumentError('path', 'the path of a folder', path);
  if (isAddress(path)) {
    const { text } = parseAddress(path);
    throw new BlockwrightError('ERR_UNSUPPORTED', `${text}: expected a local folder; remote stores can only be read`, {
      path: text,
    });
  }
  return resolve(path);
}
