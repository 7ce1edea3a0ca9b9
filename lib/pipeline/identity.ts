import { hashOf } from '../coordinator/canonical-json.js';
import type { ArrayMetadata } from '../storage/metadata.js';
import type { TaskPlan } from '../workers/task-definition.js';
import type { Pipeline, PipelineTask } from './pipeline.js';
import { resourceKey } from './resource-key.js';
import { writesOf } from './upstream.js';

/** What an identity is made of, beside the task itself. */
export interface IdentityFacts {
  readonly pipeline: Pipeline;
  readonly arrays: ReadonlyMap<string, ArrayMetadata>;
  readonly neighborhoods: ReadonlyMap<string, readonly (readonly number[])[]>;
  /** Identities of the tasks that come before this one, by name. */
  readonly earlier: ReadonlyMap<string, { readonly plan: TaskPlan; readonly identity: unknown }>;
}

/**
 * What a task's results depend on beside its blocks, as plain data: a run whose identity changed is not resumed. With
 * those of the tasks that wrote what it finds (as hashes), and so of all before it. Paths are as the file gives them, so
 * that a folder can be moved as a whole; how the work is spread (workers, retries), and in what chunks what is read lies,
 * is no part of it.
 */
export function taskIdentity({ definition, options }: PipelineTask, plan: TaskPlan, facts: IdentityFacts): unknown {
  const { pipeline, arrays, neighborhoods, earlier } = facts;
  const used = [...plan.reads, ...writesOf(plan)];
  const names = (kind: 'array' | 'graph') =>
    [...new Set(used.filter((one) => one.kind === kind).map(({ name }) => name))].sort();
  // what is there when a block runs; rows that others wrote to a graph are only read
  const found = [...plan.reads, ...writesOf(plan).filter(({ kind }) => kind !== 'graph')];
  const keys = new Set(found.map((one) => resourceKey(pipeline, one)));
  const upstream = [...earlier].filter(([, one]) =>
    writesOf(one.plan).some((written) => keys.has(resourceKey(pipeline, written))),
  );
  return plain({
    type: definition.type,
    version: definition.version,
    options,
    arrays: Object.fromEntries(
      names('array').map((name) => [
        name,
        {
          store: pipeline.arrays.get(name)?.storeAsGiven,
          neighborhood: neighborhoods.get(name),
          ...geometryOf(arrays.get(name)),
        },
      ]),
    ),
    graphs: Object.fromEntries(names('graph').map((name) => [name, pipeline.graphs.get(name)?.pathAsGiven])),
    upstream: Object.fromEntries(upstream.map(([name, one]) => [name, hashOf([one.plan.blocks, one.identity])])),
  });
}

function geometryOf(metadata: ArrayMetadata | undefined) {
  if (metadata === undefined) return {};
  const { shape, dataType, channelAxes, offset, voxelSize } = metadata;
  return { shape, dataType, channelAxes, offset, voxelSize };
}

/** As JSON has it; bigint as text. */
function plain(value: object): object {
  return JSON.parse(JSON.stringify(value, (_key, one) => (typeof one === 'bigint' ? String(one) : one)));
}
