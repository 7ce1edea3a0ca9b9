import { constants } from 'node:buffer';
import { availableParallelism } from 'node:os';
import { BlockwrightError } from '../errors.js';
import { Coordinate } from '../geometry/coordinate.js';
import { Roi } from '../geometry/roi.js';
import { argumentError } from '../native/checks.js';
import { className, factsOf, type TypedArray } from './data-type.js';
import type { FillValue } from './fill-value.js';
import type { ArrayMetadata } from './metadata.js';
import type { RegionOptions } from './volume.js';

/** More than any machine has; a region beyond it comes from nonsense in metadata. */
const MAX_REGION_BYTES = 2 ** 40;

/** A box of voxels of an array and the memory for it, which may be a larger box around it (C order). */
export interface RegionMemory {
  readonly begin: readonly number[];
  readonly end: readonly number[];
  readonly data: TypedArray;
  readonly dataBegin: readonly number[];
  readonly dataShape: readonly number[];
}

/** A box of the world in voxels of all axes, and its part inside the array. */
export interface WorldBox extends Omit<RegionMemory, 'data'> {
  readonly dataShape: number[];
  /** Whether all of it lies inside. */
  readonly inside: boolean;
  /** Whether nothing of it does. */
  readonly empty: boolean;
}

export function threadsOf(options: RegionOptions): number {
  const threads = options.threads ?? Math.min(4, availableParallelism());
  if (!Number.isInteger(threads) || threads < 1) throw argumentError('threads', 'a positive whole number', threads);
  return threads;
}

export function checkRegion({ shape }: ArrayMetadata, begin: readonly number[], end: readonly number[]): void {
  const inside = (first: number, axis: number) =>
    Number.isSafeInteger(first) &&
    Number.isSafeInteger(end[axis]) &&
    0 <= first &&
    first <= end[axis] &&
    end[axis] <= shape[axis];
  if (begin.length !== shape.length || end.length !== shape.length || !begin.every(inside)) {
    throw argumentError('begin, end', `voxels inside the array's shape [${shape}]`, `[${begin}] to [${end}]`);
  }
}

export function checkData({ dataType }: ArrayMetadata, data: TypedArray, shape: readonly number[]): void {
  const expected = factsOf(dataType).array.name;
  if (className(data) !== expected) throw argumentError('data', `a ${expected} (${dataType})`, className(data));
  const count = countOf(shape);
  if (data.length !== count) throw argumentError('data', `${count} elements (shape [${shape}])`, data.length);
}

/**
 * `into`, or new memory for voxels of an array. `overwritten`: it may hold anything, as the caller sets every voxel; zeros
 * would be written by this thread, which takes a tenth of the time of a small region.
 */
export function regionMemory(
  path: string,
  metadata: ArrayMetadata,
  shape: readonly number[],
  into?: TypedArray,
  overwritten = false,
): TypedArray {
  if (into !== undefined) {
    checkData(metadata, into, shape);
    return into;
  }
  const { bytes, array: TypedArrayOfType } = factsOf(metadata.dataType);
  const count = countOf(shape);
  if (count * bytes > MAX_REGION_BYTES) {
    throw new BlockwrightError('ERR_LIMIT', `${path}: a region of [${shape}] voxels is more than 2^40 bytes`, {
      path,
      shape,
    });
  }
  try {
    if (!overwritten || count * bytes > constants.MAX_LENGTH) return new TypedArrayOfType(count);
    return new TypedArrayOfType(Buffer.allocUnsafeSlow(count * bytes).buffer);
  } catch (error) {
    const message = `${path}: no memory for a region of [${shape}] voxels, ${count * bytes} bytes`;
    throw new BlockwrightError('ERR_OUT_OF_MEMORY', message, { path, shape }, { cause: error });
  }
}

/** @throws ERR_GEOMETRY unless the box lies on the array's voxel grid */
export function worldBox({ shape, channelAxes, offset, voxelSize }: ArrayMetadata, roi: Roi): WorldBox {
  const voxels = roi.translate(offset.negate()).inVoxels(voxelSize);
  const channels = shape.slice(0, channelAxes);
  const part = voxels.intersect(new Roi(Coordinate.filled(voxels.dimensions, 0), shape.slice(channelAxes)));
  const noChannels = channels.map(() => 0);
  return {
    begin: [...noChannels, ...part.begin],
    end: [...channels, ...part.end],
    dataBegin: [...noChannels, ...voxels.begin],
    dataShape: [...channels, ...voxels.shape],
    inside: part.equals(voxels),
    empty: part.empty,
  };
}

export function fillArray(array: TypedArray, value: FillValue): void {
  if (array.BYTES_PER_ELEMENT === 8 && className(array).startsWith('Big'))
    (array as BigUint64Array).fill(BigInt(value));
  else (array as Uint8Array).fill(Number(value));
}

/** Number of voxels of a shape. */
export function countOf(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}
