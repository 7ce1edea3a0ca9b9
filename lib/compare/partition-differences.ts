import { BlockwrightError } from '../errors.js';
import { indexToVoxel } from '../evaluation/common-grid.js';
import { TableSum } from '../evaluation/table-sum.js';
import { uint64Labels } from '../evaluation/uint64-labels.js';
import { type ContingencyTable, contingencyTable } from '../native/contingency-table.js';
import { factsOf } from '../storage/data-type.js';
import type { Volume } from '../storage/volume.js';
import { type BlockOptions, blockPairs } from './block-pairs.js';
import { type BrokenPair, type LabelMatches, matchLabels } from './label-matches.js';
import { type Overlap, worldPosition } from './overlap.js';

export interface PartitionDifferences extends Omit<LabelMatches, 'worst'> {
  readonly voxels: number;
  /**
   * Pairs of labels that break the match, those of most voxels first, each with a voxel: the middle of the longest run of them
   * in a block.
   */
  readonly worst: readonly PlacedPair[];
  /** The first of them, also where none are listed. */
  readonly worstPair: PlacedPair | undefined;
}

export interface PlacedPair extends Omit<BrokenPair, 'place'> {
  /** In voxels of the first array, all axes. */
  readonly index: readonly number[];
  readonly world: readonly number[];
}

export interface PartitionOptions extends BlockOptions {
  /** Pairs that are listed, at most. @default 10 */
  readonly limit?: number | undefined;
}

/**
 * Whether two volumes of labels part their voxels alike where they overlap: one label for one label, background 0 where the
 * other has 0. Peak memory: four blocks with 16 bytes a voxel more, and about 100 bytes a pair of labels that meet.
 *
 * @throws ERR_ARGUMENT for floats and negative labels
 */
export async function partitionDifferences(
  a: Volume,
  b: Volume,
  overlap: Overlap,
  options: PartitionOptions = {},
): Promise<PartitionDifferences> {
  const { limit = 10 } = options;
  const { worst, ...matches } = matchLabels(await labelTable(a, b, overlap, options), Math.max(1, limit));
  const extent = extentOf(overlap);
  const placed = worst.map(({ place, ...pair }) => {
    const index = indexToVoxel(place, extent).map((voxel, axis) => voxel + overlap.box.begin[axis]);
    return { ...pair, index, world: worldPosition(a, index) };
  });
  return { voxels: overlap.voxels, ...matches, worst: placed.slice(0, limit), worstPair: placed[0] };
}

const extentOf = ({ box }: Overlap) => box.end.map((last, axis) => last - box.begin[axis]);

/** How often each pair of labels meets in the overlap; places count its voxels. */
export async function labelTable(
  a: Volume,
  b: Volume,
  overlap: Overlap,
  options: BlockOptions = {},
): Promise<ContingencyTable> {
  for (const { path, metadata } of [a, b]) {
    if (factsOf(metadata.dataType).kind !== 'float') continue;
    const message = `${path}: expected labels of an integer type to compare as a partition, found ${metadata.dataType}`;
    throw new BlockwrightError('ERR_ARGUMENT', message, { path });
  }
  const { signal } = options;
  const extent = extentOf(overlap);
  const tables = new TableSum(signal);
  for await (const pair of blockPairs(a, b, overlap, options)) {
    const table = await contingencyTable(uint64Labels(a.path, pair.a), uint64Labels(b.path, pair.b), { signal });
    const begin = pair.box.begin.map((voxel, axis) => voxel - overlap.box.begin[axis]);
    placeInOverlap(table.places, pair.shape, begin, extent);
    await tables.add(table);
  }
  return tables.total();
}

/** Turns places in a block into places in the overlap. */
function placeInOverlap(
  places: Float64Array,
  block: readonly number[],
  begin: readonly number[],
  extent: readonly number[],
): void {
  for (let row = 0; row < places.length; row++) {
    const voxel = indexToVoxel(places[row], block);
    places[row] = voxel.reduce((index, at, axis) => index * extent[axis] + begin[axis] + at, 0);
  }
}
