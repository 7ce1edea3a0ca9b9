import { z } from 'zod';
import type { Block } from '../blocks/block.js';
import { BlockPlan } from '../blocks/plan.js';
import type { Coordinate } from '../geometry/coordinate.js';
import { Roi } from '../geometry/roi.js';
import type { VoxelBox } from '../native/voxel-box.js';
import { chunkSizesFor } from '../storage/chunk-sizes.js';
import type { ArrayMetadata, DataType } from '../storage/metadata.js';
import type { PlanContext } from '../workers/task-definition.js';

/** One whole number an axis. */
export const vector = () => z.array(z.int()).min(1).max(6);

/** Options of every task that runs block by block. */
export const blockOptions = {
  blockSize: z
    .array(z.int().positive())
    .min(1)
    .max(6)
    .describe('Voxels that a block writes, one number an axis (z, y, x).'),
  roi: z
    .strictObject({ offset: vector(), shape: z.array(z.int().positive()).min(1).max(6) })
    .optional()
    .describe('World units; only this part of the volume is processed. Default: all of it.'),
};

export interface BlockOptions {
  readonly blockSize: readonly number[];
  readonly roi?: { readonly offset: readonly number[]; readonly shape: readonly number[] } | undefined;
}

/** World units that an array's physical axes cover. */
export function roiOf(array: ArrayMetadata): Roi {
  return new Roi(array.offset, array.voxelSize.multiply(array.shape.slice(array.channelAxes)));
}

/**
 * Blocks over an array (or the part of it that `roi` names), in world units, shrunk at the end of the volume.
 * `low` and `high` are voxels of context.
 */
export function planOver(
  array: ArrayMetadata,
  options: BlockOptions,
  context: PlanContext,
  low?: readonly number[],
  high: readonly number[] | undefined = low,
): BlockPlan {
  const dimensions = array.voxelSize.dimensions;
  if (options.blockSize.length !== dimensions) {
    throw context.error('blockSize', `expected ${dimensions} numbers, found ${options.blockSize.length}`);
  }
  let total = roiOf(array);
  if (options.roi !== undefined) {
    if (options.roi.offset.length !== dimensions || options.roi.shape.length !== dimensions) {
      const { offset, shape } = options.roi;
      const found = `[${offset.join(', ')}] and [${shape.join(', ')}]`;
      throw context.error('roi', `expected ${dimensions} numbers in offset and shape, found ${found}`);
    }
    const part = new Roi(options.roi.offset, options.roi.shape);
    total = total.intersect(part);
    if (total.empty)
      throw context.error('roi', `expected a part of ${roiOf(array)}, found ${part}, which lies outside`);
    const steps = total.begin
      .subtract(array.offset)
      .modulo(array.voxelSize)
      .values.concat(total.shape.modulo(array.voxelSize).values);
    if (steps.some((step) => step !== 0)) {
      throw context.error('roi', `expected whole voxels of ${array.voxelSize}, found ${part}`);
    }
  }
  return new BlockPlan({
    totalWriteRoi: total,
    blockShape: array.voxelSize.multiply(options.blockSize),
    ...(low === undefined ? {} : { contextLow: array.voxelSize.multiply(low) }),
    ...(high === undefined ? {} : { contextHigh: array.voxelSize.multiply(high) }),
    fit: 'shrink',
  });
}

/**
 * Metadata of an output with the grid of `like` over `blocks`, without its channels; its chunks and shards are those of
 * {@link chunkSizesFor}.
 */
export function outputLike(
  like: ArrayMetadata,
  blocks: BlockPlan,
  blockSize: readonly number[],
  dataType: DataType,
  attributes: Readonly<Record<string, unknown>> = {},
): ArrayMetadata {
  return {
    shape: blocks.totalWriteRoi.shape.divide(like.voxelSize).values,
    ...chunkSizesFor(blockSize, dataType),
    dataType,
    channelAxes: 0,
    offset: blocks.totalWriteRoi.offset,
    voxelSize: like.voxelSize,
    units: like.units,
    axisNames: like.axisNames.slice(like.channelAxes),
    attributes,
  };
}

/** Context given or needed, in voxels a side; throws when it has a wrong length. */
export function checkContext(
  given: readonly number[] | undefined,
  dimensions: number,
  context: PlanContext,
): readonly number[] | undefined {
  if (given !== undefined && given.length !== dimensions) {
    throw context.error('context', `expected ${dimensions} numbers, found ${given.length}`);
  }
  return given;
}

/** Metadata of a task's affinities: uint8 or float32, [channels, ...spatial]. */
export function affinitiesOf(
  options: { readonly affinities: string },
  context: Pick<PlanContext, 'array' | 'error'>,
): ArrayMetadata {
  const found = context.array(options.affinities);
  if (found.dataType !== 'uint8' && found.dataType !== 'float32') {
    throw context.error('affinities', `expected uint8 or float32, found ${found.dataType}`);
  }
  if (found.channelAxes !== 1) {
    const hint =
      'where the array does not say which axes are channels, its entry can: `operations: [{type: place, axisNames: [c^, z, y, x]}]`';
    throw context.error(
      'affinities',
      `expected one channel axis before the spatial ones, found ${found.channelAxes} (${hint})`,
    );
  }
  return found;
}

/** Arrays that are read voxel by voxel with the affinities must lie on their voxels, wherever they begin. */
export function checkGrid(
  option: string,
  array: ArrayMetadata,
  affinities: ArrayMetadata,
  context: Pick<PlanContext, 'error'>,
): void {
  const { voxelSize, offset } = affinities;
  if (!array.voxelSize.equals(voxelSize)) {
    throw context.error(option, `expected the voxel size of the affinities, ${voxelSize}, found ${array.voxelSize}`);
  }
  const rest = array.offset.subtract(offset).modulo(voxelSize);
  if (rest.values.some((one) => one !== 0)) {
    throw context.error(option, `expected an offset on the voxel grid of the affinities, found ${array.offset}`);
  }
}

/** What a block writes, in voxels from the corner of what it reads. */
export function writeBox(block: Block, voxelSize: Coordinate): VoxelBox {
  return {
    offset: block.writeRoi.begin.subtract(block.readRoi.begin).divide(voxelSize).values,
    shape: block.writeRoi.shape.divide(voxelSize).values,
  };
}
