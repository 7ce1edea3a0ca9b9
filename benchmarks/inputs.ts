import { join } from 'node:path';
import { affinitiesFromLabels } from '#examples/fib25/affinities-recipe.js';
import { mutexWatershed } from '../lib/native/mutex-watershed.js';
import { ChunkedArray } from '../lib/storage/chunked-array.js';
import { inScatteredOrder } from './random.js';

/** The folder of the repository (this file runs from dist/benchmarks). */
export const repository = join(import.meta.dirname, '..', '..');

/** Direct neighbours, then 3 and 9 voxels away: the offsets of the FIB-25 example. */
export const OFFSETS: readonly (readonly number[])[] = [1, 3, 9].flatMap((distance) => [
  [distance, 0, 0],
  [0, distance, 0],
  [0, 0, distance],
]);

/** Channels behind each score: the example's. */
export const SCORES = { near: [0, 1, 2], mid: [3, 4, 5], far: [6, 7, 8] };

/** Seed of the example's affinities. */
const SEED = 20250801;

/** The corner of the FIB-25 labels, a cube of this many voxels an axis (up to 250). */
export async function cornerLabels(extent: number): Promise<Uint8Array> {
  const labels = await ChunkedArray.open(join(repository, 'examples', 'fib25', 'labels.zarr'));
  return (await labels.readRegion([0, 0, 0], [extent, extent, extent])) as Uint8Array;
}

const affinities = new Map<number, Promise<Uint8Array>>();

/** uint8 [9, extent, extent, extent]: affinities of the corner of the labels, by the example's recipe; made once. */
export function cornerAffinities(extent: number): Promise<Uint8Array> {
  const known = affinities.get(extent);
  if (known !== undefined) return known;
  const made = makeAffinities(extent);
  affinities.set(extent, made);
  return made;
}

async function makeAffinities(extent: number): Promise<Uint8Array> {
  const shape = [extent, extent, extent];
  const begin = [0, 0, 0];
  const labels = { labels: await cornerLabels(extent), shape, begin };
  return affinitiesFromLabels(labels, begin, shape, { offsets: OFFSETS, seed: SEED, volumeShape: shape });
}

/** uint64 [extent, extent, extent]: fragments of the corner, by the mutex watershed. */
export async function cornerFragments(extent: number): Promise<BigUint64Array> {
  const affinities = withoutTies(await cornerAffinities(extent));
  return mutexWatershed(affinities, [OFFSETS.length, extent, extent, extent], { offsets: OFFSETS });
}

/** A cube of labels, block beside block until a larger cube is full; the ids of block b grow by b * idsOfBlock. */
export function tiled(block: BigUint64Array, size: number, extent: number, idsOfBlock: bigint): BigUint64Array {
  const labels = new BigUint64Array(extent ** 3);
  const blocks = Math.ceil(extent / size);
  for (let z = 0; z < extent; z++) {
    for (let y = 0; y < extent; y++) {
      for (let at = 0; at < blocks; at++) {
        const index = (Math.floor(z / size) * blocks + Math.floor(y / size)) * blocks + at;
        const first = BigInt(index) * idsOfBlock;
        const from = ((z % size) * size + (y % size)) * size;
        const to = (z * extent + y) * extent + at * size;
        const width = Math.min(size, extent - at * size);
        for (let x = 0; x < width; x++) {
          const id = block[from + x];
          labels[to + x] = id === 0n ? 0n : id + first;
        }
      }
    }
  }
  return labels;
}

/**
 * Values in -1..1 no two of which are equal in magnitude, in the order of |a - 127.5|, positive where a > 127.5: as the
 * order of ties is open in the reference, only such values have one right result. Equal bytes come in a scattered order.
 */
export function withoutTies(bytes: Uint8Array): Float32Array {
  const magnitude = (byte: number) => (byte > 127 ? byte - 128 : 127 - byte);
  const next = new Uint32Array(129);
  for (const byte of bytes) next[magnitude(byte) + 1]++;
  for (let i = 1; i < next.length; i++) next[i] += next[i - 1];
  // Positive floats are ordered like their bits, so the numbers right below 1 give each rank a value of its own.
  const values = new Float32Array(bytes.length);
  const bits = new Uint32Array(values.buffer);
  const first = 0x3f800000 - bytes.length;
  inScatteredOrder(bytes.length, (index) => {
    const sign = bytes[index] > 127 ? 0 : 0x80000000;
    bits[index] = (first + next[magnitude(bytes[index])]++) | sign;
  });
  return values;
}
