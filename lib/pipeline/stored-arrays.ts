import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '../errors.js';
import type { ArrayMetadata } from '../storage/metadata.js';
import { openStore } from '../storage/open-store.js';

/** What stands at an array's store before a run. */
export interface StoredArray {
  /** Undefined when there is no array. */
  readonly metadata?: ArrayMetadata;
  /** What is there in place of an array. */
  readonly instead?: string;
  /** Why the array that is there cannot be used. */
  readonly error?: unknown;
}

/** Looks at a store without changing it. */
export async function readStoredArray(store: string): Promise<StoredArray> {
  try {
    return { metadata: (await openStore(store)).metadata };
  } catch (error) {
    if (codeOf(error) !== 'ERR_ARRAY_MISSING') return { error };
    const { found } = (error as { details?: { found?: unknown } }).details ?? {};
    return typeof found === 'string' ? { instead: found } : {};
  }
}

/** Whether a path exists, as whatever. */
export async function exists(...path: string[]): Promise<boolean> {
  return stat(join(...path)).then(
    () => true,
    () => false,
  );
}
