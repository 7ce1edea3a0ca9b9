import { indexToVoxel } from '../evaluation/common-grid.js';
import { compareVoxels } from '../native/compare-voxels.js';
import type { Volume } from '../storage/volume.js';
import { type BlockOptions, blockPairs, blockShapeOf } from './block-pairs.js';
import { type Overlap, worldPosition } from './overlap.js';

/** A position, and what both arrays hold there. */
export interface VoxelDifference {
  /** In voxels of the first array, all axes. */
  readonly index: readonly number[];
  /** The voxel's corner in the world. */
  readonly world: readonly number[];
  readonly a: number | bigint;
  readonly b: number | bigint;
}

export interface BlockDifferences {
  readonly begin: readonly number[];
  readonly end: readonly number[];
  readonly different: number;
}

export interface ValueDifferences {
  readonly voxels: number;
  /** Voxels that are not equal; NaN equals NaN. */
  readonly unequal: number;
  /** Voxels whose difference exceeds the tolerance, or of which one alone is NaN. */
  readonly different: number;
  /** Voxels of which one alone is NaN. */
  readonly notNumbers: number;
  /** The largest difference, also where it is within the tolerance. */
  readonly largest: (VoxelDifference & { readonly difference: number }) | undefined;
  /** The first different voxels, block by block in raster order. */
  readonly first: readonly VoxelDifference[];
  /** The box around the different voxels, in voxels of the first array. */
  readonly box: { readonly begin: readonly number[]; readonly end: readonly number[] } | undefined;
  readonly blockShape: readonly number[];
  readonly blocks: number;
  readonly differentBlocks: number;
  /** Blocks with most different voxels, most first. */
  readonly worstBlocks: readonly BlockDifferences[];
  /** The first of them, also where none are listed. */
  readonly worstBlock: BlockDifferences | undefined;
  /** The plane with most different voxels, across the third axis from the end (the first, where there are fewer). */
  readonly worstPlane: { readonly axis: number; readonly index: number; readonly different: number } | undefined;
}

export interface ValueOptions extends BlockOptions {
  /** How far two numbers may be apart. @default 0 */
  readonly tolerance?: number | undefined;
  /** Positions and blocks that are listed, at most. @default 10 */
  readonly limit?: number | undefined;
}

/**
 * Compares the voxels of two volumes where they overlap, block by block. Peak memory: four blocks, 64 MiB of uint64 where the
 * chunks have up to 2^21 voxels.
 */
export async function valueDifferences(
  a: Volume,
  b: Volume,
  overlap: Overlap,
  options: ValueOptions = {},
): Promise<ValueDifferences> {
  const { tolerance, limit = 10, signal } = options;
  const dimensions = a.dimensions;
  const axis = Math.max(0, dimensions - 3);
  const planes = new Map<number, number>();
  const sums = { unequal: 0, different: 0, notNumbers: 0, blocks: 0, differentBlocks: 0 };
  const first: VoxelDifference[] = [];
  let worstBlocks: BlockDifferences[] = [];
  let largest: ValueDifferences['largest'];
  let box: { begin: number[]; end: number[] } | undefined;
  for await (const pair of blockPairs(a, b, overlap, options)) {
    sums.blocks++;
    const shape = dimensions === 0 ? [1] : pair.shape;
    const found = await compareVoxels(pair.a, pair.b, shape, {
      tolerance,
      limit: Math.max(0, limit - first.length),
      planesAlong: axis,
      signal,
    });
    if (found.unequal === 0) continue;
    const differenceAt = (place: number): VoxelDifference => {
      const index = indexToVoxel(place, pair.shape).map((voxel, each) => voxel + pair.box.begin[each]);
      return { index, world: worldPosition(a, index), a: pair.a[place], b: pair.b[place] };
    };
    sums.unequal += found.unequal;
    sums.different += found.different;
    sums.notNumbers += found.notNumbers;
    if (found.largest > (largest?.difference ?? 0)) {
      largest = { ...differenceAt(found.largestAt), difference: found.largest };
    }
    if (found.different === 0) continue;
    sums.differentBlocks++;
    for (const place of found.first) first.push(differenceAt(place));
    worstBlocks.push({ ...pair.box, different: found.different });
    worstBlocks = worstBlocks.sort((x, y) => y.different - x.different).slice(0, Math.max(1, limit));
    const begin = pair.box.begin.map((voxel, each) => voxel + found.begin[each]);
    const end = pair.box.begin.map((voxel, each) => voxel + found.end[each]);
    box = {
      begin: begin.map((voxel, each) => Math.min(voxel, box?.begin[each] ?? voxel)),
      end: end.map((voxel, each) => Math.max(voxel, box?.end[each] ?? voxel)),
    };
    for (const [plane, count] of found.planes.entries()) {
      if (count === 0) continue;
      const index = plane + (pair.box.begin[axis] ?? 0);
      planes.set(index, (planes.get(index) ?? 0) + count);
    }
  }
  let worstPlane: ValueDifferences['worstPlane'];
  for (const [index, different] of planes) {
    if (different > (worstPlane?.different ?? 0)) worstPlane = { axis, index, different };
  }
  const blockShape = blockShapeOf(a, b, overlap, options.blockShape);
  return {
    ...sums,
    voxels: overlap.voxels,
    largest,
    first,
    box,
    blockShape,
    worstBlocks: worstBlocks.slice(0, limit),
    worstBlock: worstBlocks[0],
    worstPlane,
  };
}
