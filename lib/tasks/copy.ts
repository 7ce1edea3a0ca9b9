import { z } from 'zod';
import type { BlockPlan } from '../blocks/plan.js';
import { factsOf, type TypedArray } from '../storage/data-type.js';
import type { FillValue } from '../storage/fill-value.js';
import { imageAxes, whyNoImage } from '../storage/image-axes.js';
import { zarrFormatOf } from '../storage/image-metadata.js';
import type { ArrayMetadata } from '../storage/metadata.js';
import { boxesOf } from '../storage/voxel-boxes.js';
import { arrayName } from '../workers/option-types.js';
import { defineTask, type PlanContext } from '../workers/task-definition.js';
import { blockOptions, planOver } from './block-options.js';
import { copyBlockSize, copyPieceShape } from './copy-block-size.js';
import {
  type ChunkShapes,
  checkCompressor,
  checkedFillValue,
  chunkShapesOf,
  createOptionsOf,
  newArrayOptions,
} from './new-array-options.js';

const options = z.strictObject({
  source: arrayName(),
  target: arrayName().describe("Written: the source's voxels in chunks of its own."),
  ...blockOptions,
  blockSize: blockOptions.blockSize
    .optional()
    .describe('Voxels that a block copies, one number a physical axis. Default: whole chunks or shards, about 64 MiB.'),
  ...newArrayOptions,
  ome: z
    .enum(['0.4', '0.5'])
    .optional()
    .describe('The target becomes an OME-Zarr image of one level, s0. 0.5 is zarr v3, 0.4 is zarr v2.'),
});

type Options = z.infer<typeof options>;

/** The level of an image that a copy makes. */
export const LEVEL = 's0';

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
    const zarrFormat = formatOf(given, source, context);
    const shapes = chunkShapesOf(given, zarrFormat, source, context);
    const blockSize = given.blockSize ?? copyBlockSize(source, shapes.shardShape ?? shapes.chunkShape, given.roi);
    const blocks = planOver(source, { ...given, blockSize }, context);
    const metadata = targetOf(source, blocks, shapes);
    const create = createOptionsOf(given, zarrFormat, await fillValueOf(given, source, context));
    const reads = [{ kind: 'array', name: given.source }] as const;
    const name = given.target;
    if (given.ome === undefined) {
      return { blocks, reads, writes: [{ kind: 'array', name }], outputs: [{ name, metadata, create }] };
    }
    const pyramid = { version: given.ome, centred: true, world: metadata, base: LEVEL, levels: [], extends: false };
    const outputs = [{ name, innerPath: LEVEL, metadata, create }];
    return { blocks, reads, writes: [], outputs, images: [{ name, pyramid }] };
  },

  async processBlock(given, block, context) {
    const level = given.ome === undefined ? undefined : LEVEL;
    const [source, target] = await Promise.all([context.array(given.source), context.array(given.target, level)]);
    const { signal } = context;
    const { voxelSize, channelAxes, shape, dataType } = target.metadata;
    const voxels = block.writeRoi.shape.divide(voxelSize).values;
    const to = block.writeRoi.begin.subtract(target.metadata.offset).divide(voxelSize).values;
    const from = block.writeRoi.begin.subtract(source.metadata.offset).divide(voxelSize).values;
    const channels = shape.slice(0, channelAxes);
    const none = channels.map(() => 0);
    const box = { begin: [...none, ...to], end: [...channels, ...to.map((first, axis) => first + voxels[axis])] };
    const step = copyPieceShape(target.metadata, [...channels, ...voxels]);
    const shift = [...none, ...to.map((first, axis) => from[axis] - first)];
    const inSource = (corner: readonly number[]) => corner.map((first, axis) => first + shift[axis]);

    // Memory that was touched before is much faster than new memory.
    const spare = await context.once('memory', () => Promise.resolve<TypedArray[]>([]));
    const { array: TypedArrayOfType } = factsOf(dataType);
    for (const { begin, end } of boxesOf(box, step)) {
      const count = begin.reduce((product, first, axis) => product * (end[axis] - first), 1);
      let memory = spare.pop();
      if (memory === undefined || memory.length < count) memory = new TypedArrayOfType(count);
      const into = memory.subarray(0, count);
      await source.readRegion(inSource(begin), inSource(end), { into, signal });
      await target.writeRegion(begin, end, into, { signal });
      spare.push(memory);
    }
  },
});

/** The zarr format of the target; refuses what it does not have. */
function formatOf(given: Options, source: ArrayMetadata, context: PlanContext): 2 | 3 {
  const { ome } = given;
  const reason = ome === undefined ? undefined : whyNoImage(imageAxes(source));
  if (reason !== undefined) throw context.error('ome', reason);
  const zarrFormat = given.zarrFormat ?? (ome === undefined ? 3 : zarrFormatOf(ome));
  if (ome !== undefined && zarrFormat !== zarrFormatOf(ome)) {
    throw context.error('zarrFormat', `expected ${zarrFormatOf(ome)} for OME-Zarr ${ome}, found ${zarrFormat}`);
  }
  checkCompressor(given, zarrFormat, context);
  return zarrFormat;
}

function targetOf(source: ArrayMetadata, blocks: BlockPlan, shapes: ChunkShapes): ArrayMetadata {
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
  return checkedFillValue(given.fillValue, source.dataType, context);
}
