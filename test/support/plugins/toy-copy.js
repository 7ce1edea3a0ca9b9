// Copies an array, with context for the looks of it; reads the sum of what it sees in the first voxel of its block.
import { z } from 'zod';
import { BlockPlan } from '../../../dist/lib/blocks/plan.js';
import { Roi } from '../../../dist/lib/geometry/roi.js';
import { arrayName, graphName, lutPath } from '../../../dist/lib/workers/option-types.js';

const numbers = z.array(z.int()).min(1).max(6);

export default {
  type: 'toy-copy',
  description: 'Copies an array',
  options: z.strictObject({
    input: arrayName(),
    output: arrayName().optional(),
    output2: arrayName().optional(),
    blockSize: numbers,
    context: numbers.optional(),
    neighborhood: z.boolean().default(false),
    readGraph: graphName().optional(),
    writeGraph: graphName().optional(),
    readLut: lutPath().optional(),
    writeLut: lutPath().optional(),
  }),
  plan(options, context) {
    const { input, output, output2, blockSize } = options;
    const metadata = context.array(input);
    if (options.neighborhood) context.neighborhood(input);
    if (options.readGraph !== undefined) context.graphRoi(options.readGraph);
    const axes = metadata.channelAxes;
    const shape = metadata.voxelSize.multiply(metadata.shape.slice(axes));
    const low = options.context ?? blockSize.map(() => 0);
    const of = (kind, ...names) => names.filter((name) => name !== undefined).map((name) => ({ kind, name }));
    return {
      blocks: new BlockPlan({
        totalWriteRoi: new Roi(metadata.offset, shape),
        blockShape: metadata.voxelSize.multiply(blockSize),
        contextLow: low,
        contextHigh: low,
      }),
      reads: [...of('array', input), ...of('graph', options.readGraph), ...of('lut', options.readLut)],
      writes: [...of('graph', options.writeGraph), ...of('lut', options.writeLut)],
      outputs: of('array', output, output2).map(({ name }) => ({
        name,
        metadata: { ...metadata, chunkShape: [...metadata.shape.slice(0, axes), ...blockSize] },
      })),
    };
  },
  async processBlock({ input, output }, block, context) {
    const [from, to] = [await context.array(input), await context.array(output)];
    const { data } = await from.readRoi(block.writeRoi);
    await to.writeRoi(block.writeRoi, data);
  },
};
