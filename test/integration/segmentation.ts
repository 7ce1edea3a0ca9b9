import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { SqliteGraphStore } from '../../lib/graph/sqlite-graph-store.js';
import { loadPipeline } from '../../lib/pipeline/file.js';
import type { TaskInput } from '../../lib/pipeline/pipeline.js';
import { planPipeline } from '../../lib/pipeline/plan.js';
import { ChunkedArray } from '../../lib/storage/chunked-array.js';
import { builtInTasks } from '../../lib/tasks/index.js';
import { filesBelow } from '../support/stores.js';

const example = join(import.meta.dirname, '..', '..', '..', 'examples', 'fib25');

/** The example, labels to segments, in a folder of its own. */
export interface Segmentation {
  readonly folder: string;
  /** The pipeline file. */
  readonly file: string;
  readonly runDirectory: string;
  /** In the order of the file. */
  readonly tasks: readonly {
    readonly name: string;
    readonly blocks: number;
    /** Blocks along each axis. */
    readonly grid: readonly number[];
    /** How many chunks of its output, if that is an array, a block has along each axis. */
    readonly chunks: readonly number[];
  }[];
}

export interface SegmentationOptions {
  /** Voxels from the corner of the example's volume. @default all of it */
  readonly size?: readonly number[];
  /** Of all tasks. @default that of the example */
  readonly blockSize?: readonly number[];
  /** Voxels around the blocks of the watershed. @default that of the example */
  readonly context?: readonly number[];
  /** Of the noise. @default that of the example */
  readonly seed?: number;
}

interface ExampleFile {
  readonly plugins?: readonly string[];
  readonly arrays: Record<string, object>;
  readonly tasks: Record<string, Record<string, unknown>>;
}

/** The tasks of the example's pipeline for segments, with their options. */
export const exampleTasks = () => readExample('segment.yaml').tasks as Record<string, TaskInput>;

const readExample = (name: string) => parse(readFileSync(join(example, name), 'utf8')) as ExampleFile;

/** Writes the pipeline file: that of the example's affinities and that of its segments in one. */
export async function makeSegmentation(folder: string, options: SegmentationOptions = {}): Promise<Segmentation> {
  mkdirSync(folder, { recursive: true });
  const [affinities, segment] = [readExample('affinities.yaml'), readExample('segment.yaml')];
  const labels = join(example, 'labels.zarr');
  if (options.size !== undefined) await copyPart(labels, join(folder, 'labels.zarr'), options.size);
  const { blockSize, context, seed } = options;
  const tasks = Object.entries({ ...affinities.tasks, ...segment.tasks }).map(([name, task]) => [
    name,
    {
      ...task,
      ...(blockSize !== undefined && 'blockSize' in task ? { blockSize } : {}),
      ...(task.type !== 'extract-frags' ? {} : { context: context ?? task.context, seed: seed ?? task.seed }),
      ...('lut' in task ? { lut: 'segments.lut' } : {}),
    },
  ]);
  const config = {
    name: 'fib25',
    runDirectory: 'fib25.run',
    plugins: affinities.plugins?.map((path) => join(example, path)),
    arrays: {
      labels: { store: options.size === undefined ? labels : 'labels.zarr' },
      affinities: { ...segment.arrays.affinities, store: 'fib25.zarr/affinities' },
      fragments: { store: 'fib25.zarr/fragments' },
      segments: { store: 'fib25.zarr/segments' },
    },
    graphs: { fragmentGraph: { type: 'sqlite', path: 'fib25.sqlite' } },
    tasks: Object.fromEntries(tasks),
  };
  const file = join(folder, 'fib25.yaml');
  writeFileSync(file, stringify(config));
  const plan = await planPipeline(await loadPipeline(file, { definitions: builtInTasks }));
  return {
    folder,
    file,
    runDirectory: plan.pipeline.runDirectory,
    tasks: plan.tasks.map(({ task, plan: { blocks, outputs } }) => ({
      name: task.name,
      blocks: blocks.count,
      grid: blocks.gridShape.values,
      chunks: outputs.flatMap(({ metadata: { chunkShape, channelAxes, voxelSize } }) =>
        chunkShape.slice(channelAxes).map((extent, axis) => blocks.blockShape.at(axis) / voxelSize.at(axis) / extent),
      ),
    })),
  };
}

async function copyPart(from: string, to: string, size: readonly number[]): Promise<void> {
  const labels = await ChunkedArray.open(from);
  const data = await labels.readRegion([0, 0, 0], size);
  const part = await ChunkedArray.create(to, { ...labels.metadata, shape: size });
  await part.writeRegion([0, 0, 0], size, data, { durable: false });
}

export const totalBlocks = ({ tasks }: Segmentation) => tasks.reduce((sum, { blocks }) => sum + blocks, 0);

/** sha256 of each kind of result: every file of the arrays and of the LUT with its name, and the graph's sorted rows. */
export async function resultHashes({ folder }: Segmentation): Promise<Record<string, string>> {
  const ofFiles = (name: string) => {
    const digest = createHash('sha256');
    for (const [path, content] of filesBelow(join(folder, name))) {
      digest.update(`${path}\n${createHash('sha256').update(content).digest('hex')}\n`);
    }
    return digest.digest('hex');
  };
  return {
    affinities: ofFiles('fib25.zarr/affinities'),
    fragments: ofFiles('fib25.zarr/fragments'),
    segments: ofFiles('fib25.zarr/segments'),
    lut: ofFiles('segments.lut'),
    graph: await graphHash(join(folder, 'fib25.sqlite')),
  };
}

async function graphHash(path: string): Promise<string> {
  const store = new SqliteGraphStore(path);
  const digest = createHash('sha256');
  const add = (column: BigUint64Array | Float64Array) =>
    digest.update(new Uint8Array(column.buffer, column.byteOffset, column.byteLength));
  try {
    const { ids, sizes, positions } = await store.readNodes();
    for (const column of [ids, sizes, positions]) add(column);
    const { u, v, attributes } = await store.readEdges();
    for (const column of [u, v]) add(column);
    for (const { name } of await store.edgeAttributes()) {
      digest.update(name);
      add(attributes[name].sums);
      add(attributes[name].counts);
    }
  } finally {
    await store.close();
  }
  return digest.digest('hex');
}
