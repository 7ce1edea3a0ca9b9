import type { ZodType } from 'zod';
import type { Block } from '../blocks/block.js';
import type { BlockPlan } from '../blocks/plan.js';
import type { Roi } from '../geometry/roi.js';
import type { GraphStore } from '../graph/graph-store.js';
import type { CreateOptions } from '../storage/create-array.js';
import type { FillValue } from '../storage/fill-value.js';
import type { ArrayMetadata } from '../storage/metadata.js';
import type { Pyramid } from '../storage/pyramid.js';
import type { Volume } from '../storage/volume.js';
import type { BlockCostNote } from './block-meter.js';

/** Something that tasks share, and by which one comes to depend on another. */
export interface Resource {
  readonly kind: 'array' | 'graph' | 'lut' | 'file';
  /** Name in the pipeline's `arrays` or `graphs`; for a LUT or file its path. */
  readonly name: string;
  /** Of an array below the store of that name, e.g. a level of an image. */
  readonly innerPath?: string;
}

/** An array that a task writes: created before its first block runs, or checked against this when it exists. */
export interface OutputArray {
  readonly name: string;
  /** Where the store of that name is a group: the array's path in it. */
  readonly innerPath?: string;
  readonly metadata: ArrayMetadata;
  /** How it is stored when it is made; an array that is there may be stored otherwise. */
  readonly create?: CreateOptions;
}

/** An OME-Zarr image whose levels a task writes: its group gets this metadata before the first block runs. */
export interface OutputImage {
  readonly name: string;
  readonly pyramid: Pyramid;
}

/** What a task will do: pure data, made before anything runs. */
export interface TaskPlan {
  readonly blocks: BlockPlan;
  readonly reads: readonly Resource[];
  readonly writes: readonly Resource[];
  readonly outputs: readonly OutputArray[];
  readonly images?: readonly OutputImage[];
  /** Edge attributes that the task writes, by graph. Left out: not known before it runs. */
  readonly edgeAttributes?: Readonly<Record<string, readonly string[]>>;
  /** Named resources that one block holds while it runs, e.g. { gpu: 1 }. */
  readonly resources?: Readonly<Record<string, number>>;
}

/** What is known of the stores of a pipeline's arrays. */
export interface StoreContext {
  /** The path of an array in a group: undefined where it lies elsewhere. Both are names in the pipeline's `arrays`. */
  pathInGroup(name: string, group: string): string | undefined;
}

/** What a plan may look at. */
export interface PlanContext extends StoreContext {
  /** Metadata of an array of the pipeline: of the file, or as an upstream task of this run declares it. */
  array(name: string): ArrayMetadata;
  /** The value of that array's voxels that were never written; 0 of one that a task will write, seen through operations. */
  fillValue(name: string): Promise<FillValue>;
  /** The affinities' neighborhood: of the pipeline file, else of the array's attributes; checked against its channels. */
  neighborhood(name: string): readonly (readonly number[])[];
  /** World units that the tasks which write a graph cover. */
  graphRoi(name: string): Roi;
  /** World units that the task which writes a file or folder covers. */
  fileRoi(name: string): Roi;
  /** Edge attributes that tasks write to a graph; undefined when one of them does not say. */
  edgeAttributes(name: string): readonly string[] | undefined;
  /** An error that points at one of this task's options in the pipeline file. */
  error(option: string, message: string): Error;
}

/** What tasks can reach before the first block, in the coordinator. */
export interface RunContext extends StoreContext {
  /** @param innerPath of an array below the store of that name */
  array(name: string, innerPath?: string): Promise<Volume>;
  graph(name: string): GraphStore;
  /** The file of a LUT, absolute. */
  lutPath(name: string): string;
  /** A file or folder, absolute. */
  filePath(name: string): string;
}

/** What a block can reach, in a worker. */
export interface BlockContext extends RunContext {
  /**
   * Reads give the rows of those tasks of the pipeline whose plans say that they write the graph (of all tasks where none
   * does), whatever else is in its file.
   */
  graph(name: string): GraphStore;
  readonly task: string;
  readonly blocks: BlockPlan;
  /** Which attempt this is, from 1; temporary names carry it. */
  readonly attempt: number;
  /** The affinities' neighborhood, as in {@link PlanContext}. */
  neighborhood(name: string): readonly (readonly number[])[];
  /** Raised when the block's result is no longer wanted. Pass it on to reads and kernels. */
  readonly signal: AbortSignal;
  /** What only the task's code can know of the block's cost: set `cost.gpuSeconds` where a GPU was used. */
  readonly cost: BlockCostNote;
  /** Appends a line to the block's log. */
  log(message: string): void;
  /** A value that is made once for each task and worker process, e.g. an open LUT. */
  once<Value>(key: string, make: () => Promise<Value>): Promise<Value>;
}

/**
 * A kind of task. Built-in tasks and plugins implement exactly this; a plugin module exports one as `default`.
 *
 * `plan` runs in the coordinator and must not write; `init` runs there once a run, before the first block, and must be
 * repeatable; `processBlock` runs in workers, possibly more than once for a block, and must write the same bytes each time.
 * A block for which it gives 'skipped' had nothing to do: recorded as skipped, which counts as done for what is downstream.
 */
export interface TaskDefinition<Options = unknown> {
  /** The `type` of the pipeline file, e.g. 'extract-frags'. */
  readonly type: string;
  readonly description: string;
  /**
   * Raise it when the same options give other results than before: a run that was begun with another is not resumed.
   * @default none
   */
  readonly version?: number;
  readonly options: ZodType<Options>;
  plan(options: Options, context: PlanContext): TaskPlan | Promise<TaskPlan>;
  /** `fresh`: no block of the task is done, so what an earlier run wrote is of no use. */
  init?(options: Options, context: RunContext, fresh: boolean): Promise<void>;
  /**
   * Asked in the worker before `processBlock`, for every block that the done record does not have as done or skipped: whether
   * its results are there already. True: the block is recorded as skipped and not run.
   */
  check?(options: Options, block: Block, context: BlockContext): Promise<boolean>;
  // biome-ignore lint/suspicious/noConfusingVoidType: most tasks end without a word, some say 'skipped'
  processBlock(options: Options, block: Block, context: BlockContext): Promise<'skipped' | undefined | void>;
}

/** Gives a definition its types: `export default defineTask({...})`. */
export function defineTask<Options>(definition: TaskDefinition<Options>): TaskDefinition<Options> {
  return definition;
}
