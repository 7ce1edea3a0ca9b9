import { BlockwrightError } from '../errors.js';
import type { PipelinePlan } from '../pipeline/plan.js';
import type { PlannedTask } from '../pipeline/planned-task.js';

/** The task of a plan that a name on the command line means. Throws ERR_CONFIG. */
export function findTask({ tasks }: PipelinePlan, name: string): PlannedTask {
  const found = tasks.find(({ task }) => task.name === name);
  if (found !== undefined) return found;
  const names = tasks.map(({ task }) => task.name).join(', ');
  throw new BlockwrightError('ERR_CONFIG', `task: expected one of ${names}, found ${name}`);
}

/** Refuses an index that is no block of the task. Throws ERR_CONFIG. */
export function checkBlock({ task, plan }: PlannedTask, block: number): void {
  const { count } = plan.blocks;
  if (Number.isInteger(block) && block >= 0 && block < count) return;
  throw new BlockwrightError(
    'ERR_CONFIG',
    `block: expected a whole number from 0 to ${count - 1}, as ${task.name} has ${count} blocks, found ${block}`,
  );
}
