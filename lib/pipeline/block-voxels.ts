import { emptyGridRange, type GridRange } from '../blocks/grid-range.js';
import type { BlockPlan } from '../blocks/plan.js';
import { factsOf, type TypedArray } from '../storage/data-type.js';
import type { ArrayMetadata } from '../storage/metadata.js';
import type { Volume } from '../storage/volume.js';

/** Bytes of an array that are read together, at most, unless one of its chunks has more. */
const READ_BYTES = 2 ** 24;

/** Along one axis: the voxels [begin, end) of an array that belong to the block at a position. Both ascend. */
export interface AxisVoxels {
  begin(position: number): number;
  end(position: number): number;
}

/** The voxels of a volume that blocks write in the world; none for a block that lies outside. */
export function voxelsOfBlocks({ axes }: BlockPlan, metadata: ArrayMetadata): AxisVoxels[] {
  const { offset, voxelSize, channelAxes, shape } = metadata;
  return axes.map((axis, i) => {
    const inside = (voxel: number) => Math.min(Math.max(voxel, 0), shape[channelAxes + i]);
    return {
      begin: (position) => inside(Math.floor((axis.writeBegin(position) - offset.at(i)) / voxelSize.at(i))),
      end: (position) => inside(Math.ceil((axis.writeEnd(position) - offset.at(i)) / voxelSize.at(i))),
    };
  });
}

/** One voxel a block. */
export function cellsOfBlocks({ axes }: BlockPlan): AxisVoxels[] {
  return axes.map(() => ({ begin: (position) => position, end: (position) => position + 1 }));
}

/**
 * Which blocks have a voxel that is not 0, in any channel (NaN is not 0). Reads the array in boxes of whole chunks, only
 * those where something is to be found out.
 *
 * @param first raster index of the first block that is asked about
 * @param open one byte a block from there on: 1 where it is asked about
 * @returns one byte a block: 1 where it is asked about and has such a voxel
 */
export async function blocksWithVoxels(
  volume: Volume,
  { plan, voxels }: { readonly plan: BlockPlan; readonly voxels: readonly AxisVoxels[] },
  first: number,
  open: Uint8Array,
): Promise<Uint8Array> {
  const found = new Uint8Array(open.length);
  const grid = plan.gridShape.values;
  const range = boxAround(grid, first, open);
  const { channelAxes } = volume.metadata;
  const low = volume.shape.map((_, i) =>
    i < channelAxes ? 0 : voxels[i - channelAxes].begin(range.begin[i - channelAxes]),
  );
  const high = volume.shape.map((size, i) =>
    i < channelAxes
      ? size
      : range.end[i - channelAxes] === 0
        ? 0
        : voxels[i - channelAxes].end(range.end[i - channelAxes] - 1),
  );
  for (const box of boxes(low, high, stepOf(volume))) {
    const blocks = blocksOfBox(voxels, range, box, channelAxes);
    const undecided: number[] = [];
    visitPositions(blocks, grid, (block) => {
      if (open[block - first] === 1 && found[block - first] === 0) undecided.push(block);
    });
    if (undecided.length === 0) continue;
    const data = await volume.readRegion(box.begin, box.end);
    const position = new Array<number>(grid.length);
    for (const block of undecided) {
      place(block, grid, position);
      if (holdsVoxel(data, box, voxels, position, channelAxes)) found[block - first] = 1;
    }
  }
  return found;
}

interface VoxelRange {
  readonly begin: readonly number[];
  readonly end: readonly number[];
}

/** The smallest box of grid positions with all blocks that are asked about; empty when none is. */
function boxAround(grid: readonly number[], first: number, open: Uint8Array): GridRange {
  const range = emptyGridRange(grid.length);
  range.begin.fill(Number.POSITIVE_INFINITY);
  const position = new Array<number>(grid.length);
  for (let i = open.indexOf(1); i >= 0; i = open.indexOf(1, i + 1)) {
    place(first + i, grid, position);
    for (let axis = 0; axis < grid.length; axis++) {
      range.begin[axis] = Math.min(range.begin[axis], position[axis]);
      range.end[axis] = Math.max(range.end[axis], position[axis] + 1);
    }
  }
  if (range.end[0] === 0) range.begin.fill(0);
  return range;
}

/** Whole chunks, as many as READ_BYTES hold, grown from the last axis on, as they follow each other in memory. */
function stepOf({ shape, metadata }: Volume): number[] {
  const { shardShape, chunkShape, dataType } = metadata;
  const bytesOf = (extent: readonly number[]) =>
    extent.reduce((product, size) => product * size, factsOf(dataType).bytes);
  const within = (extent: readonly number[]) => extent.map((size, i) => Math.min(size, shape[i]));
  const whole = within(shardShape ?? chunkShape);
  const step = bytesOf(whole) <= READ_BYTES ? whole : within(chunkShape);
  let bytes = bytesOf(step);
  for (let axis = step.length - 1; axis >= 0; axis--) {
    const times = Math.min(Math.max(1, Math.floor(READ_BYTES / bytes)), Math.ceil(shape[axis] / step[axis]));
    step[axis] *= times;
    bytes *= times;
  }
  return step;
}

/** [low, high) cut at the multiples of `step`. */
function* boxes(low: readonly number[], high: readonly number[], step: readonly number[]): Generator<VoxelRange> {
  if (low.some((begin, i) => begin >= high[i])) return;
  const at = low.map((begin, i) => Math.floor(begin / step[i]));
  for (;;) {
    yield {
      begin: at.map((part, i) => Math.max(part * step[i], low[i])),
      end: at.map((part, i) => Math.min((part + 1) * step[i], high[i])),
    };
    let axis = at.length - 1;
    while (axis >= 0 && (at[axis] + 1) * step[axis] >= high[axis]) {
      at[axis] = Math.floor(low[axis] / step[axis]);
      axis--;
    }
    if (axis < 0) return;
    at[axis]++;
  }
}

/** The blocks of a range that have voxels in a box. */
function blocksOfBox(
  voxels: readonly AxisVoxels[],
  range: GridRange,
  { begin, end }: VoxelRange,
  channelAxes: number,
): GridRange {
  const blocks = emptyGridRange(voxels.length);
  voxels.forEach((axis, i) => {
    const [low, high] = [range.begin[i], range.end[i]];
    blocks.begin[i] = lowest(low, high, (position) => axis.end(position) > begin[channelAxes + i]);
    blocks.end[i] = lowest(low, high, (position) => axis.begin(position) >= end[channelAxes + i]);
  });
  return blocks;
}

/** The lowest whole number of [low, high) for which something holds that holds for all above it; `high` if none. */
function lowest(low: number, high: number, holds: (value: number) => boolean): number {
  let [from, to] = [low, high];
  while (from < to) {
    const middle = Math.floor((from + to) / 2);
    if (holds(middle)) to = middle;
    else from = middle + 1;
  }
  return from;
}

function visitPositions(
  range: GridRange,
  grid: readonly number[],
  visit: (block: number) => void,
  axis = 0,
  base = 0,
): void {
  for (let position = range.begin[axis]; position < range.end[axis]; position++) {
    const index = base * grid[axis] + position;
    if (axis === grid.length - 1) visit(index);
    else visitPositions(range, grid, visit, axis + 1, index);
  }
}

function place(block: number, grid: readonly number[], position: number[]): void {
  let rest = block;
  for (let axis = grid.length - 1; axis >= 0; axis--) {
    position[axis] = rest % grid[axis];
    rest = (rest - position[axis]) / grid[axis];
  }
}

/** Whether a voxel of a block, in the part of the array that was read, is not 0. */
function holdsVoxel(
  data: TypedArray,
  box: VoxelRange,
  voxels: readonly AxisVoxels[],
  position: readonly number[],
  channelAxes: number,
): boolean {
  const last = box.begin.length - 1;
  // 0 and 0n are the only numbers that equal it, and NaN is none of them
  const zero = typeof data[0] === 'bigint' ? 0n : 0;
  const search = (axis: number, base: number): boolean => {
    const of = axis < channelAxes ? undefined : voxels[axis - channelAxes];
    const at = position[axis - channelAxes];
    const begin = Math.max(of?.begin(at) ?? 0, box.begin[axis]) - box.begin[axis];
    const end = Math.min(of?.end(at) ?? box.end[axis], box.end[axis]) - box.begin[axis];
    const offset = base * (box.end[axis] - box.begin[axis]);
    for (let voxel = offset + begin; voxel < offset + end; voxel++) {
      if (axis === last ? data[voxel] !== zero : search(axis + 1, voxel)) return true;
    }
    return false;
  };
  return search(0, 0);
}
