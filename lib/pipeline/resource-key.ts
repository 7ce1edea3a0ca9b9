import type { Resource } from '../workers/task-definition.js';
import { resolvePath } from './paths.js';
import type { Pipeline } from './pipeline.js';

/** What stands on disk behind a resource: two names of one store are one resource. */
export function resourceKey(pipeline: Pipeline, resource: Resource): string {
  return `${resource.kind} ${resourcePath(pipeline, resource)}`;
}

/** The file or folder of a resource, absolute. */
export function resourcePath(pipeline: Pipeline, { kind, name }: Resource): string {
  if (kind === 'array') return pipeline.arrays.get(name)?.store ?? name;
  if (kind === 'graph') return pipeline.graphs.get(name)?.path ?? name;
  return resolvePath(pipeline.folder, name);
}

/** For messages: "the array 'fragments'". */
export function describeResource({ kind, name }: Resource): string {
  return `the ${kind === 'lut' ? 'LUT' : kind} '${name}'`;
}
