import { hasSuccess } from '../coordinator/done-record.js';
import { RunFolder } from '../coordinator/run-folder.js';
import { isBlockwrightError } from '../errors.js';
import type { Check } from './check.js';
import { pathOfReference } from './plan-context.js';
import { type Refusal, refusal } from './refusal.js';
import { describeResource, resourcePath } from './resource-key.js';
import { exists } from './stored-arrays.js';
import { writesOf } from './upstream.js';

/** Blocks that are recorded as done vouch for what they wrote: an output that was removed since is not taken for done. */
export async function checkRecordedOutputs({ pipeline, task, plan, stored }: Check): Promise<Refusal[]> {
  const record = new RunFolder(pipeline.runDirectory).doneRecord(task.name);
  if (!hasDoneBlocks(record)) return [];
  const found: Refusal[] = [];
  for (const resource of writesOf(plan)) {
    const path = resourcePath(pipeline, resource);
    const { metadata, error } = stored.get(path) ?? {};
    const isThere = resource.kind === 'array' ? metadata !== undefined || error !== undefined : await exists(path);
    if (isThere) continue;
    const text =
      `blocks of the task are recorded as done, and ${describeResource(resource)} that they wrote is not there (${path}). ` +
      `Put it back, or delete ${record} to do them again`;
    found.push(refusal(pipeline, pathOfReference(task, resource.kind, resource.name), text));
  }
  return found;
}

function hasDoneBlocks(record: string): boolean {
  try {
    return hasSuccess(record);
  } catch (error) {
    // The run says what is wrong with a damaged record.
    if (!isBlockwrightError(error)) throw error;
    return false;
  }
}
