import { openStore } from './open-store.js';
import type { Volume } from './volume.js';

/** Where a volume comes from, as plain data: what a pipeline file says of an array, with its paths resolved. */
export interface VolumeSource {
  /** Absolute path of the array's folder, or its address in a remote store. */
  readonly store: string;
}

/**
 * Opens a volume for reading, and for writing where it is an array in a local folder and nothing is done to it on the way.
 *
 * @throws as {@link openStore}
 */
export async function openVolume(source: VolumeSource): Promise<Volume> {
  return openStore(source.store);
}
