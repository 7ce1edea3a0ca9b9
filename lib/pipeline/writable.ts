import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { codeOf } from '../errors.js';
import { isAddress } from '../storage/address.js';
import type { Check } from './check.js';
import { withoutLinks } from './paths.js';
import type { Pipeline } from './pipeline.js';
import { isInside } from './places.js';
import { pathOfReference } from './plan-context.js';
import { type Refusal, refusal } from './refusal.js';
import { describeResource, resourcePath } from './resource-key.js';
import { writesOf } from './upstream.js';

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied (EACCES)',
  EPERM: 'not permitted (EPERM)',
  EROFS: 'read-only file system (EROFS)',
};

/** What a task writes must be in places that can be written to. */
export async function checkWritable({ pipeline, task, plan }: Check): Promise<Refusal[]> {
  const found: Refusal[] = [];
  for (const resource of writesOf(plan)) {
    const path = resourcePath(pipeline, resource);
    const reason = isAddress(path) ? 'remote stores can only be read' : await whyNotWritable(path);
    if (reason === undefined) continue;
    const text = `${describeResource(resource)} cannot be written to ${path}: ${reason}`;
    found.push(refusal(pipeline, pathOfReference(task, resource.kind, resource.name), text));
  }
  return found;
}

/** The run directory must be a folder of its own that can be written to, or made. */
export async function checkRunDirectory(pipeline: Pipeline): Promise<Refusal[]> {
  const { runDirectory } = pipeline;
  const own = withoutLinks(runDirectory);
  const refuse = (text: string) => [refusal(pipeline, ['runDirectory'], `the run directory ${runDirectory} ${text}`)];
  for (const [kind, list] of [
    ['array', pipeline.arrays.values()],
    ['graph', pipeline.graphs.values()],
  ] as const) {
    for (const { name } of list) {
      if (kind === 'array' && pipeline.arrays.get(name)?.store === undefined) continue;
      const path = resourcePath(pipeline, { kind, name });
      const what = describeResource({ kind, name });
      if (withoutLinks(path) === own) return refuse(`has the path of ${what}`);
      if (isInside(own, withoutLinks(path))) return refuse(`lies inside ${what} (${path})`);
    }
  }
  const isFolder = await stat(runDirectory).then(
    (found) => found.isDirectory(),
    () => true,
  );
  const reason = isFolder ? await whyNotWritable(runDirectory) : 'it is no folder';
  return reason === undefined ? [] : refuse(`cannot be written: ${reason}`);
}

/** Why a file or folder cannot be made or changed: judged by itself and by the nearest folder above it that is there. */
export async function whyNotWritable(path: string): Promise<string | undefined> {
  for (let place = path; ; place = dirname(place)) {
    try {
      if (place !== path && !(await stat(place)).isDirectory()) return `${place} is no folder`;
      await access(place, constants.W_OK);
      if (place !== path) return undefined;
    } catch (error) {
      const code = codeOf(error) ?? '';
      if (code !== 'ENOENT' && code !== 'ENOTDIR') return `${place}: ${REASONS[code] ?? code}`;
      if (place === dirname(place)) return undefined;
    }
  }
}
