import type { BlockPlan } from '../blocks/plan.js';
import { factsOf } from '../storage/data-type.js';
import type { ArrayMetadata } from '../storage/metadata.js';

/**
 * Bytes, before compression, that all blocks of a plan together read from (with context) or write to an array: the
 * parts of their Rois that lie inside it. A plan of other dimensions than the array's counts as one pass over it.
 */
export function bytesOf(plan: BlockPlan, array: ArrayMetadata, of: 'read' | 'write'): number {
  const spatial = array.shape.slice(array.channelAxes);
  const channels = product(array.shape.slice(0, array.channelAxes));
  if (plan.dimensions !== spatial.length) return product(array.shape) * factsOf(array.dataType).storedBytes;
  // A grid's boxes are products of intervals, so the sum over blocks is a product of sums over the axes.
  const voxels = plan.axes.map((axis, i) => {
    const voxel = array.voxelSize.at(i);
    const begin = array.offset.at(i);
    const end = begin + spatial[i] * voxel;
    let length = 0;
    for (let position = 0; position < axis.count; position++) {
      const low = of === 'read' ? axis.readBegin(position) : axis.writeBegin(position);
      const high = of === 'read' ? axis.readEnd(position) : axis.writeEnd(position);
      length += Math.max(0, Math.min(high, end) - Math.max(low, begin)) / voxel;
    }
    return length;
  });
  return Math.round(product(voxels)) * channels * factsOf(array.dataType).storedBytes;
}

function product(values: readonly number[]): number {
  return values.reduce((a, b) => a * b, 1);
}
