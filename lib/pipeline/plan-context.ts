import type { z } from 'zod';
import { codeOf, isBlockwrightError, messageOf } from '../errors.js';
import type { Roi } from '../geometry/roi.js';
import type { FillValue } from '../storage/fill-value.js';
import type { ArrayMetadata } from '../storage/metadata.js';
import { openVolume } from '../storage/volume-source.js';
import type { PlanContext } from '../workers/task-definition.js';
import { findArray, type KnownArrays } from './array-metadata.js';
import { pathInGroup, sourcesOf } from './open-arrays.js';
import type { Pipeline, PipelineTask } from './pipeline.js';
import type { KeyPath } from './problem.js';
import { findReferences, type Reference } from './references.js';
import { type Refusal, refusal, refusalError } from './refusal.js';
import { describeResource, isAt, resourceKey } from './resource-key.js';
import type { TaskWithPlan } from './upstream.js';

/** Thrown out of a task's plan when it asks for what a task that is not planned yet may provide. */
export class NotPlannedYet extends Error {
  constructor(
    /** The resource that it waits for. */
    readonly key: string,
    /** What to say when nobody provides it. */
    readonly refusal: Refusal,
  ) {
    super('not planned yet');
  }
}

/** What is known while tasks are planned one after another. */
export interface PlanningState extends KnownArrays {
  /** Keys of what refused tasks name. */
  readonly lost: ReadonlySet<string>;
  /** Whether a task that has no plan yet names this resource in its options. */
  mayStillWrite(key: string, self: PipelineTask): boolean;
}

/** Where a task's options name a resource; the task itself when they do not. */
export function pathOfReference(task: PipelineTask, kind: Reference['kind'], name: string): KeyPath {
  const found = referencesOf(task).find((reference) => reference.kind === kind && reference.name === name);
  return ['tasks', task.name, ...(found?.path ?? [])];
}

export function referencesOf(task: PipelineTask): readonly Reference[] {
  return findReferences(task.definition.options as z.ZodType, task.input);
}

export function planContext(state: PlanningState, task: PipelineTask): PlanContext {
  const { pipeline } = state;
  const refuse = (path: KeyPath, text: string, code?: Refusal['code']) =>
    refusalError(refusal(pipeline, path, text, code));

  const array = (name: string): ArrayMetadata => {
    const path = pathOfReference(task, 'array', name);
    const declared = pipeline.arrays.get(name);
    if (declared === undefined) throw refuse(path, `there is no array '${name}' in the pipeline`);
    const found = findArray(state, declared);
    if ('metadata' in found) return found.metadata;
    if ('refusal' in found) throw refusalError(found.refusal);
    const { name: lacking, store = '' } = found.lacking;
    const { instead, error } = state.stored.get(store) ?? {};
    const what = `the array '${name}'${lacking === name ? '' : `, of which '${lacking}' is a part,`}`;
    if (error !== undefined) {
      const code = isBlockwrightError(error) ? error.code : 'ERR_IO';
      throw refuse(path, `${what} cannot be used: ${messageOf(error)}`, code);
    }
    const text = `${what} is not there (${store}${instead === undefined ? '' : `: ${instead}`}) and no task writes it`;
    throw new NotPlannedYet(
      resourceKey(pipeline, { kind: 'array', name: lacking }),
      refusal(pipeline, path, text, 'ERR_ARRAY_MISSING'),
    );
  };

  const writersOf = (kind: 'graph' | 'file', name: string) => {
    const key = resourceKey(pipeline, { kind, name });
    const writers = state.planned.filter(
      ({ task: other, plan }) =>
        other.name !== task.name && plan.writes.some((one) => resourceKey(pipeline, one) === key),
    );
    if (writers.length > 0 && !state.mayStillWrite(key, task)) return writers;
    const text = `no task writes ${describeResource({ kind, name })}, so what it covers is not known`;
    throw new NotPlannedYet(key, refusal(pipeline, pathOfReference(task, kind, name), text));
  };
  const roiOf = (kind: 'graph' | 'file', name: string) =>
    writersOf(kind, name)
      .map(({ plan }) => plan.blocks.totalWriteRoi)
      .reduce((a: Roi, b: Roi) => a.union(b));

  const fillValue = async (name: string): Promise<FillValue> => {
    array(name); // refuses what is not known yet
    const { store, operations, source } = pipeline.arrays.get(name)!;
    const outputs = state.planned.flatMap(({ plan }) => plan.outputs);
    const output = store === undefined ? undefined : outputs.find((one) => isAt(pipeline, one, store));
    if (output !== undefined && operations === undefined) return output.create?.fillValue ?? 0;
    return openVolume(source).then(
      (volume) => volume.fillValue,
      (error) => {
        // What a task of this run will write, seen through operations.
        if (codeOf(error) === 'ERR_ARRAY_MISSING') return 0;
        throw error;
      },
    );
  };

  return {
    array,
    fillValue,
    pathInGroup: (name, group) => pathInGroup(sourcesOf(pipeline), name, group),
    neighborhood: (name) => {
      const metadata = array(name);
      const result = neighborhoodOf(pipeline, name, metadata);
      if ('text' in result) throw refuse(result.path ?? pathOfReference(task, 'array', name), result.text);
      return result.offsets;
    },
    graphRoi: (name) => roiOf('graph', name),
    fileRoi: (name) => roiOf('file', name),
    edgeAttributes: (name) => {
      const key = resourceKey(pipeline, { kind: 'graph', name });
      if (state.lost.has(key)) return undefined;
      const ofPlan = ({ plan: { edgeAttributes = {} } }: TaskWithPlan) =>
        Object.entries(edgeAttributes).find(([graph]) => resourceKey(pipeline, { kind: 'graph', name: graph }) === key);
      const found = writersOf('graph', name).map(ofPlan);
      return found.some((one) => one === undefined) ? undefined : [...new Set(found.flatMap((one) => one![1]))];
    },
    error: (option, message) => refuse(['tasks', task.name, ...optionPath(option)], message),
  };
}

/** 'scores.affinity[0]' as a path. */
function optionPath(option: string): KeyPath {
  return option
    .split(/[.[\]]+/)
    .filter((part) => part !== '')
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part));
}

type Neighborhood =
  | { readonly offsets: readonly (readonly number[])[] }
  | { readonly text: string; readonly path?: KeyPath };

/** The offsets of an array of affinities, from the file or its attributes, or what is wrong with them. */
export function neighborhoodOf(pipeline: Pipeline, name: string, metadata: ArrayMetadata): Neighborhood {
  const fromFile = pipeline.arrays.get(name)?.neighborhood;
  const path: KeyPath | undefined = fromFile === undefined ? undefined : ['arrays', name, 'neighborhood'];
  const offsets = fromFile ?? metadata.attributes.neighborhood;
  const wrong = (text: string) => ({ text, ...(path === undefined ? {} : { path }) });
  if (offsets === undefined) {
    return wrong(
      `the array '${name}' has no neighborhood: expected one offset a channel, in the file or the array's attributes`,
    );
  }
  const isOffset = (value: unknown): value is number[] => Array.isArray(value) && value.every(Number.isInteger);
  if (!Array.isArray(offsets) || !offsets.every(isOffset)) {
    return wrong(
      `the attribute 'neighborhood' of the array '${name}': expected a list of offsets, found ${JSON.stringify(offsets)}`,
    );
  }
  const { channelAxes, shape } = metadata;
  if (channelAxes !== 1) {
    return wrong(
      `the array '${name}' has ${channelAxes} channel axes: expected 1, one channel an offset of the neighborhood`,
    );
  }
  if (offsets.length !== shape[0]) {
    return wrong(
      `the neighborhood of the array '${name}': expected ${shape[0]} offsets, one a channel, found ${offsets.length}`,
    );
  }
  const bad = offsets.find((offset) => offset.length !== shape.length - 1);
  if (bad !== undefined) {
    return wrong(
      `the neighborhood of the array '${name}': expected offsets of ${shape.length - 1} axes, found [${bad.join(', ')}]`,
    );
  }
  return { offsets };
}
