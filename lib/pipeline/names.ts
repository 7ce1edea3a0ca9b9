import type { z } from 'zod';
import { valueAt } from './issues.js';
import { describeValue, type KeyPath, listOf } from './problem.js';
import { findReferences } from './references.js';
import type { TaskRegistry } from './registry.js';
import { suggest } from './suggestion.js';

type Add = (path: KeyPath, text: string) => void;

/** Every name of an array or graph in a task's options must be one of the file's. */
export function checkReferences(config: unknown, registry: TaskRegistry, add: Add): void {
  const names = { array: keysOf(valueAt(config, ['arrays'])), graph: keysOf(valueAt(config, ['graphs'])) };
  for (const [name, task] of tasksOf(config)) {
    const definition = registry.get(String(valueAt(task, ['type'])));
    if (definition === undefined) continue;
    for (const { kind, name: target, path } of findReferences(definition.options as z.ZodType, task)) {
      if (kind === 'lut' || kind === 'file' || names[kind].includes(target)) continue;
      add(['tasks', name, ...path], unknownName(`one of the file's ${kind}s`, target, names[kind]));
    }
  }
}

/** Every name in `stack` must be an array's, and no array may be a part of itself. */
export function checkStacks(config: unknown, add: Add): void {
  const arrays = valueAt(config, ['arrays']);
  const names = keysOf(arrays);
  const parts = new Map<string, readonly string[]>();
  for (const name of names) {
    const stack = valueAt(arrays, [name, 'stack']);
    const known: string[] = [];
    for (const [i, part] of Array.isArray(stack) ? stack.entries() : []) {
      if (typeof part !== 'string') continue;
      if (names.includes(part)) known.push(part);
      else add(['arrays', name, 'stack', i], unknownName("one of the file's arrays", part, names));
    }
    parts.set(name, known);
  }
  const circle = findCircle(names, (name) => parts.get(name) ?? []);
  if (circle === undefined) return;
  const text = `the array is a part of itself: ${[...circle, circle[0]].join(' of ')}`;
  add(['arrays', circle[0], 'stack'], text);
}

/** Every name in `after` must be another task's, and the orders must not go round in a circle. */
export function checkAfter(config: unknown, add: Add): void {
  const tasks = tasksOf(config);
  const names = tasks.map(([name]) => name);
  const after = new Map<string, readonly string[]>();
  for (const [name, task] of tasks) {
    const list = valueAt(task, ['after']);
    const known: string[] = [];
    for (const [i, target] of Array.isArray(list) ? list.entries() : []) {
      if (typeof target !== 'string') continue;
      if (names.includes(target)) known.push(target);
      else add(['tasks', name, 'after', i], unknownName("one of the file's tasks", target, names));
    }
    after.set(name, known);
  }
  const circle = findCircle(names, (name) => after.get(name) ?? []);
  if (circle === undefined) return;
  const text =
    circle.length === 1
      ? `the task '${circle[0]}' cannot come after itself`
      : `the tasks wait for each other: ${circle.join(' after ')} after ${circle[0]}`;
  add(['tasks', circle[0], 'after'], text);
}

/** Every array in `skip` must be one of the file's. */
export function checkSkips(config: unknown, add: Add): void {
  const names = keysOf(valueAt(config, ['arrays']));
  for (const [task, value] of tasksOf(config)) {
    for (const key of ['mask', 'blocks']) {
      const array = valueAt(value, ['skip', key]);
      if (typeof array !== 'string' || names.includes(array)) continue;
      add(['tasks', task, 'skip', key], unknownName("one of the file's arrays", array, names));
    }
  }
}

/** Every `executor` of a task must be one of the file's `executors`. */
export function checkExecutors(config: unknown, add: Add): void {
  const names = keysOf(valueAt(config, ['executors']));
  for (const [task, value] of tasksOf(config)) {
    const executor = valueAt(value, ['executor']);
    if (typeof executor !== 'string' || names.includes(executor)) continue;
    add(['tasks', task, 'executor'], unknownName("one of the file's executors", executor, names));
  }
}

/** The first circle in a directed graph, in the order of its arrows. */
export function findCircle(
  nodes: readonly string[],
  next: (node: string) => readonly string[],
): readonly string[] | undefined {
  const state = new Map<string, 'open' | 'closed'>();
  const trail: string[] = [];
  const visit = (node: string): readonly string[] | undefined => {
    if (state.get(node) === 'closed') return undefined;
    if (state.get(node) === 'open') return trail.slice(trail.indexOf(node));
    state.set(node, 'open');
    trail.push(node);
    for (const other of next(node)) {
      const circle = visit(other);
      if (circle !== undefined) return circle;
    }
    trail.pop();
    state.set(node, 'closed');
    return undefined;
  };
  for (const node of nodes) {
    const circle = visit(node);
    if (circle !== undefined) return circle;
  }
  return undefined;
}

function unknownName(what: string, found: string, names: readonly string[]): string {
  const suggestion = suggest(found, names);
  const known = names.length === 0 ? 'there are none' : listOf(names);
  return `expected ${what} (${known}), found ${describeValue(found)}${suggestion === undefined ? '' : ` (did you mean '${suggestion}'?)`}`;
}

function tasksOf(config: unknown): [string, unknown][] {
  const tasks = valueAt(config, ['tasks']);
  return typeof tasks === 'object' && tasks !== null && !Array.isArray(tasks) ? Object.entries(tasks) : [];
}

function keysOf(value: unknown): string[] {
  return typeof value === 'object' && value !== null ? Object.keys(value) : [];
}
