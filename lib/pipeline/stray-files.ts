import { existsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { removeLeftovers, removeLeftoversIn } from '../graph/lut-files.js';
import { parentGroups } from '../storage/parent-groups.js';
import { removeStaleTemporaries } from '../storage/temporary-files.js';
import type { PipelinePlan } from './plan.js';
import { resourcePath } from './resource-key.js';
import { writesOf } from './upstream.js';

/** Removes the temporary files that killed workers left beside what the tasks write. */
export async function removeStrayFiles({ pipeline, tasks }: PipelinePlan): Promise<void> {
  for (const resource of tasks.flatMap(({ plan }) => writesOf(plan))) {
    const path = resourcePath(pipeline, resource);
    if (resource.kind === 'array') {
      if (existsSync(path)) await removeStaleTemporaries(path);
      // the groups that were made for it
      for (const group of parentGroups(path)) {
        if (existsSync(group)) await removeStaleTemporaries(group, { below: false });
      }
    }
    // beside it the note of the run that writes it
    const isNoted = resource.kind === 'lut' || resource.kind === 'graph';
    if (isNoted && existsSync(dirname(path))) await removeStaleTemporaries(dirname(path), { below: false });
    if ((resource.kind === 'lut' || resource.kind === 'file') && existsSync(dirname(path))) await removeLeftovers(path);
    // a folder of files, as of tables
    if (resource.kind === 'file' && statSync(path, { throwIfNoEntry: false })?.isDirectory())
      await removeLeftoversIn(path);
  }
}
