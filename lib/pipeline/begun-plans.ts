import { DoneRecord } from '../coordinator/done-record.js';
import { recordIdentity } from '../coordinator/done-record-metadata.js';
import { RunFolder } from '../coordinator/run-folder.js';
import { isBlockwrightError } from '../errors.js';
import type { Pipeline } from './pipeline.js';
import type { PlannedTask } from './planned-task.js';
import { type Refusal, refusal } from './refusal.js';

/** A task whose blocks were begun with another plan does not go on with this one: what differs. */
export function checkBegunPlan(pipeline: Pipeline, { task, plan, identity }: PlannedTask): Refusal[] {
  const record = new RunFolder(pipeline.runDirectory).doneRecord(task.name);
  try {
    DoneRecord.check(record, recordIdentity(task.name, identity, plan.blocks));
    return [];
  } catch (error) {
    // The run says what is wrong with a damaged record.
    if (!isBlockwrightError(error) || error.code !== 'ERR_PLAN_CHANGED') return [];
    return [refusal(pipeline, ['tasks', task.name], error.message, error.code)];
  }
}
