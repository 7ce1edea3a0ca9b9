import { z } from 'zod';
import { openLut } from '../graph/lut.js';
import { relabel as relabelLabels } from '../native/relabel.js';
import { arrayName, lutPath } from '../workers/option-types.js';
import { defineTask } from '../workers/task-definition.js';
import { blockOptions, outputLike, planOver } from './block-options.js';

const options = z.strictObject({
  fragments: arrayName(),
  segments: arrayName().describe('Written: uint64.'),
  lut: lutPath(),
  ...blockOptions,
  missing: z
    .enum(['keep', 'background', 'error'])
    .default('keep')
    .describe('What becomes of an id that is not in the LUT: it stays, becomes 0, or is an error.'),
  minSegmentSize: z
    .int()
    .nonnegative()
    .default(0)
    .describe('Segments of fewer voxels become background; sizes are those in the LUT, of the whole volume.'),
});

type Options = z.infer<typeof options>;

/** Replaces fragment ids by segment ids. */
export const relabel = defineTask<Options>({
  type: 'relabel',
  description: 'Replaces fragment ids by segment ids.',
  options,

  plan(given, context) {
    const fragments = context.array(given.fragments);
    if (fragments.dataType !== 'uint64') {
      throw context.error('fragments', `expected uint64 labels, found ${fragments.dataType}`);
    }
    const blocks = planOver(fragments, given, context);
    return {
      blocks,
      reads: [
        { kind: 'array', name: given.fragments },
        { kind: 'lut', name: given.lut },
      ],
      writes: [{ kind: 'array', name: given.segments }],
      outputs: [{ name: given.segments, metadata: outputLike(fragments, blocks, given.blockSize, 'uint64') }],
    };
  },

  async processBlock(given, block, context) {
    const { signal } = context;
    const [fragments, segments, lut] = await Promise.all([
      context.array(given.fragments),
      context.array(given.segments),
      context.once('lut', () => openLut(context.lutPath(given.lut))),
    ]);
    const { data } = await fragments.readRoi(block.writeRoi, { signal });
    const labels = await relabelLabels(data as BigUint64Array, lut, {
      missing: given.missing,
      minSegmentSize: given.minSegmentSize,
      output: data as BigUint64Array, // in place: memory that was just read is warm
      signal,
    });
    await segments.writeRoi(block.writeRoi, labels, { signal });
  },
});
