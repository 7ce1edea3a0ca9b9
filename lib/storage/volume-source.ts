import { type Level, storeOfLevel } from './image-level.js';
import { readOmeroWindows } from './omero-windows.js';
import { openStore } from './open-store.js';
import { LazyVolume } from './operations/lazy-volume.js';
import { needsWindows, type VolumeOperation } from './operations/operation.js';
import { StackedVolume } from './operations/stacked-volume.js';
import type { Volume } from './volume.js';

/** Where a volume comes from, as plain data: what a pipeline file says of an array, with its paths resolved. */
export type VolumeSource = (StoredSource | StackedSource) & {
  /** What is done to it when it is read, in this order. */
  readonly operations?: readonly VolumeOperation[] | undefined;
};

export interface StoredSource {
  /** Absolute path of the array's folder, or of an image's group. */
  readonly store: string;
  /** Which level of the image. Left out, the store is an array: an image is never opened at a level that nobody named. */
  readonly level?: Level;
  readonly stack?: undefined;
}

export interface StackedSource {
  /** The channels of these, one after the other; of each one channel, along a new first axis, where they have none. */
  readonly stack: readonly VolumeSource[];
  readonly store?: undefined;
}

/**
 * Opens a volume for reading, and for writing where it is an array in a local folder and nothing is done to it on the way.
 *
 * @throws as {@link openStore} and {@link storeOfLevel}; ERR_ARGUMENT for an operation that the volume does not allow, or
 *   volumes that do not stack
 */
export async function openVolume(source: VolumeSource): Promise<Volume> {
  const { stack, operations = [] } = source;
  if (stack !== undefined) {
    const stacked = new StackedVolume(await Promise.all(stack.map(openVolume)));
    return operations.length === 0 ? stacked : LazyVolume.over(stacked, operations, { missing: 'a stack' });
  }
  const store = source.level === undefined ? source.store : await storeOfLevel(source.store, source.level);
  const volume = await openStore(store);
  if (operations.length === 0) return volume;
  const windows = needsWindows(operations) ? await readOmeroWindows(store) : { missing: 'not needed' };
  return LazyVolume.over(volume, operations, windows);
}
