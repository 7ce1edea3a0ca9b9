import { pathToFileURL } from 'node:url';
import type { z } from 'zod';
import { BlockwrightError } from '../errors.js';
import type { TaskDefinition } from '../workers/task-definition.js';
import { pluginError } from './plugin-error.js';

/** Keys of a task in the pipeline file that are not options of its definition. */
export const COMMON_KEYS = ['type', 'after', 'retries', 'blockTimeout', 'executor', 'resources', 'skip'] as const;

/** The kinds of tasks that a pipeline file can name: the built-in ones, and those of its plugins. */
export class TaskRegistry {
  private readonly byType = new Map<string, TaskDefinition>();

  constructor(definitions: Iterable<TaskDefinition>) {
    for (const definition of definitions) this.add(definition, 'built-in');
  }

  get types(): readonly string[] {
    return [...this.byType.keys()];
  }

  get definitions(): readonly TaskDefinition[] {
    return [...this.byType.values()];
  }

  get(type: string): TaskDefinition | undefined {
    return this.byType.get(type);
  }

  /** Adds a definition after a look at its form; ERR_PLUGIN when it is not one or its type is taken. */
  add(value: unknown, from: string): void {
    const definition = checkDefinition(value, from);
    if (this.byType.has(definition.type)) {
      throw new BlockwrightError('ERR_PLUGIN', `${from}: there is already a task type '${definition.type}'`);
    }
    this.byType.set(definition.type, definition);
  }

  /** This registry and the definition that the module at an absolute path exports as default. */
  async addPlugin(path: string): Promise<void> {
    let module: { default?: unknown };
    try {
      module = await import(pathToFileURL(path).href);
    } catch (error) {
      throw pluginError(path, error);
    }
    this.add(module.default, `the plugin ${path}`);
  }
}

function checkDefinition(value: unknown, from: string): TaskDefinition {
  const refuse = (text: string) => new BlockwrightError('ERR_PLUGIN', `${from}: ${text}`);
  if (typeof value !== 'object' || value === null) {
    throw refuse("expected a task definition as the module's default export, found none");
  }
  const definition = value as Partial<TaskDefinition>;
  if (typeof definition.type !== 'string' || !/^[a-z][a-z0-9-]*$/.test(definition.type)) {
    throw refuse(`expected \`type\` in lower case with dashes, found ${JSON.stringify(definition.type)}`);
  }
  for (const name of ['plan', 'processBlock'] as const) {
    if (typeof definition[name] !== 'function')
      throw refuse(`expected a function \`${name}\`, found ${typeof definition[name]}`);
  }
  const kind = (definition.options as z.ZodObject | undefined)?._zod?.def?.type;
  if (kind !== 'object')
    throw refuse(`expected \`options\` to be a z.object, found ${kind ?? typeof definition.options}`);
  const taken = COMMON_KEYS.filter((key) => key in (definition.options as z.ZodObject).shape);
  if (taken.length > 0) throw refuse(`every task has the key '${taken[0]}' already; give the option another name`);
  return definition as TaskDefinition;
}
