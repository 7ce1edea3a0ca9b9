// Writes a node for each block and an edge between neighbours in the order of blocks; or reads all and writes a text as LUT.
import { appendFile, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { BlockPlan } from '../../../dist/lib/blocks/plan.js';
import { Roi } from '../../../dist/lib/geometry/roi.js';
import { graphName, lutPath } from '../../../dist/lib/workers/option-types.js';

export default {
  type: 'toy-graph',
  description: 'Writes or reads a graph',
  options: z.strictObject({
    graph: graphName(),
    blocks: z.int().optional().describe('Writes a node for each of so many blocks'),
    lut: lutPath().optional().describe('Writes what the graph holds to this file'),
    hasty: z.boolean().default(false).describe('Does not wait until its nodes are written'),
    initLog: z.string().optional().describe('A file that gets a line from each init'),
  }),
  plan({ graph, blocks, lut }, context) {
    const roi = blocks === undefined ? context.graphRoi(graph) : new Roi([0, 0], [10 * blocks, 10]);
    return {
      blocks: new BlockPlan({ totalWriteRoi: roi, blockShape: blocks === undefined ? roi.shape : [10, 10] }),
      reads: blocks === undefined ? [{ kind: 'graph', name: graph }] : [],
      writes: blocks === undefined ? [{ kind: 'lut', name: lut }] : [{ kind: 'graph', name: graph }],
      outputs: [],
    };
  },
  async init({ graph, blocks, initLog }, context) {
    if (initLog !== undefined) await appendFile(initLog, 'init\n');
    if (blocks === undefined) return;
    await context.graph(graph).init({ dimensions: 2 });
    await context.graph(graph).addEdgeAttributes([{ name: 'score', scale: 1 }]);
  },
  async processBlock({ graph, blocks, lut, hasty }, block, context) {
    const store = context.graph(graph);
    if (blocks === undefined) {
      const { ids } = await store.readNodes();
      const { u, v } = await store.readEdges();
      const edges = [...u].map((one, i) => `${one}-${v[i]}`);
      await writeFile(context.lutPath(lut), `nodes ${[...ids].join(' ')}; edges ${edges.join(' ')}`);
      return;
    }
    const key = { task: context.task, block: block.index, roi: block.writeRoi };
    const id = BigInt(block.index + 1);
    const { begin } = block.writeRoi;
    const written = store.writeNodes(key, {
      ids: BigUint64Array.of(id),
      sizes: BigUint64Array.of(100n),
      positions: Float64Array.of(begin.at(0) + 5, begin.at(1) + 5),
    });
    if (hasty) return;
    await written;
    const last = block.index + 1 === blocks;
    await store.writeEdges(key, {
      u: BigUint64Array.from(last ? [] : [id]),
      v: BigUint64Array.from(last ? [] : [id + 1n]),
      attributes: { score: { sums: Float64Array.from(last ? [] : [0.5]), counts: Float64Array.from(last ? [] : [1]) } },
    });
  },
};
