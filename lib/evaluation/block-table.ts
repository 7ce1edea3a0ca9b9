import type { Roi } from '../geometry/roi.js';
import type { Lut } from '../graph/lut.js';
import { type ContingencyTable, contingencyTable } from '../native/contingency-table.js';
import { relabel } from '../native/relabel.js';
import { readMask } from '../storage/mask.js';
import type { Volume } from '../storage/volume.js';
import { type CommonGrid, indexToVoxel } from './common-grid.js';
import { uint64Labels } from './uint64-labels.js';

/** Two volumes of labels that are compared. */
export interface ComparedVolumes {
  readonly segmentation: Volume;
  readonly truth: Volume;
  /** Voxels where it is 0 (in any of its channels), or where it is not, are left out. */
  readonly mask?: Volume | undefined;
  /** What the segmentation holds are fragments; their segments are compared. */
  readonly lut?: Lut | undefined;
}

/**
 * The contingency table of a part of the grid; its places count voxels of the whole grid. Peak memory: 16 bytes a voxel
 * beside what is read, and the table's.
 *
 * @param part world units, inside the grid
 */
export async function blockTable(
  { segmentation, truth, mask, lut }: ComparedVolumes,
  grid: CommonGrid,
  part: Roi,
  signal?: AbortSignal,
): Promise<ContingencyTable> {
  const reading = signal === undefined ? {} : { signal };
  const [segments, truths, foreground] = await Promise.all([
    segmentation.readRoi(part, reading),
    truth.readRoi(part, reading),
    mask === undefined ? undefined : readMask(mask, part, signal),
  ]);
  let a = uint64Labels('segmentation', segments.data);
  // in place: nobody else has what was just read
  if (lut !== undefined) a = await relabel(a, lut, { output: a, ...reading });
  const table = await contingencyTable(a, uint64Labels('truth', truths.data), { mask: foreground, signal });
  placeInGrid(table.places, grid, part);
  return table;
}

/** Turns places in a part into places in the grid. */
function placeInGrid(places: Float64Array, { roi, voxelSize, shape }: CommonGrid, part: Roi): void {
  const begin = part.begin.subtract(roi.begin).divide(voxelSize).values;
  const extent = part.shape.divide(voxelSize).values;
  for (let row = 0; row < places.length; row++) {
    const voxel = indexToVoxel(places[row], extent);
    places[row] = voxel.reduce((index, at, axis) => index * shape[axis] + begin[axis] + at, 0);
  }
}
