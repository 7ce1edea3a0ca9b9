/** The slow twins of the mutex watershed kernels: sets of members and of exclusions, one edge after the other. */

import type { MutexWatershedOptions } from '../../lib/native/mutex-watershed.js';
import { normalDeviate, philox, type RandomKey, randomKey } from './naive-random.js';

export type OrderedEdge = readonly [attractive: boolean, u: number, v: number];

/** Clusters of 0 .. count-1 as sets of members, changed edge by edge. */
export class NaiveClusters {
  readonly owner: number[];
  private readonly members: Map<number, Set<number>>;
  private readonly exclusive: Map<number, Set<number>>;

  constructor(count: number) {
    this.owner = Array.from({ length: count }, (_, index) => index);
    this.members = new Map(this.owner.map((index) => [index, new Set([index])]));
    this.exclusive = new Map(this.owner.map((index) => [index, new Set<number>()]));
  }

  apply([attractive, u, v]: OrderedEdge): void {
    const a = this.owner[u];
    const b = this.owner[v];
    if (a === b || this.exclusive.get(a)!.has(b)) return;
    if (attractive) {
      this.join(a, b);
    } else {
      this.exclusive.get(a)!.add(b);
      this.exclusive.get(b)!.add(a);
    }
  }

  private join(a: number, b: number): void {
    for (const member of this.members.get(b)!) {
      this.owner[member] = a;
      this.members.get(a)!.add(member);
    }
    this.members.delete(b);
    for (const other of this.exclusive.get(b)!) {
      this.exclusive.get(other)!.delete(b);
      this.exclusive.get(other)!.add(a);
      this.exclusive.get(a)!.add(other);
    }
    this.exclusive.delete(b);
  }
}

interface GridEdge {
  readonly value: number;
  readonly channel: number;
  readonly u: number;
  readonly v: number;
}

/** All edges of a grid with their values, by channel and raster index. */
export function gridEdges(
  affinities: Uint8Array | Float32Array,
  spatial: readonly number[],
  options: MutexWatershedOptions,
): GridEdge[] {
  const voxels = spatial.reduce((result, extent) => result * extent, 1);
  const { offsets, strides, randomizedStrides = false, noiseEps = 0, mask, smoothed, bias = 0 } = options;
  const origin = options.origin ?? spatial.map(() => 0);
  const seed = options.seed ?? 0;
  const noiseKey = randomKey(seed, options.stream ?? 0, 1);
  const keepKey = randomKey(seed, options.stream ?? 0, 2);
  const edges: GridEdge[] = [];
  for (const [channel, offset] of offsets.entries()) {
    for (let voxel = 0; voxel < voxels; ++voxel) {
      const position = unravel(voxel, spatial);
      const end = position.map((value, axis) => value + offset[axis]);
      if (end.some((value, axis) => value < 0 || value >= spatial[axis])) continue;
      const words = (key: RandomKey, group: number) =>
        voxelWords(
          key,
          position.map((p, axis) => p + origin[axis]),
          group,
        );
      if (strides !== undefined) {
        const stride = strides[channel];
        if (randomizedStrides) {
          const oneOf = BigInt(stride.reduce((result, value) => result * value, 1));
          const word = words(keepKey, Math.floor(channel / 4))[channel % 4];
          if (BigInt(word) * oneOf >= 1n << 32n) continue;
        } else if (position.some((value, axis) => (value - Math.max(0, -offset[axis])) % stride[axis] !== 0)) {
          continue;
        }
      }
      const index = channel * voxels + voxel;
      let a =
        affinities instanceof Uint8Array || affinities.BYTES_PER_ELEMENT === 1
          ? affinities[index] / 255
          : affinities[index];
      if (mask !== undefined && mask[voxel] === 0) a = 0;
      let value = a;
      if (noiseEps !== 0) {
        const random = words(noiseKey, Math.floor(channel / 2));
        const half = 2 * (channel % 2);
        value += normalDeviate(random[half], random[half + 1]) * (noiseEps * NORMAL_SCALE);
      }
      if (smoothed !== undefined) value += smoothed[index] - a;
      value += typeof bias === 'number' ? bias : bias[channel];
      edges.push({ value: Math.fround(value), channel, u: voxel, v: ravel(end, spatial) });
    }
  }
  return edges;
}

/** 1 / (2^25 * sqrt(10 + 1/12)) to the nearest float64. */
export const NORMAL_SCALE = 9.38529755618831e-9;

function voxelWords(key: RandomKey, position: readonly number[], group: number): number[] {
  let own = key;
  const leading = position.length - 3;
  for (let axis = 0; axis < leading; ++axis) own = randomKey(own, position[axis], 16 + axis);
  const last = position.slice(-3).reverse();
  return philox([last[0] | 0, (last[1] ?? 0) | 0, (last[2] ?? 0) | 0, group], own);
}

/** The labels that mutexWatershed promises, computed edge by edge. */
export function naiveMutexWatershed(
  affinities: Uint8Array | Float32Array,
  spatial: readonly number[],
  options: MutexWatershedOptions,
): BigUint64Array {
  const voxels = spatial.reduce((result, extent) => result * extent, 1);
  const clusters = new NaiveClusters(voxels);
  const touched = new Array<boolean>(voxels).fill(false);
  const firstOf = new Map<bigint, number>();
  options.seeds?.forEach((seed, voxel) => {
    if (seed === 0n) return;
    touched[voxel] = true;
    const first = firstOf.get(seed);
    if (first === undefined) firstOf.set(seed, voxel);
    else clusters.apply([true, first, voxel]);
  });
  for (const [attractive, a, b] of options.edges ?? []) clusters.apply([attractive, firstOf.get(a)!, firstOf.get(b)!]);
  const seeded = [...firstOf.values()];
  for (const u of seeded) for (const v of seeded) clusters.apply([false, u, v]);
  const edges = gridEdges(affinities, spatial, options);
  edges.sort((a, b) => Math.abs(b.value) - Math.abs(a.value) || a.channel - b.channel || a.u - b.u);
  for (const { value, u, v } of edges) {
    if (value > 0) touched[u] = touched[v] = true;
    clusters.apply([value > 0, u, v]);
  }
  const labelOf = new Map<number, bigint>();
  let last = 0n;
  for (const [seed, voxel] of [...firstOf].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (!labelOf.has(clusters.owner[voxel])) labelOf.set(clusters.owner[voxel], seed);
    last = seed;
  }
  return BigUint64Array.from(clusters.owner, (owner, voxel) => {
    if (!touched[voxel]) return 0n;
    if (!labelOf.has(owner)) labelOf.set(owner, ++last);
    return labelOf.get(owner)!;
  });
}

function unravel(index: number, shape: readonly number[]): number[] {
  const position: number[] = [];
  for (let axis = shape.length - 1; axis >= 0; --axis) {
    position[axis] = index % shape[axis];
    index = Math.floor(index / shape[axis]);
  }
  return position;
}

function ravel(position: readonly number[], shape: readonly number[]): number {
  return position.reduce((index, value, axis) => index * shape[axis] + value, 0);
}

export interface GraphItem {
  readonly score: number;
  readonly attribute: number;
  readonly u: bigint;
  readonly v: bigint;
}

/** The smallest node id of each node's segment. `joined`: pairs of ids that are joined first. */
export function naiveGraphMutexWatershed(
  nodes: readonly bigint[],
  items: readonly GraphItem[],
  joined: readonly (readonly [bigint, bigint])[] = [],
): bigint[] {
  const ids = [...new Set([...nodes, ...joined.flat()])];
  const number = new Map(ids.map((id, index) => [id, index]));
  const clusters = new NaiveClusters(ids.length);
  for (const [a, b] of joined) clusters.apply([true, number.get(a)!, number.get(b)!]);
  const low = ({ u, v }: GraphItem) => (u < v ? u : v);
  const high = ({ u, v }: GraphItem) => (u < v ? v : u);
  const compare = (a: bigint, b: bigint) => (a < b ? -1 : a > b ? 1 : 0);
  const order = [...items].sort(
    (a, b) =>
      Math.abs(b.score) - Math.abs(a.score) ||
      a.attribute - b.attribute ||
      compare(low(a), low(b)) ||
      compare(high(a), high(b)),
  );
  for (const { score, u, v } of order) clusters.apply([score > 0, number.get(u)!, number.get(v)!]);
  const smallest = new Map<number, bigint>();
  for (const id of [...nodes].sort(compare)) {
    const owner = clusters.owner[number.get(id)!];
    if (!smallest.has(owner)) smallest.set(owner, id);
  }
  return nodes.map((id) => smallest.get(clusters.owner[number.get(id)!])!);
}
