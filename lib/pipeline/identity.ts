import type { ArrayMetadata } from '../storage/metadata.js';
import type { TaskPlan } from '../workers/task-definition.js';
import type { Pipeline, PipelineTask } from './pipeline.js';
import { writesOf } from './upstream.js';

/**
 * What a task's results depend on beside its blocks, as plain data: a run whose identity changed is not resumed. Paths are as the file
 * gives them, so that a folder can be moved as a whole; how the work is spread (workers, retries) is no part of it.
 */
export function taskIdentity(
  pipeline: Pipeline,
  task: PipelineTask,
  plan: TaskPlan,
  arrays: ReadonlyMap<string, ArrayMetadata>,
  neighborhoods: ReadonlyMap<string, readonly (readonly number[])[]>,
): unknown {
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
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (_key, one) => (typeof one === 'bigint' ? String(one) : one)));
}
