import { BlockwrightError } from '../errors.js';
import type { Roi } from '../geometry/roi.js';
import type { ContingencyTable } from '../native/contingency-table.js';
import type { Volume } from '../storage/volume.js';
import { boxesOf, boxWithin } from '../storage/voxel-boxes.js';
import { blockTable, type ComparedVolumes } from './block-table.js';
import { type CommonGrid, commonGrid, worldOf } from './common-grid.js';
import { type Evaluation, type EvaluationOptions, evaluateTable } from './evaluation.js';
import { TableSum } from './table-sum.js';

/** How far an evaluation has come. */
export interface EvaluationProgress {
  readonly voxels: number;
  readonly expected: number;
  /** Rows of the tables so far. */
  readonly pairs: number;
}

export interface EvaluateVolumesOptions extends EvaluationOptions {
  /** World units; only this part is compared. @default all that the two have in common */
  readonly roi?: Roi | undefined;
  /** Voxels that are read together, at most, unless a chunk has more. @default 2^22 */
  readonly blockVoxels?: number | undefined;
  readonly onProgress?: ((progress: EvaluationProgress) => void) | undefined;
}

/**
 * Compares two volumes of labels block by block: where they overlap in the world. Labels have any integer type; ids reach
 * to 2^64 - 1. Peak memory: about 50 bytes for each of `blockVoxels` twice, as the next block is read meanwhile, and 72
 * bytes for each pair of labels that meet anywhere.
 *
 * @throws ERR_ARGUMENT when the arrays have different voxel sizes, do not meet, or hold no labels, or when no voxel is left
 *   to compare; as reading does; ERR_CANCELLED
 */
export async function evaluateVolumes(
  volumes: ComparedVolumes,
  options: EvaluateVolumesOptions = {},
): Promise<Evaluation> {
  const { roi, blockVoxels = 2 ** 22, onProgress, ...how } = options;
  const { signal } = how;
  const { segmentation, truth, mask } = volumes;
  const grid = commonGrid(
    { segmentation: segmentation.metadata, truth: truth.metadata, mask: mask?.metadata },
    roi,
    (parameter, message) => new BlockwrightError('ERR_ARGUMENT', `${parameter}: ${message}`, { parameter }),
  );
  const expected = grid.shape.reduce((product, extent) => product * extent, 1);
  const sum = new TableSum(signal);
  let voxels = 0;
  const finish = async ({ part, table }: { readonly part: Roi; readonly table: Promise<ContingencyTable> }) => {
    await sum.add(await table);
    voxels += part.size / grid.voxelSize.product();
    onProgress?.({ voxels, expected, pairs: sum.rows });
  };
  // One block is read while the one before is counted.
  let begun: Parameters<typeof finish>[0] | undefined;
  for (const part of partsOf(grid, segmentation, blockVoxels)) {
    const table = blockTable(volumes, grid, part, signal);
    table.catch(() => undefined); // told when it is awaited
    const before = begun;
    begun = { part, table };
    if (before !== undefined) await finish(before);
  }
  if (begun !== undefined) await finish(begun);
  return evaluateTable(await sum.total(), grid, how);
}

/** The grid in boxes of whole chunks, rows first, as most of it lies in few files that way. */
function* partsOf(grid: CommonGrid, { metadata }: Volume, limit: number): Generator<Roi, void> {
  const { chunkShape, shardShape = chunkShape } = metadata;
  const shardFits = shardShape.reduce((product, extent) => product * extent, 1) <= limit;
  const step = boxWithin(shardFits ? shardShape : chunkShape, grid.shape, limit);
  const corner = grid.roi.begin.subtract(metadata.offset).divide(grid.voxelSize).values;
  const low = corner.map((first, axis) => -(first % step[axis]));
  for (const { begin, end } of boxesOf({ begin: low, end: grid.shape }, step)) {
    yield worldOf(
      grid,
      begin.map((first) => Math.max(0, first)),
      end,
    );
  }
}
