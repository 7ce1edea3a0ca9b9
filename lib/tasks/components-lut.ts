import { z } from 'zod';
import { BlockPlan } from '../blocks/plan.js';
import { checkLutPlace, writeLut } from '../graph/lut.js';
import { joinComponents, type PairRun } from '../native/join-components.js';
import { graphName, lutPath } from '../workers/option-types.js';
import { defineTask } from '../workers/task-definition.js';

const options = z.strictObject({
  graph: graphName().describe('What connected-components wrote.'),
  lut: lutPath().describe('Written: for each component of a block the component of the volume, and its voxels.'),
  minSize: z
    .int()
    .nonnegative()
    .default(0)
    .describe('Components of fewer voxels (in the whole volume) become background.'),
});

type Options = z.infer<typeof options>;

/** One union-find over the components of all blocks; one block. The LUT is a function of the input alone, not of the blocks. */
export const componentsLut = defineTask<Options>({
  type: 'components-lut',
  description: 'Joins the connected components of blocks to those of the volume, numbered 1.. by their first voxels.',
  options,

  plan(given, context) {
    const scores = context.edgeAttributes(given.graph) ?? [];
    if (scores.length > 0) {
      throw context.error(
        'graph',
        `expected one that connected-components writes, found the scores ${scores.join(', ')}`,
      );
    }
    const roi = context.graphRoi(given.graph);
    return {
      blocks: new BlockPlan({ totalWriteRoi: roi, blockShape: roi.shape, fit: 'shrink' }),
      reads: [{ kind: 'graph', name: given.graph }],
      writes: [{ kind: 'lut', name: given.lut }],
      outputs: [],
    };
  },

  async init(given, context) {
    await checkLutPlace(context.lutPath(given.lut));
  },

  async processBlock(given, _block, context) {
    const graph = context.graph(given.graph);
    const { ids, sizes } = await graph.readNodes();
    const runs: PairRun[] = [];
    for await (const { u, v } of graph.edgeRows()) runs.push({ u, v });
    const { count, ...lut } = await joinComponents(ids, sizes, runs, {
      minSize: given.minSize,
      signal: context.signal,
    });
    await writeLut(context.lutPath(given.lut), lut);
    context.log(`${lut.fragments.length} components of blocks, ${count} of the volume`);
  },
});
