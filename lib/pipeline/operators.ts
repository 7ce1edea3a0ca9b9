import { isDeepStrictEqual } from 'node:util';
import { BlockwrightError } from '../errors.js';
import type { PipelineInput, TaskInput } from './pipeline.js';

export interface CombineOptions {
  /** Of the new pipeline. @default both names with a dash between them */
  readonly name?: string;
  /** @default `<name>.run` */
  readonly runDirectory?: string;
}

type Named = Readonly<Record<string, unknown>>;

/**
 * Both pipelines as one, in which every task of the second begins when all tasks of the first have ended (daisy's `then`).
 * Throws ERR_CONFIG where both use one name for different things.
 */
export function sequence(first: PipelineInput, second: PipelineInput, options: CombineOptions = {}): PipelineInput {
  const before = Object.keys(first.tasks);
  const later = Object.entries(second.tasks).map(([name, task]): [string, TaskInput] => {
    return [name, { ...task, after: [...new Set([...before, ...(task.after ?? [])])] }];
  });
  return together(first, { ...second, tasks: Object.fromEntries(later) }, options);
}

/**
 * Both pipelines as one, in which only what they share orders their tasks: one that reads what another writes waits for it, block
 * by block (daisy's `and`). Arrays, graphs, executors and resources of one name must be the same in both, tasks must have
 * different names, and what runs the workers is the first one's where both say it. Throws ERR_CONFIG where names clash.
 */
export function together(first: PipelineInput, second: PipelineInput, options: CombineOptions = {}): PipelineInput {
  const clash = Object.keys(first.tasks).find((name) => Object.hasOwn(second.tasks, name));
  if (clash !== undefined) {
    const whose = first.name === second.name ? 'both pipelines' : `the pipelines ${first.name} and ${second.name}`;
    throw new BlockwrightError('ERR_CONFIG', `tasks: expected names that are used once, found '${clash}' in ${whose}`);
  }
  const merged = (key: 'arrays' | 'graphs' | 'executors' | 'resources') => mergeNamed(key, first[key], second[key]);
  const plugins = [...new Set([...(first.plugins ?? []), ...(second.plugins ?? [])])];
  const both = { ...second, ...first };
  const { runDirectory: _, ...rest } = both;
  return {
    ...rest,
    name: options.name ?? `${first.name}-${second.name}`,
    ...(options.runDirectory === undefined ? {} : { runDirectory: options.runDirectory }),
    ...merged('arrays'),
    ...merged('graphs'),
    ...merged('executors'),
    ...merged('resources'),
    ...(plugins.length === 0 ? {} : { plugins }),
    tasks: { ...first.tasks, ...second.tasks },
  };
}

function mergeNamed(key: string, first: Named | undefined, second: Named | undefined): Record<string, Named> {
  if (first === undefined && second === undefined) return {};
  for (const [name, value] of Object.entries(first ?? {})) {
    if (second === undefined || !Object.hasOwn(second, name) || isDeepStrictEqual(value, second[name])) continue;
    const found = `${JSON.stringify(value)} and ${JSON.stringify(second[name])}`;
    throw new BlockwrightError('ERR_CONFIG', `${key}.${name}: expected the same in both pipelines, found ${found}`);
  }
  return { [key]: { ...first, ...second } };
}
