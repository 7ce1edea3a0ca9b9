import { join } from 'node:path';
import { Coordinate } from '../../lib/geometry/coordinate.js';
import type { EdgeColumns, NodeColumns } from '../../lib/graph/graph-store.js';
import { type Lut, openLut } from '../../lib/graph/lut.js';
import { SqliteGraphStore } from '../../lib/graph/sqlite-graph-store.js';
import { type PipelineInput, pipeline, type TaskInput } from '../../lib/pipeline/pipeline.js';
import { planPipeline } from '../../lib/pipeline/plan.js';
import { runSerially } from '../../lib/pipeline/run-serially.js';
import { ChunkedArray } from '../../lib/storage/chunked-array.js';
import type { DataType, TypedArray } from '../../lib/storage/metadata.js';
import { builtInTasks } from '../../lib/tasks/index.js';
import { temporaryFolder } from './stores.js';

export interface Volume {
  readonly data: TypedArray;
  readonly shape: readonly number[];
  /** Leading axes that are channels. @default 0 */
  readonly channelAxes?: number;
  /** @default the shape, halved where that is more than 8 */
  readonly chunkShape?: readonly number[];
  /** World units. @default 0 */
  readonly offset?: readonly number[];
  /** @default 8 */
  readonly voxelSize?: readonly number[];
}

/** A folder with arrays `<folder>/data.zarr/<name>`, a graph and LUTs, and what is needed to run tasks on them. */
export class TaskBench {
  private readonly temporary = temporaryFolder();

  constructor(private readonly neighborhood: readonly (readonly number[])[] = []) {}

  get folder(): string {
    return this.temporary.path;
  }

  remove(): void {
    this.temporary.remove();
  }

  /** Where an array is. */
  store(name: string): string {
    return join(this.folder, 'data.zarr', name);
  }

  async write(name: string, volume: Volume): Promise<void> {
    const { data, shape, channelAxes = 0 } = volume;
    const axes = shape.length - channelAxes;
    const array = await ChunkedArray.create(this.store(name), {
      shape,
      chunkShape: volume.chunkShape ?? shape.map((extent) => (extent > 8 ? Math.ceil(extent / 2) : extent)),
      dataType: dataTypeOf(data),
      channelAxes,
      offset: new Coordinate(volume.offset ?? new Array<number>(axes).fill(0)),
      voxelSize: new Coordinate(volume.voxelSize ?? new Array<number>(axes).fill(8)),
      units: new Array<string>(axes).fill('nm'),
      axisNames: shape.map((_, axis) => (axis < channelAxes ? `c${axis}^` : `d${axis}`)),
      attributes: {},
    });
    await array.writeRegion(
      shape.map(() => 0),
      shape,
      data,
      { durable: false },
    );
  }

  async open(name: string): Promise<ChunkedArray> {
    return ChunkedArray.open(this.store(name));
  }

  async read<Data extends TypedArray = BigUint64Array>(name: string): Promise<Data> {
    const array = await this.open(name);
    const begin = array.shape.map(() => 0);
    return (await array.readRegion(begin, array.shape)) as Data;
  }

  /** A pipeline of these tasks over the arrays that are in the folder or that the tasks name, with the graph 'graph'. */
  input(tasks: Readonly<Record<string, TaskInput>>): PipelineInput {
    const names = Object.values(tasks).flatMap(
      ({ affinities, fragments, segments, segmentation, truth, mask, input }) =>
        [affinities, fragments, segments, segmentation, truth, mask, input].filter((name) => typeof name === 'string'),
    );
    return {
      name: 'bench',
      arrays: Object.fromEntries(
        names.map((name) => {
          const isAffinities = Object.values(tasks).some(({ affinities }) => affinities === name);
          const store = `data.zarr/${name}`;
          return [name, isAffinities ? { store, neighborhood: this.neighborhood } : { store }];
        }),
      ),
      graphs: { graph: { type: 'sqlite', path: 'graph.sqlite' } },
      tasks,
    };
  }

  /** Runs tasks in this process; returns what the blocks logged, e.g. `fragments 0: 12 fragments`. */
  async run(tasks: Readonly<Record<string, TaskInput>>): Promise<string[]> {
    const lines: string[] = [];
    const made = await pipeline(this.input(tasks), { definitions: builtInTasks, folder: this.folder });
    await runSerially(await planPipeline(made), {
      onLog: (task, block, line) => lines.push(`${task} ${block}: ${line}`),
    });
    return lines;
  }

  /** Uses the graph store of the folder. */
  async withGraph<Result>(action: (store: SqliteGraphStore) => Promise<Result>): Promise<Result> {
    const store = new SqliteGraphStore(join(this.folder, 'graph.sqlite'));
    try {
      return await action(store);
    } finally {
      await store.close();
    }
  }

  graph(): Promise<{ nodes: NodeColumns; edges: EdgeColumns }> {
    return this.withGraph(async (store) => ({ nodes: await store.readNodes(), edges: await store.readEdges() }));
  }

  lut(name: string): Promise<Lut> {
    return openLut(join(this.folder, name));
  }
}

function dataTypeOf(data: TypedArray): DataType {
  const name = Object.prototype.toString.call(data).slice(8, -1);
  return name.replace('Big', '').replace('Array', '').toLowerCase() as DataType;
}
