import type { TaskPlan } from '../workers/task-definition.js';
import type { KnownArrays } from './array-metadata.js';
import type { Pipeline, PipelineTask } from './pipeline.js';
import { NotPlannedYet, planContext, referencesOf } from './plan-context.js';
import { type Refusal, refusalOf } from './refusal.js';
import { covers, resourceKeys } from './resource-key.js';
import type { TaskWithPlan } from './upstream.js';

export interface TaskPlans {
  /** In the order in which they were made. */
  readonly planned: readonly TaskWithPlan[];
  readonly refusals: readonly Refusal[];
  /** Keys of what the tasks without a plan name: whether and how those would write it is not known. */
  readonly lost: ReadonlySet<string>;
}

/**
 * The plan of every task. A plan may ask for the metadata of an array that another task will write, and nobody but the
 * plans themselves says who writes what; so a task that asks too early is asked again when others are planned. A task
 * that only lacks what a refused task names is left out without a refusal of its own.
 */
export async function makeTaskPlans(
  pipeline: Pipeline,
  arrays: Pick<KnownArrays, 'stored' | 'windows'>,
): Promise<TaskPlans> {
  const planned: TaskWithPlan[] = [];
  const refusals: Refusal[] = [];
  const pending = new Set(pipeline.tasks);
  const keys = new Map(
    pipeline.tasks.map((task) => [task, new Set(referencesOf(task).flatMap((one) => resourceKeys(pipeline, one)))]),
  );
  const lost = new Set<string>();

  const refuse = (task: PipelineTask, reason: Refusal | undefined) => {
    if (reason !== undefined) refusals.push(reason);
    for (const key of keys.get(task) ?? []) lost.add(key);
    pending.delete(task);
  };

  /** Plans a task, or says what it waits for. Without patience a graph covers what the tasks planned so far cover. */
  const attempt = async (task: PipelineTask, patient: boolean): Promise<NotPlannedYet | undefined> => {
    const mayStillWrite = (key: string) =>
      patient && [...pending].some((other) => other !== task && keys.get(other)?.has(key));
    try {
      const context = planContext({ pipeline, ...arrays, planned, lost, mayStillWrite }, task);
      const plan: TaskPlan = await task.definition.plan(task.options, context);
      planned.push({ task, plan });
      pending.delete(task);
    } catch (thrown) {
      if (thrown instanceof NotPlannedYet) return thrown;
      refuse(task, refusalOf(pipeline, task.name, thrown));
    }
    return undefined;
  };

  while (pending.size > 0) {
    const waits = new Map<PipelineTask, NotPlannedYet>();
    const before = pending.size;
    for (const task of [...pending]) {
      const wait = await attempt(task, true);
      if (wait !== undefined) waits.set(task, wait);
    }
    for (const task of waits.keys()) {
      if (pending.size < before) break;
      await attempt(task, false);
    }
    if (pending.size < before) continue;
    // Nobody can move, so something is missing. What is certainly missing: an array for which all wait that name it.
    const names = (task: PipelineTask, key: string) => [...(keys.get(task) ?? [])].some((one) => covers(one, key));
    const waitsFor = (task: PipelineTask, key: string) => !names(task, key) || waits.get(task)?.key === key;
    const sure = [...waits].find(([, { key }]) => [...pending].every((task) => waitsFor(task, key)));
    const [task, { key, refusal }] = sure ?? [...waits][0];
    refuse(task, [...lost].some((one) => covers(one, key)) ? undefined : refusal);
  }
  return { planned, refusals, lost };
}
