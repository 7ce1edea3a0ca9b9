import { ChunkedArray } from './chunked-array.js';
import type { Volume } from './volume.js';

/**
 * Opens what stands at a store.
 *
 * @param store absolute path of an array's folder
 * @throws as {@link ChunkedArray.open}
 */
export async function openStore(store: string): Promise<Volume> {
  return ChunkedArray.open(store);
}
