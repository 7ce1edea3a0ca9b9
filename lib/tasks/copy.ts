import { z } from 'zod';
import type { BlockPlan } from '../blocks/plan.js';
import { factsOf, type TypedArray } from '../storage/data-type.js';
import type { FillValue } from '../storage/fill-value.js';
import type { ArrayMetadata } from '../storage/metadata.js';
import { boxesOf, boxWithin } from '../storage/voxel-boxes.js';
import { arrayName } from '../workers/option-types.js';
import { defineTask, type PlanContext } from '../workers/task-definition.js';
import { blockOptions, planOver } from './block-options.js';
import { copyBlockSize } from './copy-block-size.js';
import { createOptionsOf, fillValueFor, newArrayOptions } from './new-array-options.js';

const options = z.strictObject({
  source: arrayName(),
  target: arrayName().describe("Written: the source's voxels in chunks of its own."),
  ...blockOptions,
  blockSize: blockOptions.blockSize
    .optional()
    .describe('Voxels that a block copies, one number a physical axis. Default: whole chunks or shards, about 64 MiB.'),
  ...newArrayOptions,
});

type Options = z.infer<typeof options>;

/** Memory for the voxels of a block; of more channels than fit, some are copied after the others. */
const BLOCK_BYTES = 256 * 2 ** 20;

/**
 * Copies an array, or a part of it, into another with chunks, shards and codecs of its own: voxel for voxel, with its place in
 * the world and its attributes. Where all of a chunk is the fill value there is no chunk, as in the source.
 *
 * Chunks and shards are the source's, and so is the fill value, unless given; the codecs are those of a new array.
 */
export const copy = defineTask<Options>({
  type: 'copy',
  description: 'Copies an array or a part of it: other chunks, shards, codecs.',
  options,

  async plan(given, context) {
    const source = context.array(given.source);
    const shapes = shapesOf(given, source, context);
    const compressor = given.compressor?.name ?? 'zstd';
    if (given.zarrFormat === 3 && (compressor === 'lz4' || compressor === 'zlib')) {
      throw context.error('compressor', `expected none, zstd, gzip or blosc in zarr v3, found ${compressor}`);
    }
    const blockSize = given.blockSize ?? copyBlockSize(source, shapes.shardShape ?? shapes.chunkShape, given.roi);
    const blocks = planOver(source, { ...given, blockSize }, context);
    const metadata = targetOf(source, blocks, shapes);
    return {
      blocks,
      reads: [{ kind: 'array', name: given.source }],
      writes: [{ kind: 'array', name: given.target }],
      outputs: [
        { name: given.target, metadata, create: createOptionsOf(given, await fillValueOf(given, source, context)) },
      ],
    };
  },

  async processBlock(given, block, context) {
    const [source, target] = await Promise.all([context.array(given.source), context.array(given.target)]);
    const { signal } = context;
    const { voxelSize, channelAxes, shape, chunkShape, shardShape } = target.metadata;
    const voxels = block.writeRoi.shape.divide(voxelSize).values;
    const from = block.writeRoi.begin.subtract(source.metadata.offset).divide(voxelSize).values;
    const to = block.writeRoi.begin.subtract(target.metadata.offset).divide(voxelSize).values;
    const { bytes, array: TypedArrayOfType } = factsOf(target.metadata.dataType);
    const spatial = voxels.reduce((product, extent) => product * extent, 1);

    // Memory that was touched before is much faster than new memory.
    const spare = await context.once('memory', () => Promise.resolve<TypedArray[]>([]));
    const channels = { begin: new Array<number>(channelAxes).fill(0), end: shape.slice(0, channelAxes) };
    const step = (shardShape ?? chunkShape).slice(0, channelAxes);
    const limit = Math.max(1, Math.floor(BLOCK_BYTES / bytes / spatial));
    for (const { begin, end } of boxesOf(channels, boxWithin(step, channels.end, limit))) {
      const count = begin.reduce((product, first, axis) => product * (end[axis] - first), spatial);
      let memory = spare.pop();
      if (memory === undefined || memory.length < count) memory = new TypedArrayOfType(count);
      const into = memory.subarray(0, count);
      const ends = (corner: readonly number[]) => [...end, ...corner.map((first, axis) => first + voxels[axis])];
      await source.readRegion([...begin, ...from], ends(from), { into, signal });
      await target.writeRegion([...begin, ...to], ends(to), into, { signal });
      spare.push(memory);
    }
  },
});

type Shapes = Pick<ArrayMetadata, 'chunkShape' | 'shardShape'>;

/** Chunks and shards of the target, of all axes. */
function shapesOf(given: Options, source: ArrayMetadata, context: PlanContext): Shapes {
  const full = (option: 'chunkShape' | 'shardShape', like: readonly number[]): readonly number[] | undefined => {
    const shape = given[option];
    if (shape === undefined) return undefined;
    const { channelAxes } = source;
    const dimensions = source.shape.length;
    if (shape.length === dimensions) return shape;
    if (shape.length === dimensions - channelAxes) return [...like.slice(0, channelAxes), ...shape];
    const without = channelAxes === 0 ? '' : `, or ${dimensions - channelAxes} without channels`;
    throw context.error(option, `expected ${dimensions} numbers${without}, found [${shape.join(', ')}]`);
  };
  const isAsSource = given.chunkShape === undefined && given.shardShape === undefined && given.zarrFormat === 3;
  const chunkShape = full('chunkShape', source.chunkShape) ?? source.chunkShape;
  const shardShape = isAsSource ? source.shardShape : full('shardShape', chunkShape);
  if (shardShape === undefined) return { chunkShape };
  if (given.zarrFormat === 2) {
    throw context.error('shardShape', `expected none in zarr v2, found [${shardShape.join(', ')}]`);
  }
  const bad = shardShape.some((extent, axis) => extent % chunkShape[axis] !== 0);
  if (bad) {
    const found = `[${shardShape.join(', ')}] for chunks of [${chunkShape.join(', ')}]`;
    throw context.error('shardShape', `expected a multiple of the chunk along each axis, found ${found}`);
  }
  return { chunkShape, shardShape };
}

function targetOf(source: ArrayMetadata, blocks: BlockPlan, shapes: Shapes): ArrayMetadata {
  const { shardShape: _, ...rest } = source;
  const { offset, shape } = blocks.totalWriteRoi;
  const isAsSource = shapes.shardShape === undefined && shapes.chunkShape === source.chunkShape;
  const extents = [...source.shape.slice(0, source.channelAxes), ...shape.divide(source.voxelSize).values];
  // Of a small part, a chunk of the source's size would be mostly padding.
  const isPart = (axis: number) => extents[axis] < source.shape[axis] && isAsSource;
  const chunkShape = shapes.chunkShape.map((extent, axis) => (isPart(axis) ? Math.min(extent, extents[axis]) : extent));
  return { ...rest, ...shapes, chunkShape, shape: extents, offset };
}

async function fillValueOf(given: Options, source: ArrayMetadata, context: PlanContext): Promise<FillValue> {
  if (given.fillValue === undefined) return context.fillValue(given.source);
  const value = fillValueFor(given.fillValue, source.dataType);
  if (value !== undefined) return value;
  throw context.error('fillValue', `expected a value of ${source.dataType}, found ${given.fillValue}`);
}
