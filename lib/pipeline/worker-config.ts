import type { BlockPlanJson } from '../blocks/plan.js';
import type { VolumeSource } from '../storage/volume-source.js';
import type { PipelinePlan } from './plan.js';
import { resourcePath } from './resource-key.js';

/** What a worker must know to run any block of a pipeline, as JSON. */
export interface WorkerConfig {
  /** What the path of a LUT is relative to. */
  readonly folder: string;
  readonly plugins: readonly string[];
  readonly arrays: readonly { readonly name: string; readonly source: VolumeSource }[];
  /** Rows of other tasks than these are not read; those of all where no task of the pipeline writes the graph. */
  readonly graphs: readonly { readonly name: string; readonly writers: readonly string[] }[];
  readonly neighborhoods: readonly {
    readonly array: string;
    readonly offsets: readonly (readonly number[])[];
  }[];
  readonly tasks: readonly {
    readonly name: string;
    readonly type: string;
    /** Options as they were given; the definition's schema reads them again. */
    readonly input: Readonly<Record<string, unknown>>;
    readonly blocks: BlockPlanJson;
  }[];
}

export function workerConfig({ pipeline, tasks, neighborhoods }: PipelinePlan): WorkerConfig {
  const writersOf = (path: string) =>
    tasks
      .filter(({ plan }) => plan.writes.some((one) => one.kind === 'graph' && resourcePath(pipeline, one) === path))
      .map(({ task }) => task.name);
  return {
    folder: pipeline.folder,
    plugins: pipeline.plugins,
    arrays: [...pipeline.arrays.values()].map(({ name, source }) => ({ name, source })),
    graphs: [...pipeline.graphs.values()].map(({ name, path }) => ({ name, writers: writersOf(path) })),
    neighborhoods: [...neighborhoods].map(([array, offsets]) => ({ array, offsets })),
    tasks: tasks.map(({ task, plan }) => ({
      name: task.name,
      type: task.definition.type,
      input: task.input,
      blocks: plan.blocks.toJSON(),
    })),
  };
}
