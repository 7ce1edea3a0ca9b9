import { sep } from 'node:path';
import type { Resource } from '../workers/task-definition.js';
import type { Check } from './check.js';
import { withoutLinks } from './paths.js';
import { pathOfReference } from './plan-context.js';
import { type Refusal, refusal } from './refusal.js';
import { describeResource, resourceKey, resourceKeys, resourceOf, resourcePath } from './resource-key.js';
import { writesOf } from './upstream.js';

/** Something of a pipeline that has a file or folder to itself. */
interface Place {
  /** With its name, for messages. */
  readonly what: string;
  readonly kind: Resource['kind'];
  readonly path: string;
  /** The same without links, by which places are compared. */
  readonly real: string;
}

/** A task must not write what it reads, nor anything to or into a place that belongs to something else. */
export function checkPlaces(check: Check): Refusal[] {
  const { pipeline, task, plan } = check;
  const found: Refusal[] = [];
  const places = placesOf(check);
  for (const written of writesOf(plan)) {
    const own = placeOf(check, written);
    const refuse = (text: string) =>
      found.push(refusal(pipeline, pathOfReference(task, written.kind, written.name), text));
    const key = resourceKey(pipeline, written);
    const input = plan.reads.find((one) => resourceKeys(pipeline, one).includes(key));
    // Blocks that conflict are kept apart, and read what their neighbours wrote on purpose; rows of a graph are each block's own.
    if (input !== undefined && written.kind !== 'graph' && !plan.blocks.readWriteConflict) {
      const same = input.name === written.name ? '' : ` (as '${input.name}')`;
      refuse(
        `the task reads${same} and writes ${own.what}: a block that is run again would read its own result. Write to another store`,
      );
    }
    for (const other of places) {
      if (other.real === own.real) {
        if (other.kind !== own.kind) refuse(`${own.what} and ${other.what} have the same path (${own.path})`);
      } else if (isInside(own.real, other.real)) {
        refuse(`${own.what} lies inside ${other.what} (${other.path})`);
      } else if (isInside(other.real, own.real)) {
        refuse(`${other.what} lies inside ${own.what} (${own.path})`);
      }
    }
  }
  return found;
}

function placeOf({ pipeline }: Pick<Check, 'pipeline'>, resource: Resource): Place {
  const path = resourcePath(pipeline, resource);
  return { what: describeResource(resource), kind: resource.kind, path, real: withoutLinks(path) };
}

/** All arrays and graphs, and the LUTs and files of tasks. */
function placesOf(check: Check): Place[] {
  const { pipeline, planned } = check;
  const paths = planned
    .flatMap(({ plan }) => [...plan.reads, ...writesOf(plan)])
    .filter(({ kind }) => kind === 'lut' || kind === 'file');
  // An image's group has no place of its own: what is in it has.
  const groups = new Set(planned.flatMap(({ plan }) => plan.images ?? []).map(({ name }) => name));
  const levels = planned.flatMap(({ plan }) => plan.outputs).filter(({ innerPath }) => innerPath !== undefined);
  const all = [
    ...[...pipeline.arrays.values()]
      .filter(({ name, store }) => store !== undefined && !groups.has(name))
      .map(({ name }) => placeOf(check, { kind: 'array', name })),
    ...levels.map((level) => placeOf(check, resourceOf(level))),
    ...[...pipeline.graphs.keys()].map((name) => placeOf(check, { kind: 'graph', name })),
    ...paths.map((path) => placeOf(check, path)),
  ];
  // Two names of one thing are told once.
  return all.filter(({ kind, real }, i) => all.findIndex((one) => one.kind === kind && one.real === real) === i);
}

export function isInside(path: string, folder: string): boolean {
  return path !== folder && path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}
