import { innerStore } from '../storage/inner-path.js';
import { movesVoxels } from '../storage/operations/operation.js';
import type { OutputArray, Resource } from '../workers/task-definition.js';
import { resolvePath, withoutLinks } from './paths.js';
import type { Pipeline } from './pipeline.js';

/** What stands on disk behind a resource: two names of one store are one resource, also by way of links. */
export function resourceKey(pipeline: Pipeline, resource: Resource): string {
  return `${resource.kind} ${withoutLinks(resourcePath(pipeline, resource))}`;
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

/** Whether an output is the array at a store. */
export function isAt(pipeline: Pipeline, output: OutputArray, store: string): boolean {
  return withoutLinks(outputStore(pipeline, output)) === withoutLinks(store);
}

export function resourceOf({ name, innerPath }: OutputArray): Resource {
  return { kind: 'array', name, ...(innerPath === undefined ? {} : { innerPath }) };
}

/** A resource that stands on disk by itself, behind one that a task names. */
export interface StoredResource {
  readonly resource: Resource;
  /** Whether its voxels are read at other places than they have in the world. */
  readonly moved: boolean;
}

/** What a resource is made of: the arrays of a stack, and of the stacks in it; else the resource itself. */
export function storedResources(pipeline: Pipeline, resource: Resource): readonly StoredResource[] {
  const { stack, operations } = (resource.kind === 'array' && pipeline.arrays.get(resource.name)) || {};
  const moves = movesVoxels(operations);
  if (stack === undefined) return [{ resource, moved: moves }];
  return stack
    .flatMap((name) => storedResources(pipeline, { kind: 'array', name }))
    .map((one) => ({ ...one, moved: one.moved || moves }));
}

/** The keys of all that a resource is made of. */
export function resourceKeys(pipeline: Pipeline, resource: Resource): readonly string[] {
  return storedResources(pipeline, resource).map((one) => resourceKey(pipeline, one.resource));
}

/** For messages: "the array 'fragments'". */
export function describeResource({ kind, name, innerPath }: Resource): string {
  return `the ${kind === 'lut' ? 'LUT' : kind} '${name}'${innerPath === undefined ? '' : ` (${innerPath})`}`;
}
