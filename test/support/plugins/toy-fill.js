// Writes an array in which each voxel holds its block's index + 1; can fail, wait or die on the way, as a test asks.
import { existsSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { BlockPlan } from '../../../dist/lib/blocks/plan.js';
import { Coordinate } from '../../../dist/lib/geometry/coordinate.js';
import { Roi } from '../../../dist/lib/geometry/roi.js';
import { arrayName } from '../../../dist/lib/workers/option-types.js';

const numbers = z.array(z.int().positive()).min(1).max(6);

export default {
  type: 'toy-fill',
  description: 'Writes block numbers',
  options: z.strictObject({
    output: arrayName(),
    shape: numbers,
    blockSize: numbers,
    chunkShape: numbers.optional(),
    fit: z.enum(['valid', 'overhang', 'shrink']).default('shrink'),
    add: z.int().default(1).describe('Added to the index of the block'),
    failBlocks: z.array(z.int()).default([]).describe('Blocks that always fail'),
    dieBlocks: z.array(z.int()).default([]).describe('Blocks that end the worker'),
    failOnce: z.string().optional().describe('A file beside the pipeline; the block that makes it fails'),
    waitFor: z.string().optional().describe('A file beside the pipeline; no block ends before it is there'),
    slowBlocks: z.array(z.int()).default([]).describe('Blocks that take 120 ms'),
    presentBlocks: z.array(z.int()).default([]).describe('Blocks of which check says that they are there'),
    emptyBlocks: z.array(z.int()).default([]).describe('Blocks that say that there is nothing to do'),
    gpu: z.int().optional(),
  }),
  plan({ output, shape, blockSize, chunkShape, fit, gpu }, context) {
    if (blockSize.length !== shape.length) {
      throw context.error('blockSize', `expected ${shape.length} entries as in shape, found ${blockSize.length}`);
    }
    const dimensions = shape.length;
    return {
      blocks: new BlockPlan({
        totalWriteRoi: new Roi(Coordinate.filled(dimensions, 0), shape),
        blockShape: blockSize,
        fit,
      }),
      reads: [],
      writes: [{ kind: 'array', name: output }],
      outputs: [
        {
          name: output,
          metadata: {
            shape,
            chunkShape: chunkShape ?? blockSize,
            dataType: 'uint32',
            channelAxes: 0,
            offset: Coordinate.filled(dimensions, 0),
            voxelSize: Coordinate.filled(dimensions, 1),
            units: shape.map(() => ''),
            axisNames: shape.map((_, i) => `d${i}`),
            attributes: {},
          },
        },
      ],
      ...(gpu === undefined ? {} : { resources: { gpu } }),
    };
  },
  async check({ presentBlocks }, block) {
    return presentBlocks.includes(block.index);
  },
  async processBlock(options, block, context) {
    if (options.emptyBlocks.includes(block.index)) return 'skipped';
    context.log(`filling block ${block.index}`);
    while (options.waitFor !== undefined && !existsSync(context.lutPath(options.waitFor))) await delay(5);
    if (options.slowBlocks.includes(block.index)) await delay(120);
    if (options.failBlocks.includes(block.index)) throw new Error(`block ${block.index} is not to my taste`);
    if (options.dieBlocks.includes(block.index)) process.kill(process.pid, 'SIGKILL');
    if (options.failOnce !== undefined && makes(context.lutPath(options.failOnce))) throw new Error('only once');
    const array = await context.array(options.output);
    const box = block.writeRoi;
    await array.writeRoi(box, new Uint32Array(box.size).fill(block.index + options.add));
  },
};

/** Whether this call is the one of all processes that makes a file. */
function makes(path) {
  try {
    writeFileSync(path, '', { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}
