import { Roi } from '../geometry/roi.js';
import { factsOf } from '../storage/data-type.js';
import type { ArrayMetadata } from '../storage/metadata.js';
import { type BlockOptions, roiOf } from './block-options.js';

/** A block is not made larger than this for its own sake. */
const USUAL_BYTES = 64 * 2 ** 20;
/** Nor larger than this where source chunks would be decoded several times otherwise. */
const MOST_BYTES = 256 * 2 ** 20;
/** Fewer blocks keep no workers busy. */
const ENOUGH_BLOCKS = 16;

/**
 * Voxels of a block for a copy, one number a physical axis: whole files (shards, else chunks) of the target, doubled along the
 * axis that gains most until the block has about 64 MiB with all its channels. Up to 256 MiB where the source's chunks are
 * larger than the block, because each block that meets a chunk decodes it. One file of the target is the least.
 *
 * @param fileShape voxels of a chunk or shard of the target, of all axes
 */
export function copyBlockSize(
  source: ArrayMetadata,
  fileShape: readonly number[],
  roi?: BlockOptions['roi'],
): readonly number[] {
  const { channelAxes, voxelSize, dataType } = source;
  const part = roi === undefined ? roiOf(source) : roiOf(source).intersect(new Roi(roi.offset, roi.shape));
  const extents = part.shape.values.map((extent, axis) => Math.max(1, Math.ceil(extent / voxelSize.at(axis))));
  const chunk = source.chunkShape.slice(channelAxes);
  const channels = source.shape.slice(0, channelAxes).reduce((product, extent) => product * extent, 1);
  const block = fileShape.slice(channelAxes);
  const bytes = () => block.reduce((product, extent) => product * extent, channels * factsOf(dataType).bytes);
  const count = () => block.reduce((product, extent, axis) => product * Math.ceil(extents[axis] / extent), 1);

  for (;;) {
    const axes = block.map((_, axis) => axis).filter((axis) => block[axis] < extents[axis]);
    if (axes.length === 0) return block;
    const cut = axes.filter((axis) => block[axis] < chunk[axis]);
    const isCut = cut.length > 0;
    if (2 * bytes() > (isCut ? MOST_BYTES : USUAL_BYTES) || (!isCut && count() <= ENOUGH_BLOCKS)) return block;
    const gain = (axis: number) => (isCut ? chunk[axis] / block[axis] : extents[axis] / block[axis]);
    const best = (isCut ? cut : axes).reduce((a, b) => (gain(b) > gain(a) ? b : a));
    block[best] *= 2;
  }
}
