import { z } from 'zod';
import type { BlockPlan } from '../blocks/plan.js';
import { downsampledShape, downsample as downsampleValues } from '../native/downsample.js';
import { chunkSizesFor } from '../storage/chunk-sizes.js';
import type { TypedArray } from '../storage/data-type.js';
import { imageAxes, whyNoImage } from '../storage/image-axes.js';
import { zarrFormatOf } from '../storage/image-metadata.js';
import type { ArrayMetadata } from '../storage/metadata.js';
import type { PyramidLevel } from '../storage/pyramid.js';
import { arrayName } from '../workers/option-types.js';
import { defineTask, type OutputArray, type PlanContext, type StoreContext } from '../workers/task-definition.js';
import { blockOptions, planOver } from './block-options.js';

const options = z.strictObject({
  source: arrayName().describe('The finest level: any array, or one that lies in the target already.'),
  target: arrayName().describe("Written: an OME-Zarr image; its store is the image's group."),
  factors: z
    .array(z.array(z.int().positive()).min(1).max(6))
    .min(1)
    .max(16)
    .describe('For each coarser level: how many voxels of the level before become one, one number an axis (z, y, x).'),
  method: z
    .enum(['mean', 'mode', 'stride'])
    .describe(
      'mean: for images; integers are rounded to nearest, ties to even. mode: for labels; the most frequent, ties to the smallest. stride: the first voxel.',
    ),
  ignoreBackground: z
    .boolean()
    .default(false)
    .describe('With mode: 0 counts only where there is nothing else, so that thin segments do not vanish.'),
  ...blockOptions,
  version: z.enum(['0.5', '0.4']).default('0.5').describe('Of OME-Zarr: 0.5 is zarr v3, 0.4 is zarr v2.'),
});

type Options = z.infer<typeof options>;

/** The levels of the image that are written, with their factors over the source; 1 for a copy of the source itself. */
interface Levels {
  /** Path of the finest level. */
  readonly base: string;
  /** Whether the finest level is the source, which lies in the target. */
  readonly inPlace: boolean;
  readonly coarser: readonly PyramidLevel[];
}

/** s0 -> s1, s2, ...; names count on from the finest level's number where it ends in one. */
function levelsOf({ source, target, factors }: Options, context: StoreContext): Levels {
  const inner = context.pathInGroup(source, target);
  const base = inner ?? 's0';
  const [, prefix, number] = /^(.*?)(\d+)$/.exec(base) ?? ['', 's', '0'];
  let product = factors[0].map(() => 1);
  const coarser = factors.map((step, index) => {
    product = product.map((factor, axis) => factor * step[axis]);
    return { path: `${prefix}${Number(number) + index + 1}`, factors: product };
  });
  return { base, inPlace: inner !== undefined, coarser };
}

function checkOptions(given: Options, source: ArrayMetadata, context: PlanContext): void {
  const axes = source.voxelSize.dimensions;
  const wrong = given.factors.findIndex((step) => step.length !== axes);
  if (wrong >= 0) {
    throw context.error(`factors[${wrong}]`, `expected ${axes} numbers, found ${given.factors[wrong].length}`);
  }
  if (given.method === 'mode' && source.dataType.startsWith('float')) {
    throw context.error('method', `expected mean or stride for ${source.dataType}, found mode`);
  }
  if (given.ignoreBackground && given.method !== 'mode') {
    throw context.error('ignoreBackground', `expected the method mode with it, found ${given.method}`);
  }
  const reason = whyNoImage(imageAxes(source));
  if (reason !== undefined) throw context.error('source', reason);
}

/**
 * Makes the coarser levels of an OME-Zarr image, all in one pass over the finest. Each level is made from the finest one, not
 * from the level before, so means are rounded once and modes are those of the volume. A coarse voxel at the end of the volume
 * covers what there is: a level's shape is the finest one's divided by the factors, rounded up.
 *
 * The finest level is the source itself where it lies in the target's group; else it is copied there, as s0. A block must hold
 * whole voxels of the coarsest level, and a chunk of a level is at most what a block makes of it: for very deep pyramids use two
 * tasks, the second with the last level of the first as its source.
 */
export const downsample = defineTask<Options>({
  type: 'downsample',
  description: 'Makes the coarser levels of an OME-Zarr image.',
  options,

  plan(given, context) {
    const source = context.array(given.source);
    checkOptions(given, source, context);
    const { base, inPlace, coarser } = levelsOf(given, context);
    if (inPlace && given.roi !== undefined) {
      throw context.error('roi', `expected none, as the source is the finest level (${base}) of the image`);
    }
    const blocks = planOver(source, given, context);
    const total = coarser[coarser.length - 1].factors;
    if (given.blockSize.some((extent, axis) => extent % total[axis] !== 0)) {
      const found = `[${given.blockSize.join(', ')}]`;
      throw context.error(
        'blockSize',
        `expected multiples of [${total.join(', ')}], all factors together, found ${found}`,
      );
    }
    const levels = inPlace ? coarser : [{ path: base, factors: total.map(() => 1) }, ...coarser];
    const outputs = levels.map(({ path, factors }): OutputArray => {
      const metadata = levelMetadata(source, blocks, given, factors);
      return { name: given.target, innerPath: path, metadata, create: { zarrFormat: zarrFormatOf(given.version) } };
    });
    const { version, method } = given;
    const world = { ...source, offset: blocks.totalWriteRoi.offset };
    const centred = method !== 'stride';
    const pyramid = { version, method, centred, world, base, levels: coarser, extends: inPlace };
    return {
      blocks,
      reads: [{ kind: 'array', name: given.source }],
      writes: [],
      outputs,
      images: [{ name: given.target, pyramid }],
    };
  },

  async processBlock(given, block, context) {
    const { signal, blocks } = context;
    const source = await context.array(given.source);
    const { channelAxes, voxelSize } = source.metadata;
    const { data, shape } = await source.readRoi(block.writeRoi, { signal });
    const { base, inPlace, coarser } = levelsOf(given, context);
    const channels = shape.slice(0, channelAxes);
    const begin = block.writeRoi.begin.subtract(blocks.totalWriteRoi.begin).divide(voxelSize);
    const write = async (path: string, factors: readonly number[], values: TypedArray) => {
      const level = await context.array(given.target, path);
      const first = [...channels.map(() => 0), ...begin.divide(factors)];
      const extents = downsampledShape(shape, [...channels.map(() => 1), ...factors]);
      const end = first.map((voxel, axis) => voxel + extents[axis]);
      await level.writeRegion(first, end, values, { signal });
    };
    if (!inPlace)
      await write(
        base,
        begin.values.map(() => 1),
        data,
      );
    const { method, ignoreBackground } = given;
    for (const { path, factors } of coarser) {
      const all = [...channels.map(() => 1), ...factors];
      await write(
        path,
        factors,
        await downsampleValues(data, shape, { factors: all, method, ignoreBackground, signal }),
      );
    }
  },
});

/**
 * Metadata of a level: its corner is the source's, whatever the image says of the middle of its voxels. Channels have chunks of
 * their own, as viewers read them; zarr v2 has no shards.
 */
function levelMetadata(
  source: ArrayMetadata,
  blocks: BlockPlan,
  { blockSize, version }: Options,
  factors: readonly number[],
): ArrayMetadata {
  const { channelAxes, voxelSize, dataType, units, axisNames } = source;
  const { offset, shape } = blocks.totalWriteRoi;
  const channels = source.shape.slice(0, channelAxes);
  const one = channels.map(() => 1);
  const { chunkShape, shardShape } = chunkSizesFor(downsampledShape(blockSize, factors), dataType);
  return {
    shape: [...channels, ...downsampledShape(shape.divide(voxelSize).values, factors)],
    chunkShape: [...one, ...chunkShape],
    ...(shardShape === undefined || zarrFormatOf(version) === 2 ? {} : { shardShape: [...one, ...shardShape] }),
    dataType,
    channelAxes,
    offset,
    voxelSize: voxelSize.multiply(factors),
    units,
    axisNames,
    attributes: factors.every((factor) => factor === 1) ? source.attributes : {},
  };
}
