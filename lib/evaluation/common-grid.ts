import { Coordinate } from '../geometry/coordinate.js';
import { Roi } from '../geometry/roi.js';
import type { ArrayMetadata } from '../storage/metadata.js';

/** The voxels in which labels are compared. */
export interface CommonGrid {
  /** Where all of them lie, world units. */
  readonly roi: Roi;
  readonly voxelSize: Coordinate;
  /** Voxels an axis. */
  readonly shape: readonly number[];
  readonly units: readonly string[];
}

/** What is compared, by the names that messages use. */
export interface ComparedArrays {
  readonly segmentation: ArrayMetadata;
  readonly truth: ArrayMetadata;
  readonly mask?: ArrayMetadata | undefined;
}

const INTEGER = /^(u?int|bool)/;

/**
 * The voxels that a segmentation and its truth have in common, or those of them inside `roi`. The arrays may begin and end
 * anywhere, on one grid of voxels. A mask need not cover them.
 *
 * @param fail makes the error of what is wrong with one of the arrays or with 'roi'
 */
export function commonGrid(
  { segmentation, truth, mask }: ComparedArrays,
  roi: Roi | undefined,
  fail: (parameter: 'segmentation' | 'truth' | 'mask' | 'roi', message: string) => Error,
): CommonGrid {
  const { voxelSize, units } = segmentation;
  for (const [name, array] of [
    ['segmentation', segmentation],
    ['truth', truth],
  ] as const) {
    if (!INTEGER.test(array.dataType)) throw fail(name, `expected integer labels, found ${array.dataType}`);
    if (array.channelAxes > 0)
      throw fail(name, `expected labels without channels, found ${array.axisNames.join(', ')}`);
  }
  for (const [name, array] of [
    ['truth', truth],
    ['mask', mask],
  ] as const) {
    if (array === undefined) continue;
    if (!array.voxelSize.equals(voxelSize)) {
      const hint =
        'an array that says nothing of it has 1: `blockwright copy --voxel-size` or the operation `place` gives one';
      throw fail(name, `expected the voxel size of the segmentation, ${voxelSize}, found ${array.voxelSize} (${hint})`);
    }
    const rest = array.offset.subtract(segmentation.offset).modulo(voxelSize);
    if (rest.values.some((one) => one !== 0)) {
      const expected = `expected an offset on the voxel grid of the segmentation (offset ${segmentation.offset}, voxel size ${voxelSize})`;
      throw fail(name, `${expected}, found ${array.offset}`);
    }
  }
  const both = roiOf(segmentation).intersect(roiOf(truth));
  if (both.empty) throw fail('truth', `expected voxels inside ${roiOf(segmentation)}, found ${roiOf(truth)}`);
  if (roi !== undefined && roi.dimensions !== voxelSize.dimensions) {
    throw fail('roi', `expected ${voxelSize.dimensions} numbers in offset and shape, found ${roi}`);
  }
  const part = roi === undefined ? both : both.intersect(roi);
  if (part.empty) throw fail('roi', `expected a part of ${both}, found ${roi}, which lies outside`);
  const steps = [part.begin.subtract(both.begin), part.shape].flatMap((one) => one.modulo(voxelSize).values);
  if (steps.some((step) => step !== 0)) throw fail('roi', `expected whole voxels of ${voxelSize}, found ${roi}`);
  return { roi: part, voxelSize, shape: part.shape.divide(voxelSize).values, units };
}

function roiOf({ offset, voxelSize, shape }: ArrayMetadata): Roi {
  return new Roi(offset, voxelSize.multiply(shape));
}

/** The box of voxels [begin, end) of a grid, in world units. */
export function worldOf({ roi, voxelSize }: CommonGrid, begin: readonly number[], end: readonly number[]): Roi {
  return Roi.between(roi.begin.add(voxelSize.multiply(begin)), roi.begin.add(voxelSize.multiply(end)));
}

/** The corner of a voxel in world units, from its index in C order. */
export function positionOf({ roi, voxelSize, shape }: CommonGrid, index: number): readonly number[] {
  return roi.begin.add(voxelSize.multiply(new Coordinate(indexToVoxel(index, shape)))).values;
}

export function indexToVoxel(index: number, shape: readonly number[]): number[] {
  const voxel = new Array<number>(shape.length);
  let rest = index;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    voxel[axis] = rest % shape[axis];
    rest = (rest - voxel[axis]) / shape[axis];
  }
  return voxel;
}
