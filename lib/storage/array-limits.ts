import type { ChunkFormat } from './array-format.js';
import type { Document } from './document.js';

/** Chunks are decoded in memory, and blosc counts with signed 32-bit integers. */
const MAX_CHUNK_BYTES = 2 ** 31 - 1;
/** A shard is never in memory as a whole, unless codecs lie around it. */
const MAX_SHARD_BYTES = 2 ** 40;
/** Of a shard: an entry takes 16 bytes of its index. */
const MAX_INNER_CHUNKS = 2 ** 22;
const MAX_SHARD_LEVELS = 4;
/** Each makes the largest size that its input can have a little larger. */
const MAX_CODECS = 16;
/** Axes of an array, channels included. */
export const MAX_DIMENSIONS = 6;

const product = (values: readonly number[]) => values.reduce((result, value) => result * value, 1);

/** Checks shape and chunk shape of a metadata document; `chunks` may stand under another key of another object. */
export function checkedShapes(
  shapeOf: Document,
  shapeKey: string,
  chunksOf: Document,
  chunksKey: string,
): { readonly shape: readonly number[]; readonly chunkShape: readonly number[] } {
  const shape = shapeOf.integers(shapeKey, 0);
  const chunkShape = chunksOf.integers(chunksKey, 1);
  if (chunkShape.length !== shape.length) chunksOf.fail(chunksKey, `${shape.length} entries, one an axis`);
  if (shape.length > MAX_DIMENSIONS) shapeOf.unsupported(shapeKey, `an array of at most ${MAX_DIMENSIONS} dimensions`);
  return { shape, chunkShape };
}

/** Refuses a list of codecs that is too long to be sensible. */
export function checkCodecCount(document: Document, key: string): void {
  if (document.list(key).length > MAX_CODECS) document.fail(key, `at most ${MAX_CODECS} codecs`, 'ERR_LIMIT');
}

/** Refuses chunks and shards that are too large, before memory is taken for one; the document's key gives the chunk's shape. */
export function checkChunkSize(chunk: ChunkFormat, elementBytes: number, document: Document, key: string): void {
  const bytes = product(chunk.chunkShape) * elementBytes;
  if (chunk.shard === undefined || chunk.codecs.length > 0) {
    if (bytes > MAX_CHUNK_BYTES) document.fail(key, 'a chunk of at most 2^31 - 1 bytes', 'ERR_LIMIT');
  } else if (bytes > MAX_SHARD_BYTES) {
    document.fail(key, 'a shard of at most 2^40 bytes', 'ERR_LIMIT');
  }
  if (chunk.shard === undefined) return;
  if (product(chunk.chunkShape) / product(chunk.shard.inner.chunkShape) > MAX_INNER_CHUNKS) {
    document.fail(key, `a shard of at most ${MAX_INNER_CHUNKS} chunks`, 'ERR_LIMIT');
  }
  if (shardLevels(chunk) > MAX_SHARD_LEVELS) {
    document.fail(key, `at most ${MAX_SHARD_LEVELS} shards inside each other`, 'ERR_LIMIT');
  }
}

function shardLevels(chunk: ChunkFormat): number {
  return chunk.shard === undefined ? 0 : 1 + shardLevels(chunk.shard.inner);
}
