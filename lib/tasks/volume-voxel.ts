import type { Block } from '../blocks/block.js';
import { BlockwrightError, codeOf, messageOf } from '../errors.js';
import type { ArrayMetadata } from '../storage/metadata.js';

/** The first voxel that a block reads of an array. */
export function firstVoxel(block: Block, { offset, voxelSize }: ArrayMetadata): readonly number[] {
  return block.readRoi.begin.subtract(offset).divide(voxelSize).values;
}

/**
 * Calls kernels, which know no voxels but those of the block that was read: a NaN that they meet is told with its voxel in the
 * array instead.
 *
 * @param begin of the block in the array
 * @param shape of the block
 */
export async function tellingVoxels<T>(
  begin: readonly number[],
  shape: readonly number[],
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (codeOf(error) !== 'ERR_NOT_A_NUMBER') throw error;
    const message = messageOf(error).replace(
      /voxel (?:\[([\d, ]+)\]|(\d+) \(raster index\))/,
      (_text, listed: string | undefined, index: string) => {
        const voxel = listed === undefined ? voxelOf(Number(index), shape) : listed.split(', ').map(Number);
        return `voxel [${voxel.map((at, axis) => at + begin[axis]).join(', ')}]`;
      },
    );
    throw new BlockwrightError('ERR_NOT_A_NUMBER', message, {}, { cause: error });
  }
}

function voxelOf(index: number, shape: readonly number[]): number[] {
  let rest = index;
  return shape
    .toReversed()
    .map((extent) => {
      const at = rest % extent;
      rest = (rest - at) / extent;
      return at;
    })
    .toReversed();
}
