import { BlockwrightError } from '../errors.js';
import type { ScheduledTask } from './scheduled-task.js';

/** Refuses tasks that could not be scheduled: unknown upstream tasks, other dimensions, records of another length. */
export function checkTasks(tasks: readonly ScheduledTask[]): void {
  tasks.forEach((task, index) => {
    const refuse = (problem: string): never => {
      throw new BlockwrightError('ERR_PLAN', `task ${task.name}: ${problem}`);
    };
    for (const upstream of allUpstream(task)) {
      if (!(upstream in tasks) || upstream === index) {
        refuse(`upstream: expected places of other tasks, 0 to ${tasks.length - 1}, found ${upstream}`);
      }
    }
    for (const upstream of task.upstream) {
      const { name, plan } = tasks[upstream];
      if (plan.dimensions !== task.plan.dimensions && task.barriers?.includes(upstream) !== true) {
        refuse(`upstream: expected ${task.plan.dimensions} dimensions, found ${plan.dimensions} in task ${name}`);
      }
    }
    const { maxRetries = 0, recorded } = task;
    if (!Number.isInteger(maxRetries) || maxRetries < 0) {
      refuse(`maxRetries: expected a whole number of at least 0, found ${maxRetries}`);
    }
    if (isBytes(recorded) && recorded.length !== task.plan.count) {
      refuse(`recorded: expected ${task.plan.count} bytes, one a block, found ${recorded.length}`);
    }
  });
}

function isBytes(recorded: ScheduledTask['recorded']): recorded is Uint8Array {
  return ArrayBuffer.isView(recorded);
}

/** The places of the tasks, those farthest from the sources first; refuses a circle. */
export function downstreamFirst(tasks: readonly ScheduledTask[]): number[] {
  const depths = new Array<number | undefined>(tasks.length);
  const open = new Set<number>();
  const depthOf = (task: number): number => {
    const known = depths[task];
    if (known !== undefined) return known;
    if (open.has(task)) {
      const names = [...open].map((index) => tasks[index].name).join(', ');
      throw new BlockwrightError('ERR_PLAN', `upstream: expected no circle, found one among the tasks ${names}`);
    }
    open.add(task);
    const depth = Math.max(0, ...allUpstream(tasks[task]).map((upstream) => depthOf(upstream) + 1));
    open.delete(task);
    depths[task] = depth;
    return depth;
  };
  return tasks.map((_, index) => index).sort((a, b) => depthOf(b) - depthOf(a) || a - b);
}

/** The tasks of each pool, in the order given. */
export function byPool(order: readonly number[], tasks: readonly ScheduledTask[]): number[][] {
  const pools = Math.max(0, ...tasks.map((task) => (task.pool ?? 0) + 1));
  return Array.from({ length: pools }, (_, pool) => order.filter((task) => (tasks[task].pool ?? 0) === pool));
}

function allUpstream(task: ScheduledTask): number[] {
  return [...task.upstream, ...(task.barriers ?? [])];
}
