import { z } from 'zod';
import { BlockPlan } from '../blocks/plan.js';
import { checkLutPlace, openLut, writeComputedLut } from '../graph/lut.js';
import { graphMutexWatershed } from '../native/graph-mutex-watershed.js';
import { segmentSizes } from '../native/segment-sizes.js';
import { graphName, lutPath } from '../workers/option-types.js';
import { defineTask } from '../workers/task-definition.js';

const options = z.strictObject({
  graph: graphName(),
  lut: lutPath().describe("Written: fragment, segment and the segment's size for every node."),
  weights: z
    .record(z.string().min(1), z.tuple([z.number(), z.number()]))
    .describe('Score name -> [w, b]: an edge attracts where w * score + b > 0.'),
  pseudoCount: z
    .number()
    .nonnegative()
    .default(100)
    .describe('k of n / (n + k): edges known from few voxel pairs go later. 0 = the plain mutex watershed.'),
  edgePerAttr: z
    .boolean()
    .default(true)
    .describe('One edge a score (true), or one edge with the sum of its scores (false).'),
  startingLut: lutPath().optional().describe('Fragments that this LUT joins stay joined.'),
});

type Options = z.infer<typeof options>;

/** Mutex watershed over the whole graph; one block. The LUT is a function of the graph alone. */
export const graphMws = defineTask<Options>({
  type: 'graph-mws',
  description: 'Joins fragments to segments by a mutex watershed on the graph.',
  options,

  plan(given, context) {
    const roi = context.graphRoi(given.graph);
    const scores = context.edgeAttributes(given.graph);
    for (const name of Object.keys(given.weights)) {
      if (scores === undefined || scores.includes(name)) continue;
      const known = scores.length === 0 ? 'there are none' : scores.map((score) => `'${score}'`).join(', ');
      throw context.error(
        `weights.${name}`,
        `expected a score that a task writes to the graph '${given.graph}' (${known}), found '${name}'`,
      );
    }
    return {
      blocks: new BlockPlan({ totalWriteRoi: roi, blockShape: roi.shape, fit: 'shrink' }),
      reads: [
        { kind: 'graph', name: given.graph },
        ...(given.startingLut === undefined ? [] : [{ kind: 'lut' as const, name: given.startingLut }]),
      ],
      writes: [{ kind: 'lut', name: given.lut }],
      outputs: [],
    };
  },

  async init(given, context) {
    await checkLutPlace(context.lutPath(given.lut));
  },

  async processBlock(given, _block, context) {
    const graph = context.graph(given.graph);
    const nodes = await graph.readNodes();
    let edgeCount = 0;
    await writeComputedLut(context.lutPath(given.lut), nodes.ids, async () => {
      const edges = await graph.readEdges();
      edgeCount = edges.u.length;
      const used = (await graph.edgeAttributes()).filter(({ name }) => Object.hasOwn(given.weights, name));
      const scales = Object.fromEntries(used.map(({ name, scale }) => [name, scale]));
      const starting = given.startingLut === undefined ? undefined : await openLut(context.lutPath(given.startingLut));
      const segments = await graphMutexWatershed(nodes.ids, edges, {
        // by name: the order in the file means nothing
        weights: Object.fromEntries(Object.entries(given.weights).sort(([a], [b]) => (a < b ? -1 : 1))),
        scales,
        pseudoCount: given.pseudoCount,
        edgePerAttr: given.edgePerAttr,
        ...(starting === undefined ? {} : { startingLut: starting }),
        signal: context.signal,
      });
      return { segments, sizes: await segmentSizes(nodes.ids, segments, nodes.sizes, { signal: context.signal }) };
    });
    context.log(`${nodes.ids.length} fragments, ${edgeCount} edges`);
  },
});
