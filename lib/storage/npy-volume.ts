import { type FileHandle, open } from 'node:fs/promises';
import { BlockwrightError } from '../errors.js';
import { Coordinate } from '../geometry/coordinate.js';
import { bytesOf, factsOf, type TypedArray } from './data-type.js';
import { ioError } from './io-error.js';
import type { ArrayMetadata } from './metadata.js';
import { NPY_HEADER_BYTES, type NpyHeader, parseNpyHeader } from './npy-header.js';
import { type RegionMemory, regionMemory } from './region-memory.js';
import { RegionVolume } from './region-volume.js';
import type { ReadOptions } from './volume.js';
import { boxesOf } from './voxel-boxes.js';

/** Reads of one region that are under way at once. */
const READS = 16;

/**
 * A .npy file, read region by region: its corner is the origin, a voxel is a world unit. A region of a file in Fortran order or with
 * the high byte first is in memory twice while it is read.
 */
export class NpyVolume extends RegionVolume {
  protected readonly nature = 'is a .npy file';

  private constructor(
    path: string,
    metadata: ArrayMetadata,
    private readonly header: NpyHeader,
  ) {
    super(path, metadata, 0);
  }

  /** @throws ERR_METADATA, ERR_UNSUPPORTED, ERR_IO; ERR_CHUNK_CORRUPT when the file is too short */
  static async open(path: string): Promise<NpyVolume> {
    return withFile(path, async (file) => {
      const start = Buffer.alloc(NPY_HEADER_BYTES);
      const { bytesRead } = await file.read(start, 0, start.length, 0);
      const header = parseNpyHeader(path, start.subarray(0, bytesRead));
      const { dataType, shape, fortranOrder, begin } = header;
      const fastest = fortranOrder ? 0 : shape.length - 1;
      const expected = begin + shape.reduce((product, extent) => product * extent, factsOf(dataType).bytes);
      const { size } = await file.stat();
      if (size < expected) {
        throw new BlockwrightError('ERR_CHUNK_CORRUPT', `${path}: expected ${expected} bytes, found ${size}`, { path });
      }
      const metadata: ArrayMetadata = {
        shape,
        chunkShape: shape.map((extent, axis) => (axis === fastest ? Math.max(1, extent) : 1)),
        dataType,
        channelAxes: 0,
        offset: Coordinate.filled(shape.length, 0),
        voxelSize: Coordinate.filled(shape.length, 1),
        units: shape.map(() => ''),
        axisNames: shape.map((_, axis) => `d${axis}`),
        attributes: {},
      };
      return new NpyVolume(path, metadata, header);
    });
  }

  /** The same where an array lies that has as many voxels along every axis; itself where that has not. */
  placedLike({ shape, channelAxes, offset, voxelSize, units, axisNames }: ArrayMetadata): NpyVolume {
    const own = this.metadata;
    if (own.shape.length !== shape.length || own.shape.some((extent, axis) => extent !== shape[axis])) return this;
    return new NpyVolume(this.path, { ...own, channelAxes, offset, voxelSize, units, axisNames }, this.header);
  }

  protected async read(region: RegionMemory, options: ReadOptions): Promise<void> {
    const { fortranOrder, bigEndian, dataType } = this.header;
    if (!fortranOrder && !bigEndian) return this.readRuns(this.shape, region, options);
    // in Fortran order lies what has its axes the other way round in C order
    const turned = (list: readonly number[]) => (fortranOrder ? [...list].reverse() : [...list]);
    const [begin, end] = [turned(region.begin), turned(region.end)];
    const dataShape = begin.map((first, axis) => end[axis] - first);
    const data = regionMemory(this.path, { ...this.metadata, dataType }, dataShape);
    await this.readRuns(turned(this.shape), { begin, end, data, dataBegin: begin, dataShape }, options);
    if (bigEndian) swapBytes(data);
    const strides = turned(stridesOf(dataShape));
    copyBox(region, data, strides);
  }

  /** Reads from a file in C order with the native byte order. */
  private async readRuns(
    shape: readonly number[],
    { begin, end, data, dataBegin, dataShape }: RegionMemory,
    { signal }: ReadOptions,
  ): Promise<void> {
    const element = data.BYTES_PER_ELEMENT;
    const bytes = bytesOf(data);
    // the longest runs that lie together in the file and in memory: whole trailing axes, and a part of the one before
    let axis = shape.length - 1;
    const whole = (each: number) => begin[each] === 0 && end[each] === shape[each] && dataShape[each] === shape[each];
    while (axis > 0 && whole(axis)) axis--;
    const run = begin.map((first, each) => (each < axis ? 1 : end[each] - first));
    const length = run.reduce((product, extent) => product * extent, element);
    const place = (position: readonly number[], corner: readonly number[], extents: readonly number[]) =>
      position.reduce((sum, voxel, each) => sum * extents[each] + (voxel - corner[each]), 0) * element;
    const origin = begin.map(() => 0);
    await withFile(this.path, async (file) => {
      const boxes = shape.length === 0 ? [{ begin: [] }] : boxesOf({ begin, end }, run);
      let reads: Promise<void>[] = [];
      try {
        for (const box of boxes) {
          if (signal?.aborted) throw new BlockwrightError('ERR_CANCELLED', `${this.path}: the read was cancelled`);
          const into = bytes.subarray(place(box.begin, dataBegin, dataShape)).subarray(0, length);
          reads.push(fill(file, into, this.header.begin + place(box.begin, origin, shape), this.path));
          if (reads.length < READS) continue;
          await Promise.all(reads);
          reads = [];
        }
        await Promise.all(reads);
      } finally {
        // after a failure, too, before the file is closed and the memory is given back
        await Promise.allSettled(reads);
      }
    });
  }
}

function stridesOf(shape: readonly number[]): number[] {
  const strides = shape.map(() => 1);
  for (let axis = shape.length - 2; axis >= 0; axis--) strides[axis] = strides[axis + 1] * shape[axis + 1];
  return strides;
}

/** Sets the voxels of a region's memory from others, the first of which is the region's first. */
function copyBox(
  { begin, end, data, dataBegin, dataShape }: RegionMemory,
  from: TypedArray,
  strides: readonly number[],
) {
  const own = stridesOf(dataShape);
  const [to, source] = [data as Float64Array, from as Float64Array]; // of one type, whichever it is
  const visit = (axis: number, at: number, fromAt: number): void => {
    if (axis === begin.length) {
      to[at] = source[fromAt];
      return;
    }
    for (let i = begin[axis]; i < end[axis]; i++) {
      visit(axis + 1, at + i * own[axis], fromAt + (i - begin[axis]) * strides[axis]);
    }
  };
  visit(
    0,
    dataBegin.reduce((sum, first, axis) => sum - first * own[axis], 0),
    0,
  );
}

function swapBytes(data: TypedArray): void {
  const bytes = bytesOf(data);
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (data.BYTES_PER_ELEMENT === 2) buffer.swap16();
  if (data.BYTES_PER_ELEMENT === 4) buffer.swap32();
  if (data.BYTES_PER_ELEMENT === 8) buffer.swap64();
}

async function withFile<Result>(path: string, action: (file: FileHandle) => Promise<Result>): Promise<Result> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, 'r');
    return await action(file);
  } catch (error) {
    throw ioError('reading', path, error);
  } finally {
    await file?.close();
  }
}

/** One call to the system reads at most 2^31 - 1 bytes. */
async function fill(file: FileHandle, into: Uint8Array, position: number, path: string): Promise<void> {
  for (let at = 0; at < into.length; ) {
    const { bytesRead } = await file.read(into, at, Math.min(into.length - at, 2 ** 30), position + at);
    if (bytesRead === 0) {
      throw new BlockwrightError('ERR_CHUNK_CORRUPT', `${path}: ends before its last element`, { path });
    }
    at += bytesRead;
  }
}
