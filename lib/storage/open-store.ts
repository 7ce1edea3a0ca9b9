import { isAddress } from './address.js';
import { ChunkedArray } from './chunked-array.js';
import { NpyVolume } from './npy-volume.js';
import type { Volume } from './volume.js';

/**
 * Opens what stands at a store.
 *
 * @param store absolute path of an array's folder, or the address of one in a remote store: https://..., http://... or s3://...
 * @throws as {@link ChunkedArray.open} and {@link RemoteArray.open}
 */
export async function openStore(store: string): Promise<Volume> {
  if (!isAddress(store)) return ChunkedArray.open(store);
  // Only who reads from afar needs what that takes.
  const { RemoteArray } = await import('./remote-array.js');
  return RemoteArray.open(store);
}

export const isNpy = (path: string): boolean => /\.npy$/i.test(path);

/** The same, and .npy files: for what only reads whole arrays, outside of runs. */
export async function openArray(path: string): Promise<Volume> {
  return !isAddress(path) && isNpy(path) ? NpyVolume.open(path) : openStore(path);
}
