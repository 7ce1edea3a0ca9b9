import { factsOf, type TypedArray } from '../storage/data-type.js';
import type { Volume } from '../storage/volume.js';
import { boxesOf, boxWithin, type VoxelRange } from '../storage/voxel-boxes.js';
import type { Overlap } from './overlap.js';

/** Voxels of a block: two blocks of two arrays are in memory, 64 MiB of uint64. */
const BLOCK_VOXELS = 2 ** 21;
/** A chunk with more is read in parts, though each part decodes it. */
const LARGEST_CHUNK = 2 ** 24;

/** The same voxels of two volumes. */
export interface BlockPair {
  /** In voxels of the first volume, all axes. */
  readonly box: VoxelRange;
  readonly shape: readonly number[];
  /** Valid until the next pair is asked for. */
  readonly a: TypedArray;
  readonly b: TypedArray;
}

export interface BlockOptions {
  /** Voxels of a block, all axes or the physical ones. @default whole chunks of both arrays, about 2 million voxels */
  readonly blockShape?: readonly number[] | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told after each block. */
  readonly onBlock?: ((done: number, blocks: number, bytes: number) => void) | undefined;
}

/** The blocks in which the overlap of two volumes is compared lie on the first one's grid. */
export function blockShapeOf(a: Volume, b: Volume, { box }: Overlap, wanted?: readonly number[]): number[] {
  const extent = box.end.map((last, axis) => last - box.begin[axis]);
  if (wanted !== undefined) {
    // channels, where they were not named, come whole
    const named = [...extent.slice(0, Math.max(0, extent.length - wanted.length)), ...wanted.slice(-extent.length)];
    return named.map((length, axis) => Math.max(1, Math.min(length, Math.max(extent[axis], 1))));
  }
  const step = extent.map((length, axis) =>
    Math.max(1, Math.min(length, Math.max(a.metadata.chunkShape[axis], b.metadata.chunkShape[axis]))),
  );
  while (step.reduce((product, length) => product * length, 1) > LARGEST_CHUNK) {
    const axis = step.indexOf(Math.max(...step));
    step[axis] = Math.ceil(step[axis] / 2);
  }
  return boxWithin(step, extent, BLOCK_VOXELS).map((length, axis) => Math.max(1, Math.min(length, extent[axis])));
}

/** Boxes of the grid of `shape`, cut to the overlap, in raster order. */
export function blocksOf({ box }: Overlap, shape: readonly number[]): VoxelRange[] {
  const begin = box.begin.map((first, axis) => Math.floor(first / shape[axis]) * shape[axis]);
  return [...boxesOf({ begin, end: box.end }, shape)].map((one) => ({
    begin: one.begin.map((first, axis) => Math.max(first, box.begin[axis])),
    end: one.end,
  }));
}

/** Reads the overlap of two volumes block by block; the next block is read while the last one is looked at. */
export async function* blockPairs(
  a: Volume,
  b: Volume,
  overlap: Overlap,
  options: BlockOptions = {},
): AsyncGenerator<BlockPair, void> {
  const { signal, onBlock } = options;
  const blocks = blocksOf(overlap, blockShapeOf(a, b, overlap, options.blockShape));
  const memories = [new PairMemory(a, b), new PairMemory(a, b)];
  const read = async (index: number): Promise<BlockPair> => {
    const box = blocks[index];
    const shape = box.end.map((last, axis) => last - box.begin[axis]);
    const moved = (position: readonly number[]) => position.map((voxel, axis) => voxel + overlap.shift[axis]);
    const [intoA, intoB] = memories[index % 2].of(shape.reduce((product, extent) => product * extent, 1));
    const region = signal === undefined ? {} : { signal };
    const [one, other] = await Promise.all([
      a.readRegion(box.begin, box.end, { ...region, into: intoA }),
      b.readRegion(moved(box.begin), moved(box.end), { ...region, into: intoB }),
    ]);
    return { box, shape, a: one, b: other };
  };
  let bytes = 0;
  let next = blocks.length > 0 ? read(0) : undefined;
  for (let index = 0; next !== undefined; index++) {
    const pair: BlockPair = await next;
    next = index + 1 < blocks.length ? read(index + 1) : undefined;
    // whoever stops here leaves it unread
    next?.catch(() => undefined);
    yield pair;
    bytes += pair.a.byteLength + pair.b.byteLength;
    onBlock?.(index + 1, blocks.length, bytes);
  }
}

/** Memory that is read into again and again: new pages cost more than the reading of many. */
class PairMemory {
  private arrays: [TypedArray, TypedArray] | undefined;

  constructor(
    private readonly a: Volume,
    private readonly b: Volume,
  ) {}

  of(voxels: number): [TypedArray, TypedArray] {
    if (this.arrays === undefined || this.arrays[0].length < voxels) {
      const make = ({ metadata }: Volume) => new (factsOf(metadata.dataType).array)(voxels);
      this.arrays = [make(this.a), make(this.b)];
    }
    return [this.arrays[0].subarray(0, voxels), this.arrays[1].subarray(0, voxels)];
  }
}
