import { z } from 'zod';
import { threshold as thresholdOf } from '../native/threshold.js';
import type { ArrayMetadata } from '../storage/metadata.js';
import { arrayName } from '../workers/option-types.js';
import { defineTask } from '../workers/task-definition.js';
import { blockOptions, outputLike, planOver } from './block-options.js';
import { newArray, newArrayOptions } from './new-array-options.js';

const options = z.strictObject({
  source: arrayName().describe('Any array; seen through operations (scale-shift, normalise) where it has some.'),
  mask: arrayName().describe(
    "Written: uint8, 1 where the source is above the threshold, else 0; with the source's channels.",
  ),
  threshold: z
    .number()
    .describe('Integers are compared exactly, also with a fraction; for float32 the threshold is rounded to float32.'),
  ...blockOptions,
  ...newArrayOptions,
});

type Options = z.infer<typeof options>;

/** A mask of the voxels that are above a value. NaN is not. */
export const threshold = defineTask<Options>({
  type: 'threshold',
  description: 'Makes a mask of the voxels above a value.',
  options,

  plan(given, context) {
    const source = context.array(given.source);
    const blocks = planOver(source, given, context);
    const metadata = withChannels(outputLike(source, blocks, given.blockSize, 'uint8'), source);
    return {
      blocks,
      reads: [{ kind: 'array', name: given.source }],
      writes: [{ kind: 'array', name: given.mask }],
      outputs: [newArray(given.mask, metadata, given, context)],
    };
  },

  async processBlock(given, block, context) {
    const { signal } = context;
    const [source, mask] = await Promise.all([context.array(given.source), context.array(given.mask)]);
    const { data } = await source.readRoi(block.writeRoi, { signal });
    await mask.writeRoi(block.writeRoi, await thresholdOf(data, given.threshold, { signal }), { signal });
  },
});

/** Metadata with the channels of another array, each in chunks of its own. */
function withChannels(metadata: ArrayMetadata, { shape, channelAxes, axisNames }: ArrayMetadata): ArrayMetadata {
  const channels = shape.slice(0, channelAxes);
  const one = channels.map(() => 1);
  const { chunkShape, shardShape } = metadata;
  return {
    ...metadata,
    shape: [...channels, ...metadata.shape],
    chunkShape: [...one, ...chunkShape],
    ...(shardShape === undefined ? {} : { shardShape: [...one, ...shardShape] }),
    channelAxes,
    axisNames,
  };
}
