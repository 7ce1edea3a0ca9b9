import { z } from 'zod';
import { argmax as argmaxOf, type ChannelValues, MAX_CLASSES } from '../native/argmax.js';
import { factsOf } from '../storage/data-type.js';
import type { ArrayMetadata } from '../storage/metadata.js';
import { arrayName } from '../workers/option-types.js';
import { defineTask, type PlanContext } from '../workers/task-definition.js';
import { blockOptions, outputLike, planOver } from './block-options.js';
import { newArray, newArrayOptions } from './new-array-options.js';

const options = z.strictObject({
  probabilities: arrayName().describe('[channels, ...]: a value of every channel for every voxel.'),
  classes: arrayName().describe(
    'Written: the number of the channel, or of the list of combineClasses, that is highest.',
  ),
  combineClasses: z
    .array(z.array(z.int().nonnegative()).min(1))
    .min(1)
    .max(MAX_CLASSES)
    .optional()
    .describe('Channels whose sums are compared, one list a class. Default: every channel is a class.'),
  dataType: z
    .enum(['uint8', 'uint16', 'uint32', 'uint64'])
    .optional()
    .describe('Of the classes. Default: uint8, with more than 256 classes uint16.'),
  ...blockOptions,
  ...newArrayOptions,
});

type Options = z.infer<typeof options>;

/** The class of every voxel: the channel, or the group of channels, with the highest value; the first of equal ones. */
export const argmax = defineTask<Options>({
  type: 'argmax',
  description: 'Finds the channel, or group of channels, with the highest value at every voxel.',
  options,

  plan(given, context) {
    const probabilities = context.array(given.probabilities);
    checkChannels(given, probabilities, context);
    const dataType = classType(given, probabilities.shape[0], context);
    const blocks = planOver(probabilities, given, context);
    const metadata = outputLike(probabilities, blocks, given.blockSize, dataType);
    return {
      blocks,
      reads: [{ kind: 'array', name: given.probabilities }],
      writes: [{ kind: 'array', name: given.classes }],
      outputs: [newArray(given.classes, metadata, given, context)],
    };
  },

  async processBlock(given, block, context) {
    const { signal } = context;
    const [probabilities, classes] = await Promise.all([
      context.array(given.probabilities),
      context.array(given.classes),
    ]);
    const { data, shape } = await probabilities.readRoi(block.writeRoi, { signal });
    const { array: Numbers } = factsOf(classes.metadata.dataType);
    const output = new Numbers(data.length / shape[0]) as Uint8Array;
    await argmaxOf(data as ChannelValues, shape, { combineClasses: given.combineClasses, output, signal });
    await classes.writeRoi(block.writeRoi, output, { signal });
  },
});

function checkChannels(
  { combineClasses }: Options,
  { channelAxes, dataType, shape }: ArrayMetadata,
  context: PlanContext,
) {
  if (channelAxes !== 1) {
    throw context.error('probabilities', `expected one channel axis before the spatial ones, found ${channelAxes}`);
  }
  if (dataType === 'uint64' || dataType === 'int64') {
    throw context.error('probabilities', `expected floats or integers of at most 32 bits, found ${dataType}`);
  }
  const [channels] = shape;
  const wrong = combineClasses?.findIndex((group) => group.some((channel) => channel >= channels)) ?? -1;
  if (wrong >= 0) {
    const found = `[${combineClasses?.[wrong].join(', ')}]`;
    throw context.error(`combineClasses[${wrong}]`, `expected channels below ${channels}, found ${found}`);
  }
}

function classType({ combineClasses, dataType }: Options, channels: number, context: PlanContext) {
  const count = combineClasses?.length ?? channels;
  if (count > MAX_CLASSES) {
    throw context.error('probabilities', `expected at most ${MAX_CLASSES} channels, found ${count}`);
  }
  if (dataType === 'uint8' && count > 256) {
    throw context.error('dataType', `expected a type that can tell ${count} classes apart, found uint8`);
  }
  return dataType ?? (count > 256 ? 'uint16' : 'uint8');
}
