import { resolve } from 'node:path';
import { messageOf } from '../errors.js';
import { isAddress, parseAddress } from '../storage/address.js';
import type { Level } from '../storage/image-level.js';
import { innerStore } from '../storage/inner-path.js';
import type { VolumeOperation } from '../storage/operations/operation.js';
import type { VolumeSource } from '../storage/volume-source.js';
import type { TaskDefinition } from '../workers/task-definition.js';
import { checkAddresses } from './addresses.js';
import { withProfile } from './executor-profile.js';
import type { ExecutorConfig, ExecutorInput } from './executor-schema.js';
import { place, problemsOf, valueAt } from './issues.js';
import { checkAfter, checkExecutors, checkReferences, checkSkips, checkStacks } from './names.js';
import { resolvePath } from './paths.js';
import { formatKey, type KeyPath, type Problem, problemsError } from './problem.js';
import { COMMON_KEYS, TaskRegistry } from './registry.js';
import { type PipelineConfig, pipelineSchema } from './schema.js';
import { NO_SOURCE, type Source } from './source.js';

/** An array of a pipeline. */
export interface PipelineArray {
  readonly name: string;
  /** Absolute path, or the address of a remote store. Undefined for a stack. */
  readonly store?: string;
  /** As the file says it: a part of the run's identity, so that a folder can be moved as a whole. */
  readonly storeAsGiven?: string;
  /** Names of the arrays that it is a stack of. */
  readonly stack?: readonly string[];
  /** What is done to it when it is read; at least one. */
  readonly operations?: readonly VolumeOperation[];
  /** How it is opened. A level that its path names is part of the store; one that its voxel size names is not until it is planned. */
  readonly source: VolumeSource;
  readonly neighborhood?: readonly (readonly number[])[];
}

export interface PipelineGraph {
  readonly name: string;
  readonly type: 'sqlite';
  /** Absolute. */
  readonly path: string;
  readonly pathAsGiven: string;
}

export interface PipelineTask {
  readonly name: string;
  readonly definition: TaskDefinition;
  /** Checked, with defaults filled in. */
  readonly options: Readonly<Record<string, unknown>>;
  /** As they were given: plain data, which a worker checks again. */
  readonly input: Readonly<Record<string, unknown>>;
  readonly after: readonly string[];
  readonly retries: number;
  readonly blockTimeoutSeconds?: number;
  /** Names of the arrays that say which blocks are skipped. */
  readonly skip?: SkipInput;
  /** Name of one of the pipeline's executors; its own without it. */
  readonly executor?: string;
  readonly resources: Readonly<Record<string, number>>;
}

/** A pipeline whose every name, type and path was checked. What it reads and writes was not looked at yet. */
export interface Pipeline {
  readonly name: string;
  /** What relative paths are relative to; absolute. */
  readonly folder: string;
  /** Absolute. */
  readonly runDirectory: string;
  readonly arrays: ReadonlyMap<string, PipelineArray>;
  readonly graphs: ReadonlyMap<string, PipelineGraph>;
  readonly executor: ExecutorConfig;
  readonly executors: PipelineConfig['executors'];
  readonly maxWorkers?: number;
  readonly limits: PipelineConfig['limits'];
  readonly resources: Readonly<Record<string, number>>;
  /** Modules, absolute. */
  readonly plugins: readonly string[];
  readonly tasks: readonly PipelineTask[];
  readonly source: Source;
}

/** A pipeline as the file or code gives it. */
export interface PipelineInput {
  readonly name: string;
  readonly runDirectory?: string;
  readonly arrays?: Readonly<Record<string, ArrayInput>>;
  readonly graphs?: Readonly<Record<string, { readonly type: 'sqlite'; readonly path: string }>>;
  readonly executor?: ExecutorInput;
  readonly executors?: Readonly<Record<string, ExecutorInput>>;
  readonly maxWorkers?: number;
  readonly limits?: PipelineConfig['limits'];
  readonly resources?: Readonly<Record<string, number>>;
  readonly plugins?: readonly string[];
  readonly tasks: Readonly<Record<string, TaskInput>>;
}

/** An array as the file or code gives it: a store, or a stack of other arrays by name. */
export interface ArrayInput {
  readonly store?: string;
  /** Which level of the image at the store. */
  readonly level?: Level;
  readonly stack?: readonly string[];
  readonly operations?: readonly VolumeOperation[];
  readonly neighborhood?: readonly (readonly number[])[];
}

/** Arrays of the pipeline that say which blocks of a task are skipped. */
export interface SkipInput {
  /** In world units, of any voxel size: a block is skipped where its writeRoi holds no voxel that is not 0. */
  readonly mask?: string;
  /** One cell a block, in the shape of the grid of blocks: not 0 means skip. */
  readonly blocks?: string;
}

/** A task as the file or code gives it: the options of its type stand beside these keys. */
export interface TaskInput {
  readonly type: string;
  readonly after?: readonly string[];
  readonly retries?: number;
  /** Seconds. */
  readonly blockTimeout?: number;
  readonly skip?: SkipInput;
  /** Name of one of the `executors`. */
  readonly executor?: string;
  readonly resources?: Readonly<Record<string, number>>;
  readonly [option: string]: unknown;
}

export interface PipelineOptions {
  /**
   * The kinds of tasks that need no plugin.
   * @default the built-in ones
   */
  readonly definitions?: readonly TaskDefinition[];
  /**
   * What relative paths are relative to.
   * @default the current folder
   */
  readonly folder?: string;
}

/** Makes a pipeline in code; ERR_CONFIG with all problems when something is wrong with it. */
export function pipeline(input: PipelineInput, options: PipelineOptions = {}): Promise<Pipeline> {
  return buildPipeline(input, { ...options, source: NO_SOURCE, problems: [] });
}

/** Checks a config and resolves its paths. `problems` are those that are known already. */
export async function buildPipeline(
  value: unknown,
  options: PipelineOptions & { readonly source: Source; readonly problems: readonly Problem[] },
): Promise<Pipeline> {
  const { source } = options;
  const folder = resolve(options.folder ?? '.');
  const problems = [...options.problems];
  const add = (path: KeyPath, text: string) => problems.push({ ...place(source, path), key: formatKey(path), text });

  const registry = new TaskRegistry(options.definitions ?? (await import('../tasks/index.js')).builtInTasks);
  const plugins = pluginPaths(value, folder);
  let pluginFailed = false;
  for (const [i, path] of plugins) {
    try {
      await registry.addPlugin(path);
    } catch (error) {
      pluginFailed = true;
      add(['plugins', i], messageOf(error));
    }
  }

  const schema = pipelineSchema(registry);
  const parsed = schema.safeParse(value);
  // A type that is not known may be the one of the plugin that failed.
  const issues = (parsed.error?.issues ?? []).filter(
    (issue) =>
      !(
        pluginFailed &&
        issue.path[0] === 'tasks' &&
        issue.path.at(-1) === 'type' &&
        typeof valueAt(value, keyPath(issue.path)) === 'string'
      ),
  );
  problems.push(...problemsOf(schema, value, issues, source));
  checkReferences(value, registry, add);
  checkStacks(value, add);
  checkAfter(value, add);
  checkExecutors(value, add);
  checkSkips(value, add);
  checkAddresses(value, add);
  if (problems.length > 0 || parsed.data === undefined) throw problemsError(problems);
  const { executor, executors } = parsed.data;
  const profiled = (config: ExecutorConfig, path: KeyPath) => {
    try {
      return withProfile(config, folder);
    } catch (error) {
      add([...path, 'profile'], messageOf(error));
      return config;
    }
  };
  const config = {
    ...parsed.data,
    executor: profiled(executor, ['executor']),
    executors: Object.fromEntries(
      Object.entries(executors).map(([name, one]) => [name, profiled(one, ['executors', name])]),
    ),
  };
  if (problems.length > 0) throw problemsError(problems);
  return resolvePipeline(config, value as PipelineInput, registry, {
    folder,
    source,
    plugins: plugins.map(([, path]) => path),
  });
}

function resolvePipeline(
  config: PipelineConfig,
  input: PipelineInput,
  registry: TaskRegistry,
  rest: Pick<Pipeline, 'folder' | 'source' | 'plugins'>,
): Pipeline {
  const absolute = (path: string) => resolvePath(rest.folder, path);
  return {
    ...rest,
    name: config.name,
    runDirectory: absolute(config.runDirectory ?? `${config.name}.run`),
    arrays: mapOf(config.arrays, (name, { store, level, stack, operations, neighborhood }) => ({
      name,
      ...(store === undefined
        ? {}
        : { store: storeOf(absolute(store), level), storeAsGiven: storeAsGiven(store, level) }),
      ...(stack === undefined ? {} : { stack }),
      ...(operations === undefined ? {} : { operations }),
      source: sourceOf(config.arrays, name, absolute),
      ...(neighborhood === undefined ? {} : { neighborhood }),
    })),
    graphs: mapOf(config.graphs, (name, { type, path }) => ({ name, type, path: absolute(path), pathAsGiven: path })),
    executor: config.executor,
    executors: config.executors,
    ...(config.maxWorkers === undefined ? {} : { maxWorkers: config.maxWorkers }),
    limits: config.limits,
    resources: config.resources,
    tasks: Object.entries(config.tasks as Record<string, TaskInput>).map(([name, task]) => ({
      name,
      definition: registry.get(task.type)!,
      options: withoutCommonKeys(task),
      input: withoutCommonKeys(input.tasks[name]),
      after: task.after ?? [],
      retries: task.retries ?? 2,
      ...(task.blockTimeout === undefined ? {} : { blockTimeoutSeconds: task.blockTimeout }),
      ...(task.skip === undefined ? {} : { skip: task.skip }),
      ...(task.executor === undefined ? {} : { executor: task.executor }),
      resources: task.resources ?? {},
    })),
  };
}

/** With the level that a path names; the store of one that a voxel size names is found when the pipeline is planned. */
function storeOf(store: string, level: Level = ''): string {
  const whole = isAddress(store) ? parseAddress(store).text : store;
  return innerStore(whole, typeof level === 'string' ? level : '');
}

function storeAsGiven(store: string, level: Level = ''): string {
  return typeof level === 'string' ? innerStore(store, level) : `${store} [${level.join(', ')}]`;
}

function sourceOf(arrays: PipelineConfig['arrays'], name: string, absolute: (path: string) => string): VolumeSource {
  const { store, level, stack = [], operations } = arrays[name];
  return {
    ...(store === undefined
      ? { stack: stack.map((part) => sourceOf(arrays, part, absolute)) }
      : { store: storeOf(absolute(store), level), ...(typeof level === 'object' ? { level } : {}) }),
    ...(operations === undefined ? {} : { operations }),
  };
}

function withoutCommonKeys(task: TaskInput): Record<string, unknown> {
  return Object.fromEntries(Object.entries(task).filter(([key]) => !(COMMON_KEYS as readonly string[]).includes(key)));
}

function mapOf<In, Out>(
  record: Readonly<Record<string, In>>,
  make: (name: string, value: In) => Out,
): ReadonlyMap<string, Out> {
  return new Map(Object.entries(record).map(([name, value]) => [name, make(name, value)]));
}

function pluginPaths(value: unknown, folder: string): [number, string][] {
  const plugins = valueAt(value, ['plugins']);
  if (!Array.isArray(plugins)) return [];
  return [...plugins.entries()]
    .filter(([, path]) => typeof path === 'string' && path !== '')
    .map(([i, path]) => [i, resolvePath(folder, path)]);
}

function keyPath(path: readonly PropertyKey[]): KeyPath {
  return path.map((part) => (typeof part === 'number' ? part : String(part)));
}
