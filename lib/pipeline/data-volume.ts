import type { BlockPlan } from '../blocks/plan.js';
import type { ArrayMetadata, DataType } from '../storage/metadata.js';

const BYTES: Readonly<Record<DataType, number>> = {
  uint8: 1,
  int8: 1,
  bool: 1,
  uint16: 2,
  int16: 2,
  uint32: 4,
  int32: 4,
  float32: 4,
  uint64: 8,
  int64: 8,
  float64: 8,
};

/**
 * Bytes, before compression, that all blocks of a plan together read from (with context) or write to an array: the
 * parts of their Rois that lie inside it. A plan of other dimensions than the array's counts as one pass over it.
 */
export function bytesOf(plan: BlockPlan, array: ArrayMetadata, of: 'read' | 'write'): number {
  const spatial = array.shape.slice(array.channelAxes);
  const channels = product(array.shape.slice(0, array.channelAxes));
  if (plan.dimensions !== spatial.length) return product(array.shape) * BYTES[array.dataType];
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
  return Math.round(product(voxels)) * channels * BYTES[array.dataType];
}

function product(values: readonly number[]): number {
  return values.reduce((a, b) => a * b, 1);
}
