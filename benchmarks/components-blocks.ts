import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Coordinate } from '../lib/geometry/coordinate.js';
import { pipeline } from '../lib/pipeline/pipeline.js';
import { runPipeline } from '../lib/pipeline/run.js';
import { ChunkedArray } from '../lib/storage/chunked-array.js';
import type { ArrayMetadata, TypedArray } from '../lib/storage/metadata.js';
import { builtInTasks } from '../lib/tasks/index.js';
import type { Benchmark, BenchmarkOptions, MakeOurSide } from './benchmark.js';
import { compare, isChosen } from './compare.js';
import { cornerLabels } from './inputs.js';
import { sameNumbers } from './partition.js';
import type { Row } from './row.js';

const REFERENCE = 'cc3d with tensorstore, all in memory';
const WORKERS = 2;
const EXAMPLE_EXTENT = 250;

interface Settings {
  /** Path of the labels or mask. */
  readonly source: string;
  /** Path of an array without chunks: the metadata of the components. */
  readonly empty: string;
  /** Where components are written. */
  readonly folder: string;
  readonly blockSize: readonly number[];
  readonly connectivity: number;
}

export const ours: MakeOurSide = async (settings) => {
  const { source, folder: parent, blockSize, connectivity } = settings as Settings;
  let folder = join(parent, 'none');
  return {
    prepare: async () => {
      rmSync(folder, { recursive: true, force: true });
      folder = mkdtempSync(join(parent, 'ours-'));
    },
    run: async () => {
      const lut = join(folder, 'lut');
      const job = await pipeline(
        {
          name: 'components',
          runDirectory: join(folder, 'components.run'),
          arrays: {
            source: { store: source },
            fragments: { store: join(folder, 'fragments') },
            components: { store: join(folder, 'components') },
          },
          graphs: { graph: { type: 'sqlite', path: join(folder, 'graph.sqlite') } },
          tasks: {
            blocks: {
              type: 'connected-components',
              input: 'source',
              fragments: 'fragments',
              graph: 'graph',
              connectivity,
              blockSize,
            },
            lut: { type: 'components-lut', graph: 'graph', lut },
            components: { type: 'relabel', fragments: 'fragments', segments: 'components', lut, blockSize },
          },
        },
        { definitions: builtInTasks },
      );
      const { complete, tasks, failures } = await runPipeline(job, { workers: WORKERS });
      if (!complete) throw new Error(`the job is not complete: ${JSON.stringify(failures[0])}`);
      return { result: null, tasks: Object.fromEntries(tasks.map(({ name, seconds }) => [name, seconds])) };
    },
    write: (_, into) => cpSync(join(folder, 'components'), join(into, 'components'), { recursive: true }),
  };
};

/** The example's labels, or where every third of them is, repeated until the cube is full. */
async function volumeOf(extent: number, binary: boolean): Promise<Uint8Array> {
  const small = Math.min(extent, EXAMPLE_EXTENT);
  const example = await cornerLabels(small);
  if (binary) for (const [voxel, label] of example.entries()) example[voxel] = label % 3 === 1 ? 1 : 0;
  const labels = new Uint8Array(extent ** 3);
  for (let z = 0; z < extent; z++) {
    for (let y = 0; y < extent; y++) {
      const from = ((z % small) * small + (y % small)) * small;
      const to = (z * extent + y) * extent;
      for (let x = 0; x < extent; x += small) {
        labels.set(example.subarray(from, from + Math.min(small, extent - x)), to + x);
      }
    }
  }
  return labels;
}

async function createArray(path: string, like: Partial<ArrayMetadata>, extent: number): Promise<ChunkedArray> {
  return ChunkedArray.create(path, {
    shape: [extent, extent, extent],
    chunkShape: [64, 64, 64],
    dataType: 'uint8',
    channelAxes: 0,
    offset: Coordinate.filled(3, 0),
    voxelSize: Coordinate.filled(3, 8),
    units: ['nm', 'nm', 'nm'],
    axisNames: ['z', 'y', 'x'],
    attributes: {},
    ...like,
  });
}

/** Slab by slab: two large volumes need not be in memory at once. Both sides number by first voxels. */
async function sameComponents(ours: string, reference: string): Promise<boolean> {
  const [a, b] = await Promise.all([ours, reference].map((folder) => ChunkedArray.open(join(folder, 'components'))));
  const [depth, height, width] = a.shape;
  for (let z = 0; z < depth; z += 64) {
    const end = [Math.min(depth, z + 64), height, width];
    const [one, other] = await Promise.all([a, b].map((array) => array.readRegion([z, 0, 0], end)));
    if (!sameNumbers(one as TypedArray, other as TypedArray)) return false;
  }
  return true;
}

async function* rows(options: BenchmarkOptions): AsyncGenerator<Row> {
  for (const size of options.smoke ? ['40'] : options.sizes) {
    const extent = Number(size);
    const edge = options.smoke ? 16 : 128;
    for (const kind of ['labels', 'mask']) {
      const title = `${kind} ${size}^3, 26-connected, blocks of ${edge}^3, ${WORKERS} workers`;
      if (!isChosen(options, title, REFERENCE)) continue;
      const source = await createArray(join(options.folder, `components-${kind}-${size}`), {}, extent);
      const shape = [extent, extent, extent];
      await source.writeRegion([0, 0, 0], shape, await volumeOf(extent, kind === 'mask'));
      const like = { dataType: 'uint64' as const };
      const empty = await createArray(join(options.folder, `components-empty-${kind}-${size}`), like, extent);
      const settings: Settings = {
        source: source.path,
        empty: empty.path,
        folder: options.folder,
        blockSize: [edge, edge, edge],
        connectivity: 26,
      };
      const tasks: unknown[] = [];
      yield await compare(
        {
          bench: 'components-blocks',
          case: title,
          unit: 'M voxels/s',
          scale: 1e-6,
          items: extent ** 3,
          settings,
          reference: { name: REFERENCE, environment: 'storage', script: 'components_blocks', settings },
          memory: 'tree',
          equal: sameComponents,
          inspect: (side, cost) => {
            if (side === 'ours') tasks.push(cost.tasks);
          },
          extra: () => ({ tasks }),
        },
        options,
      );
    }
  }
}

export const benchmark: Benchmark = {
  name: 'components-blocks',
  description: 'connected components of a stored volume into a stored volume, block by block, numbered as in one piece',
  sizes: { '250': 'the labels of the example, 250^3', '512': 'the same repeated to 512^3' },
  defaultSizes: ['250'],
  rows,
};
