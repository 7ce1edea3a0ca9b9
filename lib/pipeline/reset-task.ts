import { DoneRecord } from '../coordinator/done-record.js';
import { RecordedState, recordIdentity } from '../coordinator/done-record-metadata.js';
import { Journal } from '../coordinator/journal.js';
import { RunFolder } from '../coordinator/run-folder.js';
import { RunLock } from '../coordinator/run-lock.js';
import { assertRunnable, type PipelinePlan } from './plan.js';
import type { PlannedTask } from './planned-task.js';

/**
 * Takes back that blocks of a task, and of all tasks that use its results, are done: the next run does them again, over
 * the outputs that are there. The last tasks come first, so that where this is cut short nothing counts as done whose
 * inputs do not. Resolves with the names of the tasks. Throws ERR_RUN_LOCKED while the run is at work.
 */
export async function resetTask(plan: PipelinePlan, name: string): Promise<string[]> {
  assertRunnable(plan);
  const folder = new RunFolder(plan.pipeline.runDirectory);
  const tasks = withDependents(plan, name);
  const lock = RunLock.acquire(folder.path);
  try {
    const journal = new Journal(folder.journal);
    try {
      for (const { task, identity, plan: taskPlan } of [...tasks].reverse()) {
        const whose = recordIdentity(task.name, identity, taskPlan.blocks);
        const record = DoneRecord.open(folder.doneRecord(task.name), taskPlan.blocks.gridShape.values, whose);
        try {
          const states = record.read();
          if (states !== undefined) record.mark(states.keys(), RecordedState.pending);
          await record.flush();
        } finally {
          record.close();
        }
        journal.write('task-reset', { task: task.name });
      }
    } finally {
      journal.close();
    }
  } finally {
    lock.release();
  }
  return tasks.map(({ task }) => task.name);
}

/** A task and those that wait for it, directly or through others, in the order of work. */
function withDependents({ tasks }: PipelinePlan, name: string): PlannedTask[] {
  const names = new Set([name]);
  // the tasks of a plan come after those they wait for
  return tasks.filter(({ task, upstream, barriers }) => {
    if ([...upstream, ...barriers].some((other) => names.has(other))) names.add(task.name);
    return names.has(task.name);
  });
}
