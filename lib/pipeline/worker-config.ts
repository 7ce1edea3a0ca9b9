import type { BlockPlanJson } from '../blocks/plan.js';
import type { PipelinePlan } from './plan.js';

/** What a worker must know to run any block of a pipeline, as JSON. */
export interface WorkerConfig {
  /** What the path of a LUT is relative to. */
  readonly folder: string;
  readonly plugins: readonly string[];
  readonly arrays: readonly { readonly name: string; readonly store: string }[];
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
  return {
    folder: pipeline.folder,
    plugins: pipeline.plugins,
    arrays: [...pipeline.arrays.values()].map(({ name, store }) => ({ name, store })),
    neighborhoods: [...neighborhoods].map(([array, offsets]) => ({ array, offsets })),
    tasks: tasks.map(({ task, plan }) => ({
      name: task.name,
      type: task.definition.type,
      input: task.input,
      blocks: plan.blocks.toJSON(),
    })),
  };
}
