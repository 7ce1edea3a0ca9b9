import type { EdgeRun } from '../lib/native/merge-edges.js';
import type { NodeRun } from '../lib/native/merge-nodes.js';

/** Random words: every value of 64 bits is as likely. */
function words(count: number, seed: number): Uint32Array {
  const result = new Uint32Array(2 * count);
  let state = seed | 1;
  for (let index = 0; index < result.length; index++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    result[index] = state;
  }
  return result;
}

/** Labels of which hardly two are the same. */
export function distinctLabels(count: number, seed = 1): BigUint64Array {
  return new BigUint64Array(words(count, seed).buffer);
}

/** Labels below `limit`, voxel by voxel. */
export function noiseLabels(count: number, limit: number, seed = 2): BigUint64Array {
  const halves = words(count, seed);
  for (let index = 0; index < halves.length; index += 2) {
    halves[index] = (halves[index] >>> 8) % limit;
    halves[index + 1] = 0;
  }
  return new BigUint64Array(halves.buffer);
}

export function noiseBytes(count: number, seed = 3): Uint8Array {
  return new Uint8Array(words(Math.ceil(count / 8), seed).buffer).subarray(0, count);
}

export function noiseFloats(count: number, seed = 4): Float32Array {
  const halves = words(Math.ceil(count / 2), seed);
  const result = new Float32Array(count);
  for (let index = 0; index < count; index++) result[index] = (halves[index] >>> 8) / 2 ** 24;
  return result;
}

/** Nearly `count` voxels as a cube. */
export function cube(count: number): [number, number, number] {
  const side = Math.max(4, Math.floor(Math.cbrt(count)));
  return [side, side, side];
}

export const voxels = (shape: readonly number[]) => shape.reduce((product, extent) => product * extent, 1);
/** The same as four long rows. */
export const rows = (count: number): [number, number] => [4, Math.ceil(count / 4)];

export function scoredEdges(count: number) {
  const nodes = BigUint64Array.from({ length: Math.max(2, count >> 3) }, (_, index) => BigInt(index + 1));
  const ends = words(count, 5);
  const u = new BigUint64Array(count);
  const v = new BigUint64Array(count);
  for (let edge = 0; edge < count; edge++) {
    u[edge] = nodes[ends[2 * edge] % nodes.length];
    v[edge] = nodes[ends[2 * edge + 1] % nodes.length];
  }
  const sums = Float64Array.from(noiseFloats(count, 6));
  return { nodes, edges: { u, v, attributes: { affinity: { sums, counts: new Float64Array(count).fill(1) } } } };
}

/** Hubs that repel all others: where two of them attract each other a bit, all scores of one are looked through. */
export function hubEdges(count: number) {
  const hubs = 40;
  const leaves = Math.ceil(count / hubs);
  const pairs = (hubs * (hubs - 1)) / 2;
  const total = pairs + leaves * hubs + (leaves >> 1);
  const u = new BigUint64Array(total);
  const v = new BigUint64Array(total);
  const attraction = new Float64Array(total);
  const repulsion = new Float64Array(total);
  let edge = 0;
  const add = (a: number, b: number, attractive: number, repulsive: number) => {
    u[edge] = BigInt(a);
    v[edge] = BigInt(b);
    attraction[edge] = attractive;
    repulsion[edge++] = repulsive;
  };
  for (let hub = 1; hub <= hubs; hub++) {
    for (let other = hub + 1; other <= hubs; other++) add(hub, other, 1, -3);
  }
  for (let leaf = hubs + 1; leaf <= hubs + leaves; leaf++) {
    for (let hub = 1; hub <= hubs; hub++) add(hub, leaf, 0, -3);
    if ((leaf - hubs) % 2 === 0) add(leaf - 1, leaf, 2, 0); // one that nothing attracts would not be looked at
  }
  const counts = new Float64Array(total).fill(1);
  const attributes = { attraction: { sums: attraction, counts }, repulsion: { sums: repulsion, counts } };
  return { nodes: ascending(hubs + leaves), edges: { u, v, attributes } };
}

export function edgeRuns(count: number): EdgeRun[] {
  return [1, 2].map((seed) => {
    const sums = new Float64Array(count).fill(0.5);
    return {
      u: distinctLabels(count, seed),
      v: noiseLabels(count, 1000, seed),
      attributes: { affinity: { sums, counts: sums } },
    };
  });
}

export function nodeRuns(count: number): NodeRun[] {
  return [1, 2].map((seed) => {
    const ids = distinctLabels(count, seed);
    return { ids, sizes: ids, positions: new Float64Array(3 * count) };
  });
}

/** 1, 2, 3, ... */
export function ascending(count: number): BigUint64Array {
  const halves = new Uint32Array(2 * count);
  for (let index = 0; index < count; index++) halves[2 * index] = index + 1;
  return new BigUint64Array(halves.buffer);
}
