import { BlockwrightError, codeOf } from '../errors.js';
import { ChunkedArray } from '../storage/chunked-array.js';
import type { OutputArray } from '../workers/task-definition.js';
import { metadataDifference } from './metadata-difference.js';

/** Creates an output array, or checks that the one that is there is the same. */
export async function prepareOutput(store: string, output: OutputArray): Promise<void> {
  const { name, metadata, create } = output;
  let found: ChunkedArray;
  try {
    found = await ChunkedArray.open(store);
  } catch (error) {
    if (codeOf(error) !== 'ERR_ARRAY_MISSING') throw error;
    await ChunkedArray.create(store, metadata, create);
    return;
  }
  const difference = metadataDifference(found.metadata, metadata);
  if (difference !== undefined) {
    throw new BlockwrightError(
      'ERR_PLAN',
      `the array '${name}' is there already (${store}) and is another: ${difference}`,
    );
  }
}
