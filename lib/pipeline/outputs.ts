import { dirname } from 'node:path';
import { RunFolder } from '../coordinator/run-folder.js';
import { BlockwrightError, codeOf } from '../errors.js';
import { ChunkedArray } from '../storage/chunked-array.js';
import type { OutputArray, Resource } from '../workers/task-definition.js';
import { metadataDifference } from './metadata-difference.js';
import type { PipelinePlan } from './plan.js';
import { describeResource, resourcePath } from './resource-key.js';
import { exists, readStoredArray } from './stored-arrays.js';
import { writesOf } from './upstream.js';

/** Creates an output array, or checks that the one that is there is the same. */
export async function prepareOutput(store: string, output: OutputArray): Promise<void> {
  const { name, metadata } = output;
  let found: ChunkedArray;
  try {
    found = await ChunkedArray.open(store);
  } catch (error) {
    if (codeOf(error) !== 'ERR_ARRAY_MISSING') throw error;
    await ChunkedArray.create(store, metadata);
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

/**
 * What tasks wrote must be there as long as blocks of theirs count as done: else a run would be complete over missing data.
 *
 * @param begun names of the tasks of which blocks are done
 * @throws ERR_OUTPUT_MISSING with all that is missing, and what to remove to have it made again
 */
export async function checkOutputs({ pipeline, tasks }: PipelinePlan, begun: readonly string[]): Promise<void> {
  const folder = new RunFolder(pipeline.runDirectory);
  const missing: string[] = [];
  for (const { task, plan } of tasks.filter((one) => begun.includes(one.task.name))) {
    for (const resource of writesOf(plan)) {
      const path = resourcePath(pipeline, resource);
      if (await isThere(resource.kind, path)) continue;
      missing.push(
        `task ${task.name}: blocks of it are recorded as done, but ${describeResource(resource)}, which they wrote, is not ` +
          `at ${path}. Bring it back, or remove ${dirname(folder.doneRecord(task.name))} to run the task from its beginning`,
      );
    }
  }
  if (missing.length > 0) throw new BlockwrightError('ERR_OUTPUT_MISSING', missing.join('\n'));
}

async function isThere(kind: Resource['kind'], path: string): Promise<boolean> {
  if (kind !== 'array') return exists(path);
  // one that is damaged has an error of its own
  const { metadata, error } = await readStoredArray(path);
  return metadata !== undefined || error !== undefined;
}
