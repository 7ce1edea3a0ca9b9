import { endianness } from 'node:os';
import { callNative } from '../native/addon.js';
import type { ArrayFormat } from './array-format.js';
import { factsOf } from './data-type.js';
import type { RegionMemory } from './region-memory.js';

export interface RegionCall {
  readonly threads: number;
  readonly signal?: AbortSignal | undefined;
}

function nativeOptions(path: string, format: ArrayFormat, region: RegionMemory): Record<string, unknown> {
  const { bytes } = factsOf(format.dataType);
  return {
    path,
    shape: format.shape,
    chunkShape: format.chunkShape,
    order: format.order,
    itemSize: bytes,
    swap: bytes > 1 && format.bigEndian !== (endianness() === 'BE'),
    keyPrefix: format.keyPrefix,
    keySeparator: format.keySeparator,
    fill: format.fill,
    codecs: format.codecs,
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
