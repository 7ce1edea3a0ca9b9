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
  /** Absolute path of the array's folder. */
  readonly store: string;
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
 * @throws as {@link openStore}; ERR_ARGUMENT for an operation that the volume does not allow, or volumes that do not stack
 */
export async function openVolume(source: VolumeSource): Promise<Volume> {
  const { store, stack, operations = [] } = source;
  const volume =
    stack === undefined ? await openStore(store) : new StackedVolume(await Promise.all(stack.map(openVolume)));
  if (operations.length === 0) return volume;
  const windows =
    store !== undefined && needsWindows(operations) ? await readOmeroWindows(store) : { missing: 'a stack' };
  return LazyVolume.over(volume, operations, windows);
}
