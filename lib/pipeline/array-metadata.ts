import type { ArrayMetadata } from '../storage/metadata.js';
import type { OmeroWindows } from '../storage/omero-windows.js';
import type { OperationPath } from '../storage/operations/operation.js';
import { planOperations } from '../storage/operations/operation-plan.js';
import { stackMetadata } from '../storage/operations/stacked-volume.js';
import type { Pipeline, PipelineArray } from './pipeline.js';
import { type Refusal, refusal } from './refusal.js';
import { isAt } from './resource-key.js';
import type { StoredArray } from './stored-arrays.js';
import type { TaskWithPlan } from './upstream.js';

/** What is known of the arrays of a pipeline while its tasks are planned. */
export interface KnownArrays {
  readonly pipeline: Pipeline;
  /** By store. */
  readonly stored: ReadonlyMap<string, StoredArray>;
  /** Of the images around arrays, by store, where operations use them. */
  readonly windows: ReadonlyMap<string, OmeroWindows>;
  /** Tasks with a plan, whose outputs will be there. */
  readonly planned: readonly TaskWithPlan[];
}

/** What an array is or will be, or why that is not known. */
export type FoundArray =
  | { readonly metadata: ArrayMetadata }
  /** The array, itself or of its stack, that is not there, or not as one can use it. */
  | { readonly lacking: PipelineArray }
  /** What the file wants of the array cannot be done. */
  | { readonly refusal: Refusal };

/** An array as tasks see it: as it stands at its store or as a task will write it, after its operations. */
export function findArray(known: KnownArrays, array: PipelineArray): FoundArray {
  const { store, stack = [], operations = [] } = array;
  const parts: ArrayMetadata[] = [];
  for (const name of stack) {
    const found = findArray(known, known.pipeline.arrays.get(name)!);
    if (!('metadata' in found)) return found;
    parts.push(found.metadata);
  }
  const stored = store === undefined ? undefined : storedMetadata(known, store);
  if (store !== undefined && stored === undefined) return { lacking: array };
  try {
    const source = stored ?? stackMetadata(parts);
    if (operations.length === 0) return { metadata: source };
    const windows = known.windows.get(store ?? '') ?? { missing: 'a stack' };
    return { metadata: planOperations(source, operations, windows).metadata };
  } catch (error) {
    return { refusal: refusalOfOperation(known.pipeline, array.name, error) };
  }
}

/** Metadata at a store; what a task will write counts more than what is there. */
function storedMetadata({ pipeline, stored, planned }: KnownArrays, store: string): ArrayMetadata | undefined {
  const output = planned
    .flatMap(({ plan }) => plan.outputs)
    .find((one) => isAt(pipeline, one, store) && pipeline.arrays.get(one.name)?.operations === undefined);
  return output?.metadata ?? stored.get(store)?.metadata;
}

function refusalOfOperation(pipeline: Pipeline, name: string, error: unknown): Refusal {
  const { details } = error as { details?: { path?: OperationPath; expected?: string; found?: string } };
  const { path, expected, found } = details ?? {};
  if (path === undefined || expected === undefined || found === undefined) throw error;
  return { ...refusal(pipeline, ['arrays', name, ...path], `expected ${expected}, found ${found}`), expected, found };
}
