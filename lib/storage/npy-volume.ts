import { type FileHandle, open } from 'node:fs/promises';
import { BlockwrightError } from '../errors.js';
import { Coordinate } from '../geometry/coordinate.js';
import { bytesOf, factsOf } from './data-type.js';
import { ioError } from './io-error.js';
import type { ArrayMetadata } from './metadata.js';
import { NPY_HEADER_BYTES, parseNpyHeader } from './npy-header.js';
import type { RegionMemory } from './region-memory.js';
import { RegionVolume } from './region-volume.js';
import type { ReadOptions } from './volume.js';
import { boxesOf } from './voxel-boxes.js';

/** Reads of one region that are under way at once. */
const READS = 16;

/** A .npy file in C order, read region by region: its corner is the origin, a voxel is a world unit. */
export class NpyVolume extends RegionVolume {
  protected readonly nature = 'is a .npy file';

  private constructor(
    path: string,
    metadata: ArrayMetadata,
    private readonly dataBegin: number,
  ) {
    super(path, metadata, 0);
  }

  /** @throws ERR_METADATA, ERR_UNSUPPORTED, ERR_IO; ERR_CHUNK_CORRUPT when the file is too short */
  static async open(path: string): Promise<NpyVolume> {
    return withFile(path, async (file) => {
      const start = Buffer.alloc(NPY_HEADER_BYTES);
      const { bytesRead } = await file.read(start, 0, start.length, 0);
      const { dataType, shape, begin } = parseNpyHeader(path, start.subarray(0, bytesRead));
      const expected = begin + shape.reduce((product, extent) => product * extent, factsOf(dataType).bytes);
      const { size } = await file.stat();
      if (size < expected) {
        throw new BlockwrightError('ERR_CHUNK_CORRUPT', `${path}: expected ${expected} bytes, found ${size}`, { path });
      }
      const metadata: ArrayMetadata = {
        shape,
        chunkShape: shape.map((extent, axis) => (axis === shape.length - 1 ? Math.max(1, extent) : 1)),
        dataType,
        channelAxes: 0,
        offset: Coordinate.filled(shape.length, 0),
        voxelSize: Coordinate.filled(shape.length, 1),
        units: shape.map(() => ''),
        axisNames: shape.map((_, axis) => `d${axis}`),
        attributes: {},
      };
      return new NpyVolume(path, metadata, begin);
    });
  }

  protected async read(
    { begin, end, data, dataBegin, dataShape }: RegionMemory,
    { signal }: ReadOptions,
  ): Promise<void> {
    const { shape } = this;
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
          reads.push(fill(file, into, this.dataBegin + place(box.begin, origin, shape), this.path));
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
