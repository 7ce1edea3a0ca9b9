import { BlockPlan } from '../blocks/plan.js';
import { BlockwrightError } from '../errors.js';
import { RemoteGraphStore } from '../graph/remote-graph-store.js';
import type { WorkerBlockContext } from '../workers/block-attempt.js';
import type { ProcessBlock } from '../workers/block-runner.js';
import { MeasuredVolume } from '../workers/measured-volume.js';
import type { BlockContext, TaskDefinition } from '../workers/task-definition.js';
import { GRAPH_SERVICE } from './graph-service.js';
import { Once } from './once.js';
import { OpenArrays } from './open-arrays.js';
import { resolvePath } from './paths.js';
import { TaskRegistry } from './registry.js';
import type { WorkerConfig } from './worker-config.js';

/**
 * A worker's side of a pipeline: what runs a block of each task. Arrays are opened once a worker, graphs are reached
 * through the coordinator.
 *
 * @throws ERR_PLUGIN when a plugin cannot be loaded, ERR_CONFIG when a task's type is not known here
 */
export async function loadTasks(
  config: WorkerConfig,
  definitions: readonly TaskDefinition[],
): Promise<ReadonlyMap<string, ProcessBlock>> {
  const registry = new TaskRegistry(definitions);
  for (const path of config.plugins) await registry.addPlugin(path);
  const arrays = new OpenArrays(new Map(config.arrays.map(({ name, source }) => [name, source])));
  const neighborhoods = new Map(config.neighborhoods.map(({ array, offsets }) => [array, offsets]));
  // rows of a task that was renamed or taken out of the pipeline may still be there
  const writers = new Map(config.graphs.map(({ name, writers }) => [name, writers]));
  return new Map(
    config.tasks.map(({ name, type, input, blocks: plan }) => {
      const definition = registry.get(type);
      if (definition === undefined) {
        throw new BlockwrightError('ERR_CONFIG', `task '${name}': this worker knows no task type '${type}'`);
      }
      const options = definition.options.parse(input);
      const blocks = BlockPlan.fromJSON(plan);
      const once = new Once();
      const shared: SharedContext = {
        task: name,
        blocks,
        pathInGroup: (array, group) => arrays.pathInGroup(array, group),
        lutPath: (path) => resolvePath(config.folder, path),
        filePath: (path) => resolvePath(config.folder, path),
        neighborhood: (array) => {
          const offsets = neighborhoods.get(array);
          if (offsets === undefined) {
            throw new BlockwrightError('ERR_CONFIG', `the array '${array}' has no neighborhood`);
          }
          return offsets;
        },
        once: (key, make) => once.get(key, make),
      };
      const processBlock: ProcessBlock = async (block, attempt) => {
        const context = new TaskBlockContext(shared, attempt, arrays, writers);
        const where = blocks.block(block);
        if ((await definition.check?.(options, where, context)) === true) {
          context.log('skipped: check says that its results are there');
          return 'skipped';
        }
        return definition.processBlock(options, where, context);
      };
      return [name, processBlock];
    }),
  );
}

/** What all blocks of a task have in common. */
type SharedContext = Pick<
  BlockContext,
  'task' | 'blocks' | 'pathInGroup' | 'lutPath' | 'filePath' | 'neighborhood' | 'once'
>;

/** A class, since objects with accessors of their own take ten times as long to make, and every block has one. */
class TaskBlockContext implements BlockContext {
  readonly task: string;
  readonly blocks: BlockPlan;
  readonly pathInGroup: BlockContext['pathInGroup'];
  readonly lutPath: BlockContext['lutPath'];
  readonly filePath: BlockContext['filePath'];
  readonly neighborhood: BlockContext['neighborhood'];
  readonly once: BlockContext['once'];
  readonly attempt: number;
  readonly cost: BlockContext['cost'];
  readonly log: BlockContext['log'];

  constructor(
    shared: SharedContext,
    private readonly of: WorkerBlockContext,
    private readonly arrays: OpenArrays,
    private readonly writers: ReadonlyMap<string, readonly string[]>,
  ) {
    this.task = shared.task;
    this.blocks = shared.blocks;
    this.pathInGroup = shared.pathInGroup;
    this.lutPath = shared.lutPath;
    this.filePath = shared.filePath;
    this.neighborhood = shared.neighborhood;
    this.once = shared.once;
    this.attempt = of.attempt;
    this.cost = of.meter;
    this.log = of.log;
  }

  get signal(): AbortSignal {
    return this.of.signal;
  }

  // tasks take functions out of the context: they know it without `this`
  readonly array: BlockContext['array'] = async (array, innerPath) => {
    return new MeasuredVolume(await this.arrays.get(array, innerPath), this.of.meter);
  };

  readonly graph: BlockContext['graph'] = (graph) => {
    const tasks = this.writers.get(graph) ?? [];
    return new RemoteGraphStore(
      (header, payload) => callGraph(this.of, graph, header, payload),
      tasks.length === 0 ? undefined : new Set(tasks),
      () => this.of.signal,
    );
  };
}

/** Rows that go either way count as read or written; of what is not rows the time alone, as read. */
function callGraph(attempt: WorkerBlockContext, graph: string, header: unknown, payload: Uint8Array) {
  const operation = String((header as { readonly operation?: unknown }).operation);
  const kind = operation.startsWith('write') ? 'write' : 'read';
  const { meter } = attempt;
  if (kind === 'write') meter.count(kind, payload.byteLength);
  const answers = attempt.stream(GRAPH_SERVICE, graph, header, payload);
  return meter.items(kind, answers, (answer) => (kind === 'read' ? answer.payload.byteLength : 0));
}
