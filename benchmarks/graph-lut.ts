import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { BlockPlan } from '../lib/blocks/plan.js';
import { Roi } from '../lib/geometry/roi.js';
import { openLut } from '../lib/graph/lut.js';
import { SqliteGraphStore } from '../lib/graph/sqlite-graph-store.js';
import { graphMws } from '../lib/tasks/graph-mws.js';
import type { BlockContext } from '../lib/workers/task-definition.js';
import type { Benchmark, BenchmarkOptions, MakeOurSide } from './benchmark.js';
import { compare, isChosen } from './compare.js';
import { type Graph, graphKinds, NODES_OF_BLOCK } from './graphs.js';
import { readNpy, writeNpy } from './npy.js';
import { samePartition } from './partition.js';
import { Random } from './random.js';
import type { Row } from './row.js';

const REFERENCE = 'volara GraphMWS';
/** World units; positions lie inside. */
const EXTENT = 1000;
const WEIGHTS = { near: [1, -0.5], far: [0.9, -0.51] };

interface Settings {
  readonly folder: string;
  /** Our graph store. */
  readonly store: string;
  readonly weights: Readonly<Record<string, readonly number[]>>;
}

/** The block of the task in this process: from the file to the LUT on disk. */
export const ours: MakeOurSide = async (given) => {
  const { store, weights, folder } = given as Settings;
  const lut = join(folder, 'ours.lut');
  const options = graphMws.options.parse({ graph: 'graph', lut, weights, pseudoCount: 0 });
  const roi = new Roi([0, 0, 0], [EXTENT, EXTENT, EXTENT]);
  const [block] = [new BlockPlan({ totalWriteRoi: roi, blockShape: roi.shape }).block(0)];
  return {
    prepare: async () => rmSync(lut, { recursive: true, force: true }),
    run: async () => {
      const graph = new SqliteGraphStore(store);
      const context: Partial<BlockContext> = {
        graph: () => graph,
        lutPath: (path) => path,
        signal: new AbortController().signal,
        log: () => {},
      };
      await graphMws.processBlock(options, block, context as BlockContext);
      await graph.close();
      return { result: await openLut(lut) };
    },
    write: (result, into) => {
      const { fragments, segments } = result as { fragments: BigUint64Array; segments: BigUint64Array };
      writeNpy(join(into, 'fragments.npy'), [fragments.length], fragments);
      writeNpy(join(into, 'segments.npy'), [segments.length], segments);
    },
  };
};

interface Rows {
  readonly nodes: BigUint64Array;
  readonly sizes: BigUint64Array;
  /** [nodes, 3] */
  readonly positions: Float64Array;
  readonly u: BigUint64Array;
  readonly v: BigUint64Array;
  /** By score name. Counts of 0: the edge has no such score. */
  readonly sums: Readonly<Record<string, Float64Array>>;
  readonly counts: Readonly<Record<string, Float64Array>>;
}

/** Every edge has a near score, every other one a far score as well. */
function rowsOf({ nodes, u, v, scores }: Graph): Rows {
  const random = new Random(nodes.length);
  const counts = {
    near: Float64Array.from(scores, () => 1 + random.below(100)),
    far: Float64Array.from(scores, () => random.below(2) * (1 + random.below(100))),
  };
  return {
    nodes,
    sizes: BigUint64Array.from(nodes, () => BigInt(1 + random.below(10000))),
    positions: Float64Array.from({ length: nodes.length * 3 }, () => random.below(EXTENT)),
    u,
    v,
    // sums such that weight * mean + bias has the sign of the graph's score
    sums: {
      near: scores.map((score, i) => (0.5 + score / 2) * counts.near[i]),
      far: scores.map((score, i) => (0.5 + score / 2) * counts.far[i] * (0.9 + 0.2 * random.uniform())),
    },
    counts,
  };
}

/** As tasks write it: the rows of a block together, here those of 600 nodes and of the edges from them. */
async function writeStore(path: string, rows: Rows): Promise<void> {
  const store = new SqliteGraphStore(path);
  await store.init({ dimensions: 3 });
  const names = Object.keys(rows.sums);
  await store.addEdgeAttributes(names.map((name) => ({ name, scale: 1 })));
  const roi = new Roi([0, 0, 0], [EXTENT, EXTENT, EXTENT]);
  let edge = 0;
  const writes: Promise<void>[] = [];
  for (let node = 0, block = 0; node < rows.nodes.length; node += NODES_OF_BLOCK, block++) {
    const end = Math.min(node + NODES_OF_BLOCK, rows.nodes.length);
    const begin = edge;
    while (edge < rows.u.length && rows.u[edge] <= rows.nodes[end - 1]) edge++;
    const key = (task: string) => ({ task, block, roi });
    writes.push(
      store.writeNodes(key('fragments'), {
        ids: rows.nodes.slice(node, end),
        sizes: rows.sizes.slice(node, end),
        positions: rows.positions.slice(3 * node, 3 * end),
      }),
      store.writeEdges(key('edges'), {
        u: rows.u.slice(begin, edge),
        v: rows.v.slice(begin, edge),
        attributes: Object.fromEntries(
          names.map((name) => [
            name,
            { sums: rows.sums[name].slice(begin, edge), counts: rows.counts[name].slice(begin, edge) },
          ]),
        ),
      }),
    );
  }
  await Promise.all(writes);
  await store.close();
}

async function* rows(options: BenchmarkOptions): AsyncGenerator<Row> {
  for (const size of options.smoke ? ['3e3'] : options.sizes) {
    for (const [kind, make] of Object.entries(graphKinds)) {
      const title = `${size} edges, ${kind}`;
      if (!isChosen(options, title, REFERENCE)) continue;
      const table = rowsOf(make(Number(size)));
      const name = `lut-${kind}-${size}`;
      const settings: Settings = {
        folder: options.folder,
        store: join(options.folder, `${name}.sqlite`),
        weights: WEIGHTS,
      };
      await writeStore(settings.store, table);
      const columns: Record<string, string> = {};
      const put = (column: string, data: BigUint64Array | Float64Array) => {
        columns[column] = join(options.folder, `${name}-${column}.npy`);
        writeNpy(columns[column], [data.length], data);
      };
      for (const column of ['nodes', 'sizes', 'positions', 'u', 'v'] as const) put(column, table[column]);
      // the reference stores means; a count of 0 gives NaN, which it reads as none
      for (const [score, sums] of Object.entries(table.sums))
        put(
          score,
          sums.map((sum, i) => sum / table.counts[score][i]),
        );
      yield await compare(
        {
          bench: 'graph-lut',
          case: title,
          unit: 'M edges/s',
          scale: 1e-6,
          items: table.u.length,
          settings,
          reference: {
            name: REFERENCE,
            environment: 'volara',
            script: 'graph_lut',
            settings: { folder: options.folder, columns, weights: WEIGHTS, extent: EXTENT },
            repetitions: 1,
          },
          equal: sameSegments,
          extra: () => ({ nodes: table.nodes.length }),
        },
        options,
      );
    }
  }
}

/** Of the fragments that the reference lists: those with edges. */
function sameSegments(ours: string, reference: string): boolean {
  const read = (folder: string, name: string) => readNpy<BigUint64Array>(join(folder, `${name}.npy`)).data;
  const listed = read(reference, 'fragments');
  const fragments = read(ours, 'fragments');
  const segments = read(ours, 'segments');
  let next = 0;
  const kept = segments.filter((_, i) => {
    if (fragments[i] !== listed[next]) return false;
    next++;
    return true;
  });
  return next === listed.length && samePartition(kept, read(reference, 'segments'));
}

export const benchmark: Benchmark = {
  name: 'graph-lut',
  description: 'a graph store on SQLite to a LUT: reading, scoring, clustering, writing',
  sizes: { '1e5': '100 000 edges', '1e6': '1 000 000 edges', '1e7': '10 000 000 edges' },
  defaultSizes: ['1e5'],
  rows,
};
