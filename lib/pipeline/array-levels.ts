import { storeOfLevel } from '../storage/image-level.js';
import type { Pipeline } from './pipeline.js';
import type { StoredArray } from './stored-arrays.js';

/**
 * Finds the levels that voxel sizes name, so that from here on every array has a store of its own. The images must be there: a
 * level that a task of this pipeline makes is named by its path.
 *
 * @returns the pipeline with these stores, and what is wrong with those that were not found, by store
 */
export async function resolveLevels(
  given: Pipeline,
): Promise<{ readonly pipeline: Pipeline; readonly stored: Map<string, StoredArray> }> {
  const stored = new Map<string, StoredArray>();
  const arrays = new Map(given.arrays);
  for (const [name, array] of given.arrays) {
    if (array.source.stack !== undefined || array.source.level === undefined) continue;
    const { level, ...source } = array.source;
    let store = `${source.store} [${level}]`;
    try {
      store = await storeOfLevel(source.store, level);
    } catch (error) {
      stored.set(store, { error });
    }
    arrays.set(name, { ...array, store, source: { ...source, store } });
  }
  return { pipeline: { ...given, arrays }, stored };
}
