import { Random } from './random.js';

/** Fragments and the edges between them, as graph stores give them: nodes ascend, edges ascend by (u, v), u < v. */
export interface Graph {
  readonly nodes: BigUint64Array;
  readonly u: BigUint64Array;
  readonly v: BigUint64Array;
  /** One an edge; attractive where > 0. */
  readonly scores: Float64Array;
}

/** Nodes that get their ids from one block. */
export const NODES_OF_BLOCK = 600;
/** Ids of one block. */
export const IDS_OF_BLOCK = 2 ** 18;

/** Ids as a blockwise job makes them: 2^18 a block, some hundreds used. */
function blockIds(count: number): BigUint64Array {
  return BigUint64Array.from({ length: count }, (_, i) =>
    BigInt(Math.floor(i / NODES_OF_BLOCK) * IDS_OF_BLOCK + (i % NODES_OF_BLOCK) + 1),
  );
}

/** Scores of 53 random bits: no two are equal in magnitude. */
const score = (random: Random) => 2 * random.uniform() - 1;

/** Pairs of nodes as keys u * nodes + v, u < v, each once, ascending. */
function graphOf(count: number, keys: Float64Array, scoreOf: (u: number, v: number) => number): Graph {
  const sorted = keys.sort();
  const unique = sorted.filter((key, i) => i === 0 || key !== sorted[i - 1]);
  const ids = blockIds(count);
  const u = new BigUint64Array(unique.length);
  const v = new BigUint64Array(unique.length);
  const scores = new Float64Array(unique.length);
  // A node without edges is not in the reference's result.
  const used = new Uint8Array(count);
  unique.forEach((key, i) => {
    const first = Math.floor(key / count);
    const second = key % count;
    used[first] = used[second] = 1;
    u[i] = ids[first];
    v[i] = ids[second];
    scores[i] = scoreOf(first, second);
  });
  return { nodes: ids.filter((_, i) => used[i] === 1), u, v, scores };
}

/** Any two nodes may meet; five edges a node. */
function randomGraph(edges: number): Graph {
  const random = new Random(edges);
  const count = Math.ceil(edges / 5);
  const keys = Float64Array.from({ length: edges }, () => {
    const a = random.below(count);
    const b = (a + 1 + random.below(count - 1)) % count;
    return Math.min(a, b) * count + Math.max(a, b);
  });
  return graphOf(count, keys, () => score(random));
}

/**
 * Nodes on a cubic lattice that meet their neighbours in all 13 directions, half of them at random, as fragments do. Nodes of
 * one cell of 4^3 mostly attract each other, others mostly repel.
 */
function localGraph(edges: number): Graph {
  const random = new Random(edges + 1);
  const side = Math.ceil(Math.cbrt(edges / 6.5));
  const count = side ** 3;
  const directions: number[][] = [];
  for (let d = 14; d < 27; d++) directions.push([Math.floor(d / 9) - 1, (Math.floor(d / 3) % 3) - 1, (d % 3) - 1]);
  const keys = new Float64Array(count * directions.length);
  let found = 0;
  const place = (node: number) => [Math.floor(node / (side * side)), Math.floor(node / side) % side, node % side];
  const inside = (x: number) => x >= 0 && x < side;
  for (let node = 0; node < count; node++) {
    const [z, y, x] = place(node);
    for (const [dz, dy, dx] of directions) {
      if (inside(z + dz) && inside(y + dy) && inside(x + dx) && random.uniform() < 0.5)
        keys[found++] = node * count + ((z + dz) * side + y + dy) * side + x + dx;
    }
  }
  const cell = (node: number) => place(node).reduce((number, at) => number * side + (at >> 2), 0);
  return graphOf(count, keys.subarray(0, found), (u, v) => (cell(u) === cell(v) ? 0.3 : -0.3) + 0.7 * score(random));
}

export const graphKinds: Readonly<Record<string, (edges: number) => Graph>> = {
  random: randomGraph,
  local: localGraph,
};
