import type { TaskPlan } from '../workers/task-definition.js';
import type { PipelineTask } from './pipeline.js';

/** A task that may run, and what it will do. */
export interface PlannedTask {
  readonly task: PipelineTask;
  readonly plan: TaskPlan;
  /** Tasks whose blocks are waited for where their writeRoi meets the readRoi. */
  readonly upstream: readonly string[];
  /** Tasks of which every block is waited for. */
  readonly barriers: readonly string[];
  /** What one block holds while it runs. */
  readonly resources: Readonly<Record<string, number>>;
  /** What makes a result another one: the run's record belongs to this. */
  readonly identity: unknown;
  /** Bytes before compression that all blocks read from and write to arrays. */
  readonly bytesRead: number;
  readonly bytesWritten: number;
}
