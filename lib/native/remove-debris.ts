import { callNative } from './addon.js';
import { checkType, checkWholeNumber } from './checks.js';

/**
 * Sets labels of fewer than `minimumSize` voxels to 0, **in place**.
 *
 * @param labels uint64, any shape; after an error (ERR_CANCELLED too) some of the labels may have been cleared
 * @returns how many labels were cleared
 * @throws ERR_ARGUMENT, ERR_CANCELLED
 */
export async function removeDebris(
  labels: BigUint64Array,
  minimumSize: number,
  options: { readonly signal?: AbortSignal } = {},
): Promise<number> {
  checkType('labels', labels, 'BigUint64Array');
  checkWholeNumber('minimumSize', minimumSize, 0);
  return callNative<number>('removeDebris', { labels, minimumSize }, options.signal);
}
