import { BlockwrightError } from '../errors.js';
import type { Coordinate } from '../geometry/coordinate.js';
import type { Roi } from '../geometry/roi.js';
import type { ArrayMetadata } from './metadata.js';

/** A grid of blocks, in world units of the physical axes. */
export interface WriteGrid {
  /** Begin of the write region of the first block. */
  readonly begin: Coordinate;
  /** Write shape of a block. */
  readonly blockShape: Coordinate;
  /** Blocks per axis. */
  readonly gridShape: readonly number[];
  /** What all blocks together write; a block is cut to it. */
  readonly total: Roi;
}

/** Two blocks of a grid write one chunk, or one shard. Lists have an entry a physical axis. */
export interface SharedChunk {
  /** What is written as a whole. */
  readonly unit: 'chunk' | 'shard';
  /** The first physical axis along which neighbours share one. */
  readonly axis: number;
  /** Voxels of the chunk or shard. */
  readonly chunkShape: readonly number[];
  readonly blockShapeInVoxels: readonly number[];
  /** Voxel of the array at which the first block begins. */
  readonly beginInVoxels: readonly number[];
  /**
   * A block shape in voxels that shares none, for the same begin: the nearest multiple of the chunk or shard; the whole rest of the
   * axis where the first block does not begin at a border, because then no multiple helps.
   */
  readonly suggestion: readonly number[];
}

/** What the blocks write of one axis, in voxels of the array. */
interface AxisGrid {
  readonly begin: number;
  readonly block: number;
  readonly blocks: number;
  /** What is written lies in [low, high). */
  readonly low: number;
  readonly high: number;
  readonly chunk: number;
}

/** Whether a border between two blocks, with voxels to write on both sides, lies inside a chunk. */
function splitsChunk({ begin, block, blocks, low, high, chunk }: AxisGrid): boolean {
  const first = Math.max(1, Math.floor((low - begin) / block) + 1);
  // Borders are begin + i * block. If two in a row are multiples of the chunk, all that follow are.
  for (let i = first; i < Math.min(blocks, first + 2); i += 1) {
    const border = begin + i * block;
    if (border < high && border % chunk !== 0) return true;
  }
  return false;
}

function suggestedBlock({ begin, block, high, chunk }: AxisGrid): number {
  if (begin % chunk !== 0) return Math.max(block, high - begin);
  return Math.max(1, Math.round(block / chunk)) * chunk;
}

/**
 * Tells whether two different blocks write into one chunk of an array, or one shard where it has shards; such blocks must not
 * run at once, because that is read, changed and written as a whole. Pure arithmetic, independent of the number of blocks. Parts of blocks outside the array or
 * the total are not written.
 *
 * @returns undefined when none is shared
 * @throws ERR_GEOMETRY when the grid does not lie on the array's voxels
 */
export function findSharedChunk(
  array: Pick<ArrayMetadata, 'shape' | 'chunkShape' | 'shardShape' | 'channelAxes' | 'offset' | 'voxelSize'>,
  grid: WriteGrid,
): SharedChunk | undefined {
  const begin = grid.begin.subtract(array.offset).divide(array.voxelSize).values;
  const block = grid.blockShape.divide(array.voxelSize).values;
  const total = grid.total.translate(array.offset.negate()).inVoxels(array.voxelSize);
  const shape = array.shape.slice(array.channelAxes);
  const chunkShape = (array.shardShape ?? array.chunkShape).slice(array.channelAxes);
  const axes = shape.map((extent, axis) => ({
    begin: begin[axis],
    block: block[axis],
    blocks: grid.gridShape[axis],
    low: Math.max(0, total.begin.at(axis), begin[axis]),
    high: Math.min(extent, total.end.at(axis), begin[axis] + grid.gridShape[axis] * block[axis]),
    chunk: chunkShape[axis],
  }));
  if (axes.some(({ low, high }) => low >= high)) return undefined;
  // Blocks tile the volume, so two of them share a chunk only if neighbours along one axis do.
  const split = axes.map(splitsChunk);
  const axis = split.indexOf(true);
  if (axis < 0) return undefined;
  return {
    unit: array.shardShape === undefined ? 'chunk' : 'shard',
    axis,
    chunkShape,
    blockShapeInVoxels: block,
    beginInVoxels: begin,
    suggestion: axes.map((one, index) => (split[index] ? suggestedBlock(one) : one.block)),
  };
}

/** The refusal of a plan in which blocks share a chunk or shard. */
export function sharedChunkError(path: string, shared: SharedChunk): BlockwrightError {
  const { unit, axis, chunkShape, blockShapeInVoxels, beginInVoxels, suggestion } = shared;
  const aligned = beginInVoxels[axis] % chunkShape[axis] === 0;
  const hint = aligned
    ? `blocks of [${suggestion}] voxels work`
    : `the first block begins at voxel ${beginInVoxels[axis]}, inside a ${unit}: begin at a multiple of ${chunkShape[axis]}, or use blocks of [${suggestion}] voxels`;
  return new BlockwrightError(
    'ERR_CHUNK_SHARED',
    `${path}: blocks of [${blockShapeInVoxels}] voxels would write into the same ${unit} of [${chunkShape}] along axis ${axis}; ${hint}`,
    { path, ...shared },
  );
}
