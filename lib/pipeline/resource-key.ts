import { innerStore } from '../storage/inner-path.js';
import type { OutputArray, Resource } from '../workers/task-definition.js';
import { resolvePath } from './paths.js';
import type { Pipeline } from './pipeline.js';

/** What stands on disk behind a resource: two names of one store are one resource. */
export function resourceKey(pipeline: Pipeline, resource: Resource): string {
  return `${resource.kind} ${resourcePath(pipeline, resource)}`;
}

/** Whether a key is that of another resource, or of an array inside it (a level of an image). */
export function covers(outer: string, key: string): boolean {
  return key === outer || key.startsWith(`${outer}/`);
}

/** The file or folder of a resource, absolute. */
export function resourcePath(pipeline: Pipeline, { kind, name, innerPath = '' }: Resource): string {
  if (kind === 'array') return innerStore(pipeline.arrays.get(name)?.store ?? name, innerPath);
  if (kind === 'graph') return pipeline.graphs.get(name)?.path ?? name;
  return resolvePath(pipeline.folder, name);
}

/** The folder of an output array, absolute. */
export function outputStore(pipeline: Pipeline, output: OutputArray): string {
  return resourcePath(pipeline, resourceOf(output));
}

export function resourceOf({ name, innerPath }: OutputArray): Resource {
  return { kind: 'array', name, ...(innerPath === undefined ? {} : { innerPath }) };
}

/** For messages: "the array 'fragments'". */
export function describeResource({ kind, name, innerPath }: Resource): string {
  return `the ${kind === 'lut' ? 'LUT' : kind} '${name}'${innerPath === undefined ? '' : ` (${innerPath})`}`;
}
