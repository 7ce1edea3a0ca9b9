import { isBlockwrightError, messageOf } from '../errors.js';
import { Roi } from '../geometry/roi.js';
import { isAddress } from '../storage/address.js';
import { findSharedChunk, type SharedChunk, sharedChunkError } from '../storage/chunk-conflicts.js';
import type { ArrayMetadata } from '../storage/metadata.js';
import type { OutputArray, Resource } from '../workers/task-definition.js';
import type { Check } from './check.js';
import { checkImages } from './image-outputs.js';
import { metadataDifference } from './metadata-difference.js';
import { checkPlaces } from './places.js';
import { pathOfReference } from './plan-context.js';
import type { KeyPath } from './problem.js';
import { checkRecordedOutputs } from './recorded-outputs.js';
import { type Refusal, refusal } from './refusal.js';
import {
  covers,
  describeResource,
  isAt,
  outputStore,
  resourceKey,
  resourceOf,
  resourcePath,
  storedResources,
} from './resource-key.js';
import { exists } from './stored-arrays.js';
import { writesOf } from './upstream.js';
import { checkWritable } from './writable.js';

/** Every reason why a task may not run although it has a plan. */
export async function checkTask(check: Check): Promise<Refusal[]> {
  const readOnly = checkReadOnly(check);
  if (readOnly.length > 0) return readOnly;
  return [
    ...checkBlocks(check),
    ...checkResources(check),
    ...checkOutputs(check),
    ...(await checkImages(check)),
    ...checkPlaces(check),
    ...(await checkInputs(check)),
    ...(await checkRecordedOutputs(check)),
    ...(await checkWritable(check)),
  ];
}

function pathOf({ task }: Check, { kind, name }: Resource): KeyPath {
  return pathOfReference(task, kind, name);
}

/** Only an array at a store of its own, without operations, can be written. */
function checkReadOnly(check: Check): Refusal[] {
  const { pipeline, plan } = check;
  return writesOf(plan).flatMap((resource) => {
    const { stack, operations } = (resource.kind === 'array' && pipeline.arrays.get(resource.name)) || {};
    if (stack === undefined && operations === undefined) return [];
    const found = stack === undefined ? 'one with operations' : 'a stack';
    const text = `the task writes ${describeResource(resource)}: expected an array as it is stored, found ${found}`;
    return [refusal(pipeline, pathOf(check, resource), text)];
  });
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
    const store = outputStore(pipeline, output);
    const what = describeResource(resourceOf(output));
    // Remote stores are refused as places that cannot be written.
    const { metadata, error } = isAddress(store) ? {} : (stored.get(store) ?? {});
    const difference = metadata === undefined ? undefined : metadataDifference(metadata, output.metadata);
    if (error !== undefined) {
      const text = `what stands at ${store} is no array that can be written: ${messageOf(error)}`;
      found.push(refusal(pipeline, path, text, isBlockwrightError(error) ? error.code : 'ERR_IO'));
    } else if (difference !== undefined) {
      const text = `${what} is there already (${store}) and is another: ${difference}. Remove it or name another store`;
      found.push(refusal(pipeline, path, text));
    }
    const twin = plan.outputs.find((one) => one !== output && isAt(pipeline, one, store));
    if (twin !== undefined) {
      const text = `the task writes ${what} and ${describeResource(resourceOf(twin))} to one store (${store})`;
      found.push(refusal(pipeline, path, text));
    }
    for (const other of planned) {
      for (const otherOutput of other.plan.outputs) {
        if (other.plan === plan || !isAt(pipeline, otherOutput, store)) continue;
        const apart = metadataDifference(otherOutput.metadata, output.metadata, { chunks: true });
        if (apart !== undefined) {
          const text = `the task '${other.task.name}' writes ${what} too, as another: ${apart}`;
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
  const what = describeResource(resourceOf(output));
  const { dimensions } = output.metadata.voxelSize;
  if (dimensions !== blocks.dimensions) {
    const text = `${what} has ${dimensions} physical axes and the blocks have ${blocks.dimensions}: nothing shows that two blocks never write one chunk`;
    return [refusal(pipeline, path, text, 'ERR_CHUNK_SHARED')];
  }
  const { begin } = blocks.totalWriteRoi;
  const whole =
    blocks.fit === 'shrink' ? blocks.totalWriteRoi : new Roi(begin, blocks.blockShape.multiply(blocks.gridShape));
  // Coarse voxels may reach beyond what the last blocks cover; they are those blocks' alone.
  const snapped = snappedOutwards(whole, output.metadata);
  const total = roiOf(output.metadata).contains(snapped) ? snapped : whole;
  const grid = { begin, blockShape: blocks.blockShape, gridShape: blocks.gridShape.values, total };
  let shared: SharedChunk | undefined;
  try {
    shared = findSharedChunk(output.metadata, grid);
  } catch (error) {
    const text = `the blocks do not lie on the voxels of ${what}: ${messageOf(error)}`;
    return [refusal(pipeline, path, text, 'ERR_GEOMETRY')];
  }
  if (shared === undefined) return [];
  return [refusal(pipeline, path, sharedChunkError(what, shared).message, 'ERR_CHUNK_SHARED')];
}

function snappedOutwards(roi: Roi, { offset, voxelSize }: ArrayMetadata): Roi {
  return roi.translate(offset.negate()).snapToGrid(voxelSize, 'grow').translate(offset);
}

function roiOf({ shape, channelAxes, offset, voxelSize }: ArrayMetadata): Roi {
  return new Roi(offset, voxelSize.multiply(shape.slice(channelAxes)));
}

/** What is read must be there, or be written by another task. */
async function checkInputs(check: Check): Promise<Refusal[]> {
  const { pipeline, task, plan, planned, lost, stored } = check;
  const found: Refusal[] = [];
  for (const { resource } of plan.reads.flatMap((one) => storedResources(pipeline, one))) {
    const key = resourceKey(pipeline, resource);
    const written = planned.some(
      (one) => one.task !== task && writesOf(one.plan).some((other) => resourceKey(pipeline, other) === key),
    );
    if (written || [...lost].some((one) => covers(one, key))) continue;
    const path = resourcePath(pipeline, resource);
    const there = resource.kind === 'array' ? stored.get(path)?.metadata !== undefined : await exists(path);
    if (there) continue;
    const text = `${describeResource(resource)} is not there (${path}) and no task writes it`;
    found.push(
      refusal(pipeline, pathOf(check, resource), text, resource.kind === 'array' ? 'ERR_ARRAY_MISSING' : 'ERR_PLAN'),
    );
  }
  return found;
}
