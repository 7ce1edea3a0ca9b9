import { type Level, storeOfLevel } from './image-level.js';
import { openStore } from './open-store.js';
import type { Volume } from './volume.js';

/** Where a volume comes from, as plain data: what a pipeline file says of an array, with its paths resolved. */
export interface VolumeSource {
  /** Absolute path of the array's folder, or of an image's group. */
  readonly store: string;
  /** Which level of the image. Left out, the store is an array: an image is never opened at a level that nobody named. */
  readonly level?: Level;
}

/**
 * Opens a volume for reading, and for writing where it is an array in a local folder and nothing is done to it on the way.
 *
 * @throws as {@link openStore} and {@link storeOfLevel}
 */
export async function openVolume({ store, level }: VolumeSource): Promise<Volume> {
  return openStore(level === undefined ? store : await storeOfLevel(store, level));
}
