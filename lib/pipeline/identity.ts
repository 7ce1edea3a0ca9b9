import { hashOf } from '../coordinator/canonical-json.js';
import type { ArrayMetadata } from '../storage/metadata.js';
import type { OmeroWindows } from '../storage/omero-windows.js';
import { needsWindows } from '../storage/operations/operation.js';
import type { TaskPlan } from '../workers/task-definition.js';
import type { Pipeline, PipelineTask } from './pipeline.js';
import { resourceKeys } from './resource-key.js';
import { writesOf } from './upstream.js';

/** What an identity is made of, beside the task itself. */
export interface IdentityFacts {
  readonly pipeline: Pipeline;
  readonly arrays: ReadonlyMap<string, ArrayMetadata>;
  /** By store. */
  readonly windows: ReadonlyMap<string, OmeroWindows>;
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
  const keys = new Set(found.flatMap((one) => resourceKeys(pipeline, one)));
  const upstream = [...earlier].filter(([, one]) =>
    writesOf(one.plan).some((written) => resourceKeys(pipeline, written).some((key) => keys.has(key))),
  );
  return plain({
    type: definition.type,
    version: definition.version,
    options,
    arrays: Object.fromEntries(
      names('array').map((name) => [
        name,
        {
          ...contentOf(facts, name),
          neighborhood: neighborhoods.get(name),
          ...geometryOf(arrays.get(name)),
        },
      ]),
    ),
    graphs: Object.fromEntries(names('graph').map((name) => [name, pipeline.graphs.get(name)?.pathAsGiven])),
    upstream: Object.fromEntries(upstream.map(([name, one]) => [name, hashOf([one.plan.blocks, one.identity])])),
  });
}

/** Where the voxels of an array come from, and what is done to them on the way. */
function contentOf(facts: Pick<IdentityFacts, 'pipeline' | 'windows'>, name: string): Record<string, unknown> {
  const { store, storeAsGiven, stack, operations } = facts.pipeline.arrays.get(name) ?? {};
  return {
    store: storeAsGiven,
    stack: stack?.map((part) => contentOf(facts, part)),
    operations,
    windows: needsWindows(operations) && store !== undefined ? facts.windows.get(store)?.windows : undefined,
  };
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
