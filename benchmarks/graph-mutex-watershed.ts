import { join } from 'node:path';
import { graphMutexWatershed } from '../lib/native/graph-mutex-watershed.js';
import type { Benchmark, BenchmarkOptions, MakeOurSide } from './benchmark.js';
import { compare, isChosen } from './compare.js';
import { readNpy, writeNpy } from './npy.js';
import { sameNumbers, samePartition } from './partition.js';
import { Random } from './random.js';
import type { Row } from './row.js';

interface Settings {
  /** .npy files: ids of nodes, ends of edges, score of each edge. */
  readonly nodes: string;
  readonly u: string;
  readonly v: string;
  readonly scores: string;
}

export const ours: MakeOurSide = async (settings) => {
  const paths = settings as Settings;
  const nodes = readNpy<BigUint64Array>(paths.nodes).data;
  const u = readNpy<BigUint64Array>(paths.u).data;
  const v = readNpy<BigUint64Array>(paths.v).data;
  const sums = readNpy<Float64Array>(paths.scores).data;
  const edges = { u, v, attributes: { score: { sums, counts: new Float64Array(sums.length).fill(1) } } };
  const options = { weights: { score: [1, 0] }, pseudoCount: 0 } as const;
  return {
    run: async () => ({ result: await graphMutexWatershed(nodes, edges, options) }),
    write: (result, folder) => {
      writeNpy(join(folder, 'fragments.npy'), [nodes.length], nodes);
      writeNpy(join(folder, 'segments.npy'), [nodes.length], result as BigUint64Array);
    },
  };
};

interface Graph {
  readonly nodes: BigUint64Array;
  readonly u: BigUint64Array;
  readonly v: BigUint64Array;
  readonly scores: Float64Array;
}

/** Ids as a blockwise job makes them: 2^18 a block, some hundreds used. */
function blockIds(count: number): BigUint64Array {
  return BigUint64Array.from(
    { length: count },
    (_, i) => BigInt(Math.floor(i / 600)) * 262144n + BigInt((i % 600) + 1),
  );
}

/** Scores of 53 random bits: no two are equal in magnitude. */
const score = (random: Random) => 2 * random.uniform() - 1;

/** Pairs of nodes as keys u * nodes + v, u < v, each once, ascending: as graph stores give them. */
function graphOf(count: number, keys: Float64Array, scoreOf: (u: number, v: number) => number): Graph {
  const sorted = keys.sort();
  const unique = sorted.filter((key, i) => i === 0 || key !== sorted[i - 1]);
  const ids = blockIds(count);
  const u = new BigUint64Array(unique.length);
  const v = new BigUint64Array(unique.length);
  const scores = new Float64Array(unique.length);
  unique.forEach((key, i) => {
    const first = Math.floor(key / count);
    const second = key % count;
    u[i] = ids[first];
    v[i] = ids[second];
    scores[i] = scoreOf(first, second);
  });
  // A node without edges is not in the reference's result.
  const used = new Uint8Array(count);
  for (const key of unique) {
    used[Math.floor(key / count)] = 1;
    used[key % count] = 1;
  }
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
  const keys: number[] = [];
  const inside = (x: number) => x >= 0 && x < side;
  for (let node = 0; node < count; node++) {
    const place = [Math.floor(node / (side * side)), Math.floor(node / side) % side, node % side];
    for (const step of directions) {
      const [z, y, x] = place.map((at, axis) => at + step[axis]);
      if (inside(z) && inside(y) && inside(x) && random.uniform() < 0.5)
        keys.push(node * count + (z * side + y) * side + x);
    }
  }
  const cell = (node: number) =>
    [Math.floor(node / (side * side)), Math.floor(node / side) % side, node % side].map((at) => at >> 2).join();
  return graphOf(count, Float64Array.from(keys), (u, v) => (cell(u) === cell(v) ? 0.3 : -0.3) + 0.7 * score(random));
}

async function* rows(options: BenchmarkOptions): AsyncGenerator<Row> {
  for (const size of options.smoke ? ['3e3'] : options.sizes) {
    for (const [kind, make] of Object.entries({ random: randomGraph, local: localGraph })) {
      // The package's own function sorts and converts; `cluster` alone is its core, given a sorted list.
      const ways = { 'mwatershed.cluster': false, 'mwatershed.cluster_edges': true };
      const title = `${size} edges, ${kind}`;
      const chosen = Object.entries(ways).filter(([name]) => isChosen(options, title, name));
      if (chosen.length === 0) continue;
      const graph = make(Number(size));
      const path = (name: string) => join(options.folder, `graph-${kind}-${size}-${name}.npy`);
      for (const [name, column] of Object.entries(graph)) writeNpy(path(name), [column.length], column);
      const settings: Settings = { nodes: path('nodes'), u: path('u'), v: path('v'), scores: path('scores') };
      for (const [name, sort] of chosen) {
        yield await compare(
          {
            bench: 'graph-mutex-watershed',
            case: title,
            unit: 'M edges/s',
            scale: 1e-6,
            items: graph.u.length,
            settings,
            reference: {
              name,
              environment: 'volara',
              script: 'graph_mutex_watershed',
              settings: { ...settings, sort },
            },
            equal: sameSegments,
            extra: () => ({ nodes: graph.nodes.length }),
          },
          options,
        );
      }
    }
  }
}

function sameSegments(ours: string, reference: string): boolean {
  const read = (folder: string, name: string) => readNpy<BigUint64Array>(join(folder, `${name}.npy`)).data;
  return (
    sameNumbers(read(ours, 'fragments'), read(reference, 'fragments')) &&
    samePartition(read(ours, 'segments'), read(reference, 'segments'))
  );
}

export const benchmark: Benchmark = {
  name: 'graph-mutex-watershed',
  description: 'scored edges to segments',
  sizes: { '1e5': '100 000 edges', '1e6': '1 000 000 edges', '4e6': '4 000 000 edges' },
  defaultSizes: ['1e5', '1e6'],
  rows,
};
