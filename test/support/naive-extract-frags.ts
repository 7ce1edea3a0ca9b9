/** The slow twin of the task extract-frags: one block after the other, step by step, with plain loops. */

import { distanceTransform } from '../../lib/native/distance-transform.js';
import { findSeeds } from '../../lib/native/find-seeds.js';
import { gaussianSmoothing } from '../../lib/native/gaussian-smoothing.js';
import type { ExtractFragsOptions } from '../../lib/tasks/extract-frags.js';
import { naiveMutexWatershed } from './naive-mutex-watershed.js';

export interface NaiveVolume {
  /** [offsets, ...shape] */
  readonly affinities: Uint8Array | Float32Array;
  readonly shape: readonly number[];
  readonly offsets: readonly (readonly number[])[];
  /** One a voxel, 0 = outside. */
  readonly mask?: ArrayLike<number>;
}

type Options = Partial<ExtractFragsOptions> & Pick<ExtractFragsOptions, 'blockSize' | 'bias'>;

export interface NaiveFragments {
  /** Of the part. */
  readonly labels: BigUint64Array;
  /** By id: voxels, and the centre of mass in voxels of the volume. */
  readonly nodes: ReadonlyMap<bigint, { readonly size: number; readonly centre: number[] }>;
}

/** Positions of a box in raster order. */
function* positions(begin: readonly number[], end: readonly number[]): Generator<number[]> {
  const position = [...begin];
  if (begin.some((low, axis) => low >= end[axis])) return;
  for (;;) {
    yield [...position];
    let axis = begin.length - 1;
    while (axis >= 0 && ++position[axis] === end[axis]) {
      position[axis] = begin[axis];
      axis--;
    }
    if (axis < 0) return;
  }
}

const indexIn = (position: readonly number[], begin: readonly number[], shape: readonly number[]) =>
  position.reduce((index, value, axis) => index * shape[axis] + value - begin[axis], 0);

const insideOf = (position: readonly number[], begin: readonly number[], end: readonly number[]) =>
  position.every((value, axis) => value >= begin[axis] && value < end[axis]);

/** Fragments of the part [begin, end) of a volume, whose first block begins at `begin`. */
export async function naiveExtractFrags(
  volume: NaiveVolume,
  options: Options,
  begin: readonly number[] = volume.shape.map(() => 0),
  end: readonly number[] = volume.shape,
): Promise<NaiveFragments> {
  const { blockSize } = options;
  const context = options.context ?? blockSize.map(() => 0);
  const shape = end.map((high, axis) => high - begin[axis]);
  const labels = new BigUint64Array(shape.reduce((product, extent) => product * extent, 1));
  const nodes = new Map<bigint, { size: number; centre: number[] }>();
  const voxelsPerBlock = BigInt(blockSize.reduce((product, extent) => product * extent, 1));
  const grid = shape.map((extent, axis) => Math.ceil(extent / blockSize[axis]));
  let block = 0n;
  for (const place of positions(
    grid.map(() => 0),
    grid,
  )) {
    const writeBegin = place.map((at, axis) => begin[axis] + at * blockSize[axis]);
    const writeEnd = writeBegin.map((low, axis) => Math.min(end[axis], low + blockSize[axis]));
    const readBegin = writeBegin.map((low, axis) => low - context[axis]);
    const readEnd = writeEnd.map((high, axis) => Math.min(end[axis] + context[axis], high + context[axis]));
    const ids = await blockFragments(volume, options, { readBegin, readEnd, writeBegin, writeEnd });
    for (const [key, position] of [...positions(writeBegin, writeEnd)].entries()) {
      if (ids[key] === 0) continue;
      const id = block * voxelsPerBlock + BigInt(ids[key]);
      labels[indexIn(position, begin, shape)] = id;
      const node = nodes.get(id) ?? { size: 0, centre: position.map(() => 0) };
      nodes.set(id, node);
      node.size++;
      for (const [axis, value] of position.entries()) node.centre[axis] += value;
    }
    block++;
  }
  for (const { size, centre } of nodes.values()) for (const axis of centre.keys()) centre[axis] /= size;
  return { labels, nodes };
}

interface Box {
  readonly readBegin: readonly number[];
  readonly readEnd: readonly number[];
  readonly writeBegin: readonly number[];
  readonly writeEnd: readonly number[];
}

/** Ids from 1 of the voxels that a block writes. */
async function blockFragments(volume: NaiveVolume, options: Options, box: Box): Promise<number[]> {
  const { readBegin, readEnd, writeBegin, writeEnd } = box;
  const readShape = readEnd.map((high, axis) => high - readBegin[axis]);
  const writeShape = writeEnd.map((high, axis) => high - writeBegin[axis]);
  const voxels = readShape.reduce((product, extent) => product * extent, 1);
  const channels = volume.offsets.length;
  const all = volume.shape.reduce((product, extent) => product * extent, 1);
  const bytes = volume.affinities.BYTES_PER_ELEMENT === 1;
  const affinities = bytes ? new Uint8Array(channels * voxels) : new Float32Array(channels * voxels);
  const origin = volume.shape.map(() => 0);
  const places = [...positions(readBegin, readEnd)];
  for (const [voxel, position] of places.entries()) {
    if (!insideOf(position, origin, volume.shape)) continue;
    const at = indexIn(position, origin, volume.shape);
    for (let channel = 0; channel < channels; channel++) {
      affinities[channel * voxels + voxel] = volume.affinities[channel * all + at];
    }
  }
  if (affinities.every((value) => value < 1e-3))
    return new Array<number>(writeShape.reduce((a, b) => a * b, 1)).fill(0);
  for (const [voxel, position] of places.entries()) {
    const outside = !insideOf(position, origin, volume.shape);
    if (volume.mask === undefined || (!outside && volume.mask[indexIn(position, origin, volume.shape)] > 0)) continue;
    for (let channel = 0; channel < channels; channel++) affinities[channel * voxels + voxel] = 0;
  }
  const one = bytes ? 255 : 1;
  const unit = Float32Array.from(affinities, (value) => value / one);
  // divided last: a mean of exactly 0.5 must not come out above it
  const meanOf = (voxel: number, chosen: readonly number[]) =>
    chosen.reduce((sum, channel) => sum + affinities[channel * voxels + voxel], 0) / (one * chosen.length);
  const direct = readShape.map((_, axis) => axis);

  let smoothed: Float32Array | undefined;
  if (options.sigma !== undefined) {
    smoothed = await gaussianSmoothing(unit.slice(), [channels, ...readShape], { sigma: [0, ...options.sigma] });
  }
  let seeds: BigUint64Array | undefined;
  if (options.minSeedDistance !== undefined) {
    const chosen =
      options.boundaryMaskOffsets === 'all'
        ? [...volume.offsets.keys()]
        : typeof options.boundaryMaskOffsets === 'object'
          ? options.boundaryMaskOffsets
          : direct;
    const inside = Uint8Array.from(places, (_, voxel) => (meanOf(voxel, chosen) > 0.5 ? 1 : 0));
    ({ seeds } = await findSeeds(inside, readShape, { minSeedDistance: options.minSeedDistance }));
    if (options.seedEps !== undefined && seeds.some((seed) => seed > 0n)) {
      const distance = await distanceTransform(
        Uint8Array.from(seeds, (seed) => (seed === 0n ? 1 : 0)),
        readShape,
      );
      smoothed ??= unit.slice();
      for (let at = 0; at < smoothed.length; at++) smoothed[at] -= options.seedEps * distance[at % voxels];
    }
  }
  const { strides, noiseEps, seed, randomizedStrides } = options;
  const fragments = naiveMutexWatershed(affinities, readShape, {
    offsets: volume.offsets,
    bias: options.bias,
    ...(strides === undefined ? {} : { strides }),
    ...(randomizedStrides === undefined ? {} : { randomizedStrides }),
    ...(noiseEps === undefined ? {} : { noiseEps }),
    ...(seed === undefined ? {} : { seed }),
    origin: readBegin,
    ...(smoothed === undefined ? {} : { smoothed }),
    ...(seeds === undefined ? {} : { seeds }),
  });

  const of = new Map<bigint, { size: number; sum: number }>();
  for (const [voxel, label] of fragments.entries()) {
    const known = of.get(label) ?? { size: 0, sum: 0 };
    of.set(label, known);
    known.size++;
    known.sum += meanOf(voxel, direct);
  }
  // The two filters one after the other, each over the fragments that the one before left.
  const kept = fragments.map((label) => {
    const { size, sum } = of.get(label)!;
    if (sum / size < (options.filterFragments ?? 0)) return 0n;
    return size < (options.removeDebris ?? 0) ? 0n : label;
  });
  return components(kept, box, readShape, writeShape);
}

/** Pieces of equal labels within the written part, joined over faces, edges and corners. */
function components(
  labels: BigUint64Array,
  { readBegin, writeBegin, writeEnd }: Box,
  readShape: readonly number[],
  writeShape: readonly number[],
): number[] {
  const places = [...positions(writeBegin, writeEnd)];
  const labelAt = (position: readonly number[]) => labels[indexIn(position, readBegin, readShape)];
  const ids = new Array<number>(places.length).fill(0);
  let count = 0;
  for (const [start, first] of places.entries()) {
    if (ids[start] !== 0 || labelAt(first) === 0n) continue;
    ids[start] = ++count;
    const open = [first];
    for (let position = open.pop(); position !== undefined; position = open.pop()) {
      const low = position.map((value, axis) => Math.max(writeBegin[axis], value - 1));
      const high = position.map((value, axis) => Math.min(writeEnd[axis], value + 2));
      for (const neighbour of positions(low, high)) {
        const at = indexIn(neighbour, writeBegin, writeShape);
        if (ids[at] !== 0 || labelAt(neighbour) !== labelAt(first)) continue;
        ids[at] = count;
        open.push(neighbour);
      }
    }
  }
  return ids;
}
