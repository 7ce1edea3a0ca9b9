import { type DataType, factsOf } from './data-type.js';

/** Larger chunks are not read or written faster (ARCHITECTURE.md has figures), and a small region of one costs more. */
const LARGEST_CHUNK_BYTES = 2 ** 20;
/** Thinner chunks are not made for the sake of their size: rows get short, and neighbours' voxels lie far apart. */
const SMALLEST_EXTENT = 16;
/** With more chunks a block, its chunks are put into one file. */
const MOST_FILES = 8;

/** How a new array is cut. */
export interface ChunkSizes {
  readonly chunkShape: readonly number[];
  readonly shardShape?: readonly number[];
}

/**
 * Chunks for an array that is written block by block: the block itself where it has at most 1 MiB, else the most cubic divisor of
 * it that has; where that makes more than 8 files a block, the block becomes a shard. So no two blocks share a file,
 * and a block is never thousands of files.
 *
 * @param blockShape voxels that a block writes, an entry an axis
 */
export function chunkSizesFor(blockShape: readonly number[], dataType: DataType): ChunkSizes {
  const { storedBytes } = factsOf(dataType);
  const chunkShape = [...blockShape];
  while (product(chunkShape) * storedBytes > LARGEST_CHUNK_BYTES) {
    const smaller = chunkShape.map((extent, axis) => nextDivisor(blockShape[axis], extent));
    // The longest extent that can be cut; the first axis of several.
    const longest = Math.max(...chunkShape.filter((_, axis) => smaller[axis] !== undefined));
    const axis = chunkShape.findIndex((extent, index) => extent === longest && smaller[index] !== undefined);
    const extent = smaller[axis];
    if (extent === undefined) break;
    chunkShape[axis] = extent;
  }
  const files = product(blockShape) / product(chunkShape);
  return files > MOST_FILES ? { chunkShape, shardShape: [...blockShape] } : { chunkShape };
}

/** The largest divisor of a block's extent below `extent`, if it is not too small. */
function nextDivisor(block: number, extent: number): number | undefined {
  for (let parts = Math.floor(block / extent) + 1; block / parts >= SMALLEST_EXTENT; parts += 1) {
    if (block % parts === 0) return block / parts;
  }
  return undefined;
}

function product(values: readonly number[]): number {
  return values.reduce((result, value) => result * value, 1);
}
