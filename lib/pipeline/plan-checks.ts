import { isBlockwrightError, messageOf } from '../errors.js';
import { Roi } from '../geometry/roi.js';
import { findSharedChunk, type SharedChunk, sharedChunkError } from '../storage/chunk-conflicts.js';
import type { ArrayMetadata } from '../storage/metadata.js';
import type { OutputArray, Resource, TaskPlan } from '../workers/task-definition.js';
import { metadataDifference } from './metadata-difference.js';
import type { Pipeline, PipelineTask } from './pipeline.js';
import { checkPlaces } from './places.js';
import { pathOfReference } from './plan-context.js';
import type { KeyPath } from './problem.js';
import { checkRecordedOutputs } from './recorded-outputs.js';
import { type Refusal, refusal } from './refusal.js';
import { describeResource, resourceKey, resourcePath } from './resource-key.js';
import { exists, type StoredArray } from './stored-arrays.js';
import { type TaskWithPlan, writesOf } from './upstream.js';
import { checkWritable } from './writable.js';

export interface Check {
  readonly pipeline: Pipeline;
  readonly task: PipelineTask;
  readonly plan: TaskPlan;
  /** All tasks that got a plan. */
  readonly planned: readonly TaskWithPlan[];
  /** Keys of what the others name. */
  readonly lost: ReadonlySet<string>;
  readonly stored: ReadonlyMap<string, StoredArray>;
  readonly arrays: ReadonlyMap<string, ArrayMetadata>;
  readonly resources: Readonly<Record<string, number>>;
}

/** Every reason why a task may not run although it has a plan. */
export async function checkTask(check: Check): Promise<Refusal[]> {
  return [
    ...checkBlocks(check),
    ...checkResources(check),
    ...checkOutputs(check),
    ...checkPlaces(check),
    ...(await checkInputs(check)),
    ...(await checkRecordedOutputs(check)),
    ...(await checkWritable(check)),
  ];
}

function pathOf({ task }: Check, { kind, name }: Resource): KeyPath {
  return pathOfReference(task, kind, name);
}

function checkBlocks({ pipeline, task, plan: { blocks } }: Check): Refusal[] {
  if (blocks.count > 0) return [];
  const text = `there are no blocks: with fit '${blocks.fit}' no block of ${blocks.blockShape} world units fits into ${blocks.totalWriteRoi}`;
  return [refusal(pipeline, ['tasks', task.name], text)];
}

/** A block that needs more of a resource than there is would wait for ever. */
function checkResources({ pipeline, task, resources }: Check): Refusal[] {
  return Object.entries(resources).flatMap(([name, amount]) => {
    const available = pipeline.resources[name];
    if (available !== undefined && available >= amount) return [];
    const there = available === undefined ? `the pipeline's \`resources\` do not name it` : `there is ${available}`;
    const path = name in task.resources ? ['tasks', task.name, 'resources', name] : ['tasks', task.name];
    return [refusal(pipeline, path, `a block needs ${amount} of the resource '${name}', and ${there}`)];
  });
}

function checkOutputs(check: Check): Refusal[] {
  const { pipeline, plan, stored, planned } = check;
  return plan.outputs.flatMap((output): Refusal[] => {
    const path = pathOf(check, { kind: 'array', name: output.name });
    const array = pipeline.arrays.get(output.name);
    if (array === undefined) return [refusal(pipeline, path, `there is no array '${output.name}' in the pipeline`)];
    const found: Refusal[] = [];
    const { metadata, error } = stored.get(array.store) ?? {};
    const difference = metadata === undefined ? undefined : metadataDifference(metadata, output.metadata);
    if (error !== undefined) {
      const text = `what stands at ${array.store} is no array that can be written: ${messageOf(error)}`;
      found.push(refusal(pipeline, path, text, isBlockwrightError(error) ? error.code : 'ERR_IO'));
    } else if (difference !== undefined) {
      const text = `the array '${output.name}' is there already (${array.store}) and is another: ${difference}. Remove it or name another store`;
      found.push(refusal(pipeline, path, text));
    }
    for (const other of planned) {
      for (const otherOutput of other.plan.outputs) {
        if (other.plan === plan || pipeline.arrays.get(otherOutput.name)?.store !== array.store) continue;
        const apart = metadataDifference(otherOutput.metadata, output.metadata, { chunks: true });
        if (apart !== undefined) {
          const text = `the task '${other.task.name}' writes the array '${output.name}' too, as another: ${apart}`;
          found.push(refusal(pipeline, path, text));
        }
      }
    }
    // The chunks of an array that is there may be others than a new array's; the rest is the same.
    const cut = found.length > 0 ? output.metadata : (metadata ?? output.metadata);
    return [...found, ...checkChunks(check, { ...output, metadata: cut }, path)];
  });
}

/** The proof that no two blocks that run at once write one chunk or shard. */
function checkChunks({ pipeline, plan }: Check, output: OutputArray, path: KeyPath): Refusal[] {
  const { blocks } = plan;
  if (blocks.count < 2) return [];
  const { dimensions } = output.metadata.voxelSize;
  if (dimensions !== blocks.dimensions) {
    const text = `the array '${output.name}' has ${dimensions} physical axes and the blocks have ${blocks.dimensions}: nothing shows that two blocks never write one chunk`;
    return [refusal(pipeline, path, text, 'ERR_CHUNK_SHARED')];
  }
  const { begin } = blocks.totalWriteRoi;
  const total =
    blocks.fit === 'shrink' ? blocks.totalWriteRoi : new Roi(begin, blocks.blockShape.multiply(blocks.gridShape));
  const grid = { begin, blockShape: blocks.blockShape, gridShape: blocks.gridShape.values, total };
  let shared: SharedChunk | undefined;
  try {
    shared = findSharedChunk(output.metadata, grid);
  } catch (error) {
    const text = `the blocks do not lie on the voxels of the array '${output.name}': ${messageOf(error)}`;
    return [refusal(pipeline, path, text, 'ERR_GEOMETRY')];
  }
  if (shared === undefined) return [];
  return [refusal(pipeline, path, sharedChunkError(`the array '${output.name}'`, shared).message, 'ERR_CHUNK_SHARED')];
}

/** What is read must be there, or be written by another task. */
async function checkInputs(check: Check): Promise<Refusal[]> {
  const { pipeline, task, plan, planned, lost, arrays } = check;
  const found: Refusal[] = [];
  for (const resource of plan.reads) {
    const key = resourceKey(pipeline, resource);
    const written = planned.some(
      (one) => one.task !== task && writesOf(one.plan).some((other) => resourceKey(pipeline, other) === key),
    );
    if (written || lost.has(key)) continue;
    const there =
      resource.kind === 'array' ? arrays.has(resource.name) : await exists(resourcePath(pipeline, resource));
    if (there) continue;
    const text = `${describeResource(resource)} is not there (${resourcePath(pipeline, resource)}) and no task writes it`;
    found.push(
      refusal(pipeline, pathOf(check, resource), text, resource.kind === 'array' ? 'ERR_ARRAY_MISSING' : 'ERR_PLAN'),
    );
  }
  return found;
}
