import type { TaskPlan } from '../workers/task-definition.js';
import type { Pipeline, PipelineTask } from './pipeline.js';
import type { StoredArray } from './stored-arrays.js';
import type { TaskWithPlan } from './upstream.js';

/** What a check of a planned task looks at. */
export interface Check {
  readonly pipeline: Pipeline;
  readonly task: PipelineTask;
  readonly plan: TaskPlan;
  /** All tasks that got a plan. */
  readonly planned: readonly TaskWithPlan[];
  /** Keys of what the others name. */
  readonly lost: ReadonlySet<string>;
  readonly stored: ReadonlyMap<string, StoredArray>;
  readonly resources: Readonly<Record<string, number>>;
}
