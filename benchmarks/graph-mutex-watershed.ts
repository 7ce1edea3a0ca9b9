import { join } from 'node:path';
import { graphMutexWatershed } from '../lib/native/graph-mutex-watershed.js';
import type { Benchmark, BenchmarkOptions, MakeOurSide } from './benchmark.js';
import { compare, isChosen } from './compare.js';
import { graphKinds } from './graphs.js';
import { readNpy, writeNpy } from './npy.js';
import { sameNumbers, samePartition } from './partition.js';
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

/** The core of the package alone, given a sorted list; with the sort; the package's own function. See the script. */
const WAYS = {
  'mwatershed.cluster': 'sorted',
  'mwatershed.cluster + sort': 'sorting',
  'mwatershed.cluster_edges': 'package',
};

async function* rows(options: BenchmarkOptions): AsyncGenerator<Row> {
  for (const size of options.smoke ? ['3e3'] : options.sizes) {
    for (const [kind, make] of Object.entries(graphKinds)) {
      const title = `${size} edges, ${kind}`;
      const chosen = Object.entries(WAYS).filter(([name]) => isChosen(options, title, name));
      if (chosen.length === 0) continue;
      const graph = make(Number(size));
      const path = (name: string) => join(options.folder, `graph-${kind}-${size}-${name}.npy`);
      for (const [name, column] of Object.entries(graph)) writeNpy(path(name), [column.length], column);
      const settings: Settings = { nodes: path('nodes'), u: path('u'), v: path('v'), scores: path('scores') };
      for (const [name, way] of chosen) {
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
              settings: { ...settings, way },
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
  sizes: { '1e5': '100 000 edges', '1e6': '1 000 000 edges', '4e6': '4 000 000 edges', '1e7': '10 000 000 edges' },
  defaultSizes: ['1e5', '1e6'],
  rows,
};
