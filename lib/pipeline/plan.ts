import { BlockGraph } from '../blocks/block-graph.js';
import type { ArrayMetadata } from '../storage/metadata.js';
import { type OmeroWindows, readOmeroWindows } from '../storage/omero-windows.js';
import { needsWindows } from '../storage/operations/operation.js';
import type { Resource } from '../workers/task-definition.js';
import { resolveLevels } from './array-levels.js';
import { findArray } from './array-metadata.js';
import { checkBegunPlan } from './begun-plans.js';
import { bytesOf } from './data-volume.js';
import { taskIdentity } from './identity.js';
import type { Pipeline } from './pipeline.js';
import { checkTask } from './plan-checks.js';
import { neighborhoodOf } from './plan-context.js';
import type { PlannedTask } from './planned-task.js';
import { type Refusal, refusal, refusalsError } from './refusal.js';
import { outputStore } from './resource-key.js';
import { checkSkip } from './skip-blocks.js';
import { readStoredArray, type StoredArray } from './stored-arrays.js';
import { makeTaskPlans } from './task-plans.js';
import { deriveUpstream, type TaskWithPlan, writesOf } from './upstream.js';
import { checkRunDirectory } from './writable.js';

/** What a run of a pipeline would do, made without writing anything. */
export interface PipelinePlan {
  readonly pipeline: Pipeline;
  /** Those that got a plan, each after those it waits for, else in the order of the file. */
  readonly tasks: readonly PlannedTask[];
  /** Why it may not run; empty when it may. */
  readonly refusals: readonly Refusal[];
  /** Metadata of the arrays of these tasks: of those that are there and those that will be, by name. */
  readonly arrays: ReadonlyMap<string, ArrayMetadata>;
  /** By array, where it is known. */
  readonly neighborhoods: ReadonlyMap<string, readonly (readonly number[])[]>;
}

/** Plans all tasks and looks for every reason not to run. Reads metadata, writes nothing. */
export async function planPipeline(
  given: Pipeline,
  readStored: (store: string) => Promise<StoredArray> = readStoredArray,
): Promise<PipelinePlan> {
  const { pipeline, stored } = await resolveLevels(given);
  const windows = new Map<string, OmeroWindows>();
  const look = async (store: string) => {
    if (!stored.has(store)) stored.set(store, await readStored(store));
  };
  for (const { store, operations } of pipeline.arrays.values()) {
    if (store === undefined) continue;
    await look(store);
    if (needsWindows(operations)) windows.set(store, await readOmeroWindows(store));
  }
  const { planned, refusals: refusedPlans, lost } = await makeTaskPlans(pipeline, { stored, windows });
  for (const output of planned.flatMap(({ plan }) => plan.outputs)) await look(outputStore(pipeline, output));
  const refusals = [...refusedPlans, ...(await checkRunDirectory(pipeline))];
  const { upstream, barriers, problems } = deriveUpstream(pipeline, planned);
  for (const { task, text } of problems) refusals.push(refusal(pipeline, ['tasks', task], text));

  const arrays = new Map<string, ArrayMetadata>();
  for (const array of pipeline.arrays.values()) {
    const found = findArray({ pipeline, stored, windows, planned }, array);
    if ('metadata' in found) arrays.set(array.name, found.metadata);
    if ('refusal' in found) refusals.push(found.refusal);
  }
  const neighborhoods = new Map<string, readonly (readonly number[])[]>();
  for (const [name, metadata] of arrays) {
    const found = neighborhoodOf(pipeline, name, metadata);
    if ('offsets' in found) neighborhoods.set(name, found.offsets);
  }

  const tasks: PlannedTask[] = [];
  const earlier = new Map<string, PlannedTask>();
  const inFile = pipeline.tasks.flatMap((task) => planned.find((one) => one.task === task) ?? []);
  const waitsFor = (name: string) => [...(upstream.get(name) ?? []), ...(barriers.get(name) ?? [])];
  for (const { task, plan } of inOrderOfWork(inFile, waitsFor)) {
    const resources = { ...plan.resources, ...task.resources };
    const check = { pipeline, task, plan, planned, lost, stored, resources };
    refusals.push(...(await checkTask(check)), ...checkSkip(check, arrays));
    const bytes = (resources: readonly Resource[], of: 'read' | 'write') =>
      resources.reduce((sum, { kind, name, innerPath }) => {
        const metadata =
          innerPath === undefined
            ? arrays.get(name)
            : plan.outputs.find((one) => one.name === name && one.innerPath === innerPath)?.metadata;
        return sum + (kind !== 'array' || metadata === undefined ? 0 : bytesOf(plan.blocks, metadata, of));
      }, 0);
    const plannedTask = {
      task,
      plan,
      upstream: upstream.get(task.name) ?? [],
      barriers: barriers.get(task.name) ?? [],
      resources,
      identity: taskIdentity(task, plan, { pipeline, arrays, windows, neighborhoods, earlier }),
      bytesRead: bytes(plan.reads, 'read'),
      bytesWritten: bytes(writesOf(plan), 'write'),
    };
    // what comes after a task that cannot be planned seems to be another plan for that alone
    if (planned.length === pipeline.tasks.length) refusals.push(...checkBegunPlan(pipeline, plannedTask));
    tasks.push(plannedTask);
    earlier.set(task.name, plannedTask);
  }
  return { pipeline, tasks, refusals: distinct(refusals).toSorted(inOrderOfTheFile), arrays, neighborhoods };
}

/** Throws ERR_PLAN, ERR_CHUNK_SHARED, ... with all reasons when the plan may not run. */
export function assertRunnable(plan: PipelinePlan): void {
  if (plan.refusals.length > 0) throw refusalsError(plan.refusals);
}

/** Which blocks of a pipeline's tasks wait for which. */
export function blockGraphOf({ tasks }: PipelinePlan): BlockGraph {
  return new BlockGraph(
    tasks.map(({ task, plan, upstream, barriers }) => ({ name: task.name, plan: plan.blocks, upstream, barriers })),
  );
}

/** Each after those it waits for, else in the order in which they come. */
function inOrderOfWork(
  tasks: readonly TaskWithPlan[],
  waitsFor: (name: string) => readonly string[],
): readonly TaskWithPlan[] {
  const byName = new Map(tasks.map((one) => [one.task.name, one]));
  const ordered = new Set<TaskWithPlan>();
  const visited = new Set<string>();
  const visit = (name: string) => {
    const one = byName.get(name);
    if (one === undefined || visited.has(name)) return;
    visited.add(name);
    for (const other of waitsFor(name)) visit(other);
    ordered.add(one);
  };
  for (const name of byName.keys()) visit(name);
  return [...ordered];
}

function inOrderOfTheFile(a: Refusal, b: Refusal): number {
  return (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0);
}

/** What is wrong with an array is found by every task that reads it. */
function distinct(refusals: readonly Refusal[]): readonly Refusal[] {
  return refusals.filter((one, i) => refusals.findIndex(({ key, text }) => key === one.key && text === one.text) === i);
}
