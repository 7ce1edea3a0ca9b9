// Copies an array, and does something bad in some blocks on the way, the first time only or always.
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { BlockPlan } from '../../../dist/lib/blocks/plan.js';
import { Roi } from '../../../dist/lib/geometry/roi.js';
import { arrayName } from '../../../dist/lib/workers/option-types.js';

const FAULTS = {
  throws: () => {
    throw new Error('the sky fell');
  },
  'throws text': () => {
    throw 'only a text';
  },
  'rejects late': () => {
    setTimeout(() => Promise.reject(new Error('nobody waited for me')), 5);
    return new Promise((resolve) => setTimeout(resolve, 50));
  },
  'throws late': () => {
    setTimeout(() => {
      throw new Error('thrown by a timer');
    }, 5);
    return new Promise((resolve) => setTimeout(resolve, 50));
  },
  'prints and exits': () => {
    console.log('these are my last words');
    process.exit(7);
  },
  'exits in peace': () => process.exit(0),
  aborts: () => process.abort(),
  'is shot': () => process.kill(process.pid, 'SIGSEGV'),
  'never returns': () => new Promise(() => setInterval(() => undefined, 1000)),
  loops: () => {
    for (;;);
  },
};

export default {
  type: 'toy-fault',
  description: 'Copies an array, sometimes badly',
  options: z.strictObject({
    input: arrayName(),
    output: arrayName(),
    blockSize: z.array(z.int().positive()),
    fault: z.enum(Object.keys(FAULTS)),
    always: z.array(z.int()).default([]).describe('Blocks with the fault in every attempt'),
    once: z.array(z.int()).default([]).describe('Blocks with the fault in the first attempt'),
  }),
  plan({ input, output, blockSize }, context) {
    const metadata = context.array(input);
    return {
      blocks: new BlockPlan({
        totalWriteRoi: new Roi(metadata.offset, metadata.voxelSize.multiply(metadata.shape)),
        blockShape: metadata.voxelSize.multiply(blockSize),
      }),
      reads: [{ kind: 'array', name: input }],
      writes: [{ kind: 'array', name: output }],
      outputs: [{ name: output, metadata: { ...metadata, chunkShape: blockSize, attributes: {} } }],
    };
  },
  async processBlock({ input, output, fault, always, once }, block, context) {
    const { data } = await (await context.array(input)).readRoi(block.writeRoi);
    if (always.includes(block.index) || (once.includes(block.index) && isFirst(context.lutPath('.'), block.index))) {
      context.log(`block ${block.index} will not end well`);
      await FAULTS[fault]();
    }
    await (await context.array(output)).writeRoi(block.writeRoi, data);
  },
};

/** Whether a block is tried for the first time; leaves a mark beside the pipeline file. */
function isFirst(folder, block) {
  const mark = join(folder, `tried-${block}`);
  if (existsSync(mark)) return false;
  writeFileSync(mark, '');
  return true;
}
