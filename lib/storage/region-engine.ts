import { endianness } from 'node:os';
import { callNative } from '../native/addon.js';
import type { ArrayFormat, ChunkFormat } from './array-format.js';
import { factsOf } from './data-type.js';
import type { RegionMemory } from './region-memory.js';

export interface RegionCall {
  readonly threads: number;
  readonly signal?: AbortSignal | undefined;
}

/** A chunk as native/io/chunk_layout.h has it. */
function nativeLayout(chunk: ChunkFormat, storedBytes: number): Record<string, unknown> {
  const { chunkShape, order, bigEndian, shard, codecs } = chunk;
  const swap = (big: boolean) => big !== (endianness() === 'BE');
  return {
    chunkShape,
    order,
    swap: storedBytes > 1 && swap(bigEndian),
    codecs,
    shard: shard && {
      inner: nativeLayout(shard.inner, storedBytes),
      indexAtStart: shard.indexLocation === 'start',
      indexSwap: swap(shard.indexBigEndian),
      indexChecksum: shard.indexChecksum,
    },
  };
}

function nativeOptions(path: string, format: ArrayFormat, region: RegionMemory): Record<string, unknown> {
  const { storedBytes } = factsOf(format.dataType);
  return {
    path,
    shape: format.shape,
    layout: nativeLayout(format, storedBytes),
    itemSize: storedBytes,
    float16: format.dataType === 'float16',
    keyPrefix: format.keyPrefix,
    keySeparator: format.keySeparator,
    fill: format.fill,
    storesFill: format.noFill === true,
    ...region,
  };
}

/** Reads a region natively; resolves with the number of missing chunks, which read as the fill value. */
export async function readRegionNatively(
  path: string,
  format: ArrayFormat,
  region: RegionMemory,
  call: RegionCall,
): Promise<number> {
  return callNative<number>(
    'readRegion',
    { ...nativeOptions(path, format, region), threads: call.threads },
    call.signal,
  );
}

/** Writes a region natively. */
export async function writeRegionNatively(
  path: string,
  format: ArrayFormat,
  region: RegionMemory,
  call: RegionCall & { readonly durable: boolean },
): Promise<void> {
  const options = { ...nativeOptions(path, format, region), threads: call.threads, durable: call.durable };
  return callNative<void>('writeRegion', options, call.signal);
}

/** A chunk of an array, or of shards in it. */
export interface ChunkPlace {
  /** Position of the file in the array's grid. */
  readonly index: readonly number[];
  /** Position in the shard, in the shard within it, and so on; empty for what a whole file holds. */
  readonly inner: readonly (readonly number[])[];
}

/**
 * Decodes the voxels of a region that lie in a chunk whose bytes are in memory.
 *
 * @param encoded left out: the chunk is missing, and reads as the fill value
 * @throws ERR_CHUNK_CORRUPT as {@link readRegionNatively}
 */
export async function decodeChunkNatively(
  path: string,
  format: ArrayFormat,
  region: RegionMemory,
  { index, inner }: ChunkPlace,
  encoded: Uint8Array | undefined,
): Promise<void> {
  return callNative<void>('decodeChunk', { ...nativeOptions(path, format, region), index, inner, encoded });
}

/**
 * Finds the inner chunks of a shard that a region meets, and fills those that are missing.
 *
 * @param shardIndex the bytes of the shard's index
 * @param shardSize bytes of the whole shard
 * @returns offset in the shard and length of each inner chunk in raster order; -1 for one that is missing
 * @throws ERR_CHUNK_CORRUPT as {@link readRegionNatively}
 */
export async function findInnerChunksNatively(
  path: string,
  format: ArrayFormat,
  region: RegionMemory,
  { index, inner }: ChunkPlace,
  shardIndex: Uint8Array,
  shardSize: number,
): Promise<Float64Array> {
  return callNative<Float64Array>('findInnerChunks', {
    ...nativeOptions(path, format, region),
    index,
    inner,
    shardIndex,
    shardSize,
  });
}
