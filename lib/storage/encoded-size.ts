import type { ChunkFormat } from './array-format.js';
import { countOf } from './region-memory.js';

/** Bytes of the index of a shard. */
export function indexBytes({ chunkShape, shard }: ChunkFormat): number {
  if (shard === undefined) return 0;
  return 16 * innerCount(chunkShape, shard.inner.chunkShape) + (shard.indexChecksum ? 4 : 0);
}

/** More bytes than a chunk can need when it is encoded, and not many more; native code knows exactly. */
export function encodedLimit(format: ChunkFormat, itemBytes: number): number {
  const { chunkShape, shard, codecs } = format;
  const plain =
    shard === undefined
      ? countOf(chunkShape) * itemBytes
      : innerCount(chunkShape, shard.inner.chunkShape) * encodedLimit(shard.inner, itemBytes) + indexBytes(format);
  return codecs.reduce((size) => Math.ceil(size + size / 32) + 8192, plain);
}

function innerCount(outer: readonly number[], inner: readonly number[]): number {
  return countOf(outer.map((extent, axis) => extent / inner[axis]));
}
