import type { Document } from './document.js';

/** Chunks are decoded in memory, and blosc counts with signed 32-bit integers. */
const MAX_CHUNK_BYTES = 2 ** 31 - 1;
const MAX_DIMENSIONS = 6;

/** Checks shape and chunk shape of a metadata document; `chunks` may stand under another key of another object. */
export function checkedShapes(
  shapeOf: Document,
  shapeKey: string,
  chunksOf: Document,
  chunksKey: string,
  elementBytes: number,
): { readonly shape: readonly number[]; readonly chunkShape: readonly number[] } {
  const shape = shapeOf.integers(shapeKey, 0);
  const chunkShape = chunksOf.integers(chunksKey, 1);
  if (chunkShape.length !== shape.length) chunksOf.fail(chunksKey, `${shape.length} entries, one an axis`);
  if (shape.length < 1 || shape.length > MAX_DIMENSIONS) {
    shapeOf.unsupported(shapeKey, `an array of 1 to ${MAX_DIMENSIONS} dimensions`);
  }
  if (chunkShape.reduce((product, extent) => product * extent, elementBytes) > MAX_CHUNK_BYTES) {
    chunksOf.fail(chunksKey, 'a chunk of at most 2^31 - 1 bytes', 'ERR_LIMIT');
  }
  return { shape, chunkShape };
}
