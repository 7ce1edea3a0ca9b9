import { hashOf } from '../coordinator/canonical-json.js';
import type { ArrayMetadata } from '../storage/metadata.js';
import type { TaskPlan } from '../workers/task-definition.js';
import type { Pipeline, PipelineTask } from './pipeline.js';
import { resourceKey } from './resource-key.js';
import { type TaskWithPlan, writesOf } from './upstream.js';

/** What identities are made of beside the pipeline. */
interface Facts {
  readonly arrays: ReadonlyMap<string, ArrayMetadata>;
  readonly neighborhoods: ReadonlyMap<string, readonly (readonly number[])[]>;
}

/**
 * What the results of tasks depend on beside their blocks, as plain data by task: a run whose identity changed is not resumed.
 * It has the hashes of the tasks that write what the task reads, so that no block is taken for done that was made from what
 * another plan of those left. Paths are as the file gives them, so that a folder can be moved as a whole; how the work is spread
 * (workers, retries) is no part of it.
 */
export function taskIdentities(
  pipeline: Pipeline,
  planned: readonly TaskWithPlan[],
  facts: Facts,
): ReadonlyMap<string, unknown> {
  const identities = new Map<string, unknown>();
  const begun = new Set<TaskWithPlan>();
  const visit = (one: TaskWithPlan) => {
    if (begun.has(one)) return; // or the orders go round in a circle, and the plan is refused
    begun.add(one);
    const reads = new Set(one.plan.reads.map((resource) => resourceKey(pipeline, resource)));
    const writers = planned.filter(
      (other) => other !== one && writesOf(other.plan).some((resource) => reads.has(resourceKey(pipeline, resource))),
    );
    for (const writer of writers) visit(writer);
    const upstream = writers.map(({ task: { name } }) => [name, hashOf(identities.get(name) ?? null).slice(0, 16)]);
    const own = identityOf(pipeline, one.task, one.plan, facts);
    identities.set(one.task.name, { ...own, upstream: Object.fromEntries(upstream) });
  };
  for (const one of planned) visit(one);
  return identities;
}

function identityOf(pipeline: Pipeline, task: PipelineTask, plan: TaskPlan, { arrays, neighborhoods }: Facts): object {
  const used = [...plan.reads, ...writesOf(plan)];
  const names = (kind: 'array' | 'graph') =>
    [...new Set(used.filter((one) => one.kind === kind).map(({ name }) => name))].sort();
  return plain({
    type: task.definition.type,
    options: task.options,
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
  });
}

function geometryOf(metadata: ArrayMetadata | undefined) {
  if (metadata === undefined) return {};
  const { shape, chunkShape, dataType, channelAxes, offset, voxelSize } = metadata;
  return { shape, chunkShape, dataType, channelAxes, offset, voxelSize };
}

/** As JSON has it; bigint as text. */
function plain(value: object): object {
  return JSON.parse(JSON.stringify(value, (_key, one) => (typeof one === 'bigint' ? String(one) : one)));
}
