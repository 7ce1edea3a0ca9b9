import { affinitiesFromLabels } from '#examples/fib25/affinities-recipe.js';
import { cornerAffinities, cornerLabels, OFFSETS, withoutTies } from './inputs.js';
import { Random } from './random.js';

/** Affinities of a grid, and what its channels are. */
export interface Grid {
  readonly offsets: readonly (readonly number[])[];
  /** [channels, ...spatial]. */
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/** Of a plane: direct neighbours, then 3, 9 and 27 pixels away. */
const PLANE_OFFSETS = [1, 3, 9, 27].flatMap((distance) => [
  [distance, 0],
  [0, distance],
]);

/** The corner of the FIB-25 affinities, a cube. */
export async function cube(extent: number): Promise<Grid> {
  return {
    offsets: OFFSETS,
    shape: [OFFSETS.length, extent, extent, extent],
    bytes: await cornerAffinities(extent),
  };
}

/** Slices of the FIB-25 labels side by side as one square image, each with labels of its own, and its 2-D affinities. */
export async function plane(extent: number): Promise<Grid> {
  const side = Math.min(250, extent);
  const slices = await cornerLabels(side);
  const labels = new Uint32Array(extent ** 2);
  for (let y = 0; y < extent; y++) {
    for (let x = 0; x < extent; x++) {
      const tile = Math.floor(y / side) * Math.ceil(extent / side) + Math.floor(x / side);
      const label = slices[((tile % side) * side + (y % side)) * side + (x % side)];
      labels[y * extent + x] = label === 0 ? 0 : label + 256 * tile;
    }
  }
  const shape = [extent, extent];
  const begin = [0, 0];
  const recipe = { offsets: PLANE_OFFSETS, seed: 20250801, volumeShape: shape };
  const bytes = affinitiesFromLabels({ labels, shape, begin }, begin, shape, recipe);
  return { offsets: PLANE_OFFSETS, shape: [PLANE_OFFSETS.length, ...shape], bytes };
}

/** Values without ties that say nothing: the worst case for any order and any cache. */
export function noise(count: number): Float32Array {
  const random = new Random(count);
  return withoutTies(Uint8Array.from({ length: count }, () => random.bits() >>> 24));
}

/**
 * The same affinities for a program in which channels are attractive or repulsive as a whole: the direct neighbours attract by
 * a, all others repel by 1 - a. Without ties.
 */
export function byChannel({ bytes, offsets, shape }: Grid): Float32Array {
  const near = (bytes.length / offsets.length) * (shape.length - 1);
  // withoutTies orders by the distance from the middle; its upper half attracts
  return withoutTies(bytes.map((byte, index) => (index < near ? 128 + (byte >> 1) : byte >> 1)));
}

/** Lines along one axis cross lines along the other: the offsets of `crossingLines`. */
export const LINE_OFFSETS = [
  [0, 1],
  [1, 0],
  [0, 2],
  [2, 0],
];

/**
 * An image that is made to be slow: pixels with y + x even belong to a line along x, others to one along y. Every line crosses
 * all of the other kind; two that cross have two edges, a repulsive one and a weaker attractive one. To look for these
 * repulsive edges along the lines takes extent^3 steps.
 */
export function crossingLines(extent: number): Float32Array {
  const count = extent ** 2;
  const bytes = new Uint8Array(4 * count);
  const [line, weak, repulsive, weaklyRepulsive] = [255, 135, 40, 100];
  for (let y = 0; y < extent; y++) {
    for (let x = 0; x < extent; x++) {
      const at = y * extent + x;
      const even = (y + x) % 2 === 0;
      // the two edges between lines that cross are of one channel, at pixels beside each other
      bytes[at] = even ? weak : repulsive;
      bytes[count + at] = even ? repulsive : weak;
      bytes[2 * count + at] = even ? line : weaklyRepulsive;
      bytes[3 * count + at] = even ? weaklyRepulsive : line;
    }
  }
  return withoutTies(bytes);
}
