import type { OutputArray, Resource, TaskPlan } from '../workers/task-definition.js';
import { findCircle } from './names.js';
import type { Pipeline, PipelineTask } from './pipeline.js';
import { describeResource, resourceKey, resourceOf, storedResources } from './resource-key.js';

/** What one task waits for, and why. */
interface Order {
  readonly upstream: string;
  readonly reason: string;
  /** Whether every block is waited for, not only those whose writeRoi meets the readRoi. */
  readonly whole: boolean;
}

export interface TaskWithPlan {
  readonly task: PipelineTask;
  readonly plan: TaskPlan;
}

export interface UpstreamResult {
  /** By task: those whose blocks are waited for where their writeRoi meets the readRoi. */
  readonly upstream: ReadonlyMap<string, readonly string[]>;
  /** By task: those of which every block is waited for. */
  readonly barriers: ReadonlyMap<string, readonly string[]>;
  /** Why there is no such order: by task, in words. */
  readonly problems: readonly { readonly task: string; readonly text: string }[];
}

/**
 * Which tasks each task waits for: those that write what it reads, and those of its `after`. An array is waited for
 * block by block; graphs, LUTs and files have no place in the world, so all blocks of their writers are. A resource with
 * several writers must have them in an order, except a graph, whose rows belong to tasks, and a file, which has one writer:
 * nothing says which of its contents are whose.
 */
export function deriveUpstream(pipeline: Pipeline, planned: readonly TaskWithPlan[]): UpstreamResult {
  const orders = new Map<string, Order[]>(planned.map(({ task }) => [task.name, []]));
  for (const { task } of planned) {
    for (const name of task.after) {
      if (orders.has(name)) orders.get(task.name)?.push({ upstream: name, reason: 'says so in `after`', whole: true });
    }
  }
  const dimensions = new Map(planned.map(({ task, plan }) => [task.name, plan.blocks.dimensions]));
  const sameDimensions = (a: string, b: string) => dimensions.get(a) === dimensions.get(b);
  const problems: { task: string; text: string }[] = [];
  const mustBeOrdered: [string, string, Resource][] = [];
  for (const { resource, readers, movers, writers } of usesOf(pipeline, planned)) {
    for (const writer of writers) {
      for (const reader of readers) {
        if (reader === writer) continue;
        if (writers.has(reader) && readers.has(writer)) {
          if (reader < writer) mustBeOrdered.push([reader, writer, resource]);
        } else {
          const whole = resource.kind !== 'array' || movers.has(reader) || !sameDimensions(reader, writer);
          orders.get(reader)?.push({ upstream: writer, reason: `reads ${describeResource(resource)}`, whole });
        }
      }
    }
    if (resource.kind === 'graph') continue;
    const list = [...writers];
    if (resource.kind === 'file') {
      for (const other of list.slice(1)) {
        const text = `writes ${describeResource(resource)}, as '${list[0]}' does: expected a path of its own`;
        problems.push({ task: other, text });
      }
      continue;
    }
    for (const [i, first] of list.entries()) {
      for (const second of list.slice(i + 1)) mustBeOrdered.push([first, second, resource]);
    }
  }
  const next = (name: string) => orders.get(name)?.map(({ upstream }) => upstream) ?? [];
  const circle = findCircle([...orders.keys()], next);
  if (circle !== undefined) {
    const steps = circle.map((name, i) => {
      const other = circle[(i + 1) % circle.length];
      const reason = orders.get(name)?.find(({ upstream }) => upstream === other)?.reason;
      return `'${name}' after '${other}' (it ${reason})`;
    });
    problems.push({ task: circle[0], text: `the tasks wait for each other: ${steps.join(', ')}` });
  } else {
    for (const [first, second, resource] of mustBeOrdered) {
      if (reaches(first, second, next) || reaches(second, first, next)) continue;
      problems.push({
        task: second,
        text: `writes ${describeResource(resource)}, as '${first}' does, and nothing orders the two: expected \`after: [${first}]\` here or \`after: [${second}]\` there`,
      });
    }
  }
  const barriers = new Map([...orders].map(([name, list]) => [name, names(list.filter(({ whole }) => whole))]));
  const upstream = new Map(
    [...orders].map(([name, list]) => [name, names(list).filter((other) => !barriers.get(name)?.includes(other))]),
  );
  return { upstream, barriers, problems };
}

function names(orders: readonly Order[]): string[] {
  return [...new Set(orders.map(({ upstream }) => upstream))];
}

interface Use {
  readonly resource: Resource;
  readonly readers: Set<string>;
  /** Readers that find voxels elsewhere than where they are written. */
  readonly movers: Set<string>;
  readonly writers: Set<string>;
}

/** Who reads and writes each resource. */
function usesOf(pipeline: Pipeline, planned: readonly TaskWithPlan[]): Use[] {
  const uses = new Map<string, Use>();
  const use = (resource: Resource) => {
    const key = resourceKey(pipeline, resource);
    const known = uses.get(key) ?? { resource, readers: new Set(), movers: new Set(), writers: new Set() };
    uses.set(key, known);
    return known;
  };
  for (const { task, plan } of planned) {
    for (const { resource, moved } of plan.reads.flatMap((one) => storedResources(pipeline, one))) {
      use(resource).readers.add(task.name);
      if (moved) use(resource).movers.add(task.name);
    }
    for (const resource of writesOf(plan)) use(resource).writers.add(task.name);
  }
  return [...uses.values()];
}

/** What a plan writes: an output array is written whether or not `writes` names it again. */
export function writesOf(plan: TaskPlan): readonly Resource[] {
  const isNamed = ({ name, innerPath }: OutputArray) =>
    plan.writes.some((one) => one.kind === 'array' && one.name === name && one.innerPath === innerPath);
  const more = plan.outputs.filter((output) => !isNamed(output)).map(resourceOf);
  return [...plan.writes, ...more];
}

function reaches(from: string, to: string, next: (name: string) => readonly string[]): boolean {
  const seen = new Set<string>();
  const open = [from];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (name === to) return true;
    if (seen.has(name)) continue;
    seen.add(name);
    open.push(...next(name));
  }
  return false;
}
