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
