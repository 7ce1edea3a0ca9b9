import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Coordinate } from '../lib/geometry/coordinate.js';
import { contingencyTable } from '../lib/native/contingency-table.js';
import { segmentationScores } from '../lib/native/segmentation-scores.js';
import { pipeline } from '../lib/pipeline/pipeline.js';
import { runPipeline } from '../lib/pipeline/run.js';
import { ChunkedArray } from '../lib/storage/chunked-array.js';
import { builtInTasks } from '../lib/tasks/index.js';
import type { Benchmark, BenchmarkOptions, MakeOurSide } from './benchmark.js';
import { compare, isChosen } from './compare.js';
import { cornerAffinities, cornerLabels, OFFSETS, SCORES } from './inputs.js';
import type { Row } from './row.js';

const REFERENCE = 'volara';
const VOXEL_SIZE = [8, 8, 8];
const WEIGHTS = { near: [1, -0.5], mid: [1, -0.53], far: [0.9, -0.51] };

interface Settings {
  readonly folder: string;
  /** Path of the zarr array. */
  readonly affinities: string;
  readonly offsets: readonly (readonly number[])[];
  readonly shape: readonly number[];
  readonly voxelSize: readonly number[];
  readonly blockSize: readonly number[];
  readonly context: readonly number[];
  readonly bias: readonly number[];
  readonly noise: number;
  readonly strides?: readonly (readonly number[])[];
  /** Channels behind each score. */
  readonly scores: Readonly<Record<string, readonly number[]>>;
  readonly weights: Readonly<Record<string, readonly number[]>>;
  readonly workers: number;
}

export const ours: MakeOurSide = async (given) => {
  const settings = given as Settings;
  const { blockSize, context, strides } = settings;
  let folder = join(settings.folder, 'none');
  let runs = 0;
  return {
    // Everything from nothing, as the reference does; another seed each time, as its noise has none.
    run: async () => {
      rmSync(folder, { recursive: true, force: true });
      folder = mkdtempSync(join(settings.folder, 'blockwright-'));
      const store = (name: string) => ({ store: join(folder, 'data.zarr', name) });
      const blocks = { affinities: 'affinities', fragments: 'fragments', graph: 'graph', blockSize, context };
      const job = await pipeline(
        {
          name: 'job',
          runDirectory: join(folder, 'job.run'),
          arrays: {
            affinities: { store: settings.affinities, neighborhood: settings.offsets },
            fragments: store('fragments'),
            segments: store('segments'),
          },
          graphs: { graph: { type: 'sqlite', path: join(folder, 'graph.sqlite') } },
          tasks: {
            fragments: {
              type: 'extract-frags',
              ...blocks,
              bias: settings.bias,
              noiseEps: settings.noise,
              seed: runs++,
              ...(strides === undefined ? {} : { strides }),
            },
            edges: {
              type: 'aff-agglom',
              ...blocks,
              scores: Object.fromEntries(
                Object.entries(settings.scores).map(([name, channels]) => [
                  name,
                  channels.map((c) => settings.offsets[c]),
                ]),
              ),
            },
            lut: { type: 'graph-mws', graph: 'graph', lut: join(folder, 'lut'), weights: settings.weights },
            segments: {
              type: 'relabel',
              fragments: 'fragments',
              segments: 'segments',
              lut: join(folder, 'lut'),
              blockSize,
            },
          },
        },
        { definitions: builtInTasks },
      );
      const { complete, tasks, failures } = await runPipeline(job, { workers: settings.workers });
      if (!complete) throw new Error(`the job is not complete: ${JSON.stringify(failures[0])}`);
      return {
        result: null,
        tasks: Object.fromEntries(tasks.map(({ name, seconds }) => [name, seconds])),
        segments: store('segments').store,
      };
    },
  };
};

/** Lower is better; against the labels, voxels with a label > 0. */
async function scoresOf(segments: string, labels: BigUint64Array, extent: number) {
  const array = await ChunkedArray.open(segments);
  const found = (await array.readRegion([0, 0, 0], [extent, extent, extent])) as BigUint64Array;
  const scores = await segmentationScores(await contingencyTable(found, labels));
  const { voiSplit, voiMerge, adaptedRandError } = scores;
  return { voiSplit, voiMerge, adaptedRandError, segments: scores.segments };
}

async function writeAffinities(path: string, extent: number, block: number): Promise<void> {
  const shape = [OFFSETS.length, extent, extent, extent];
  const array = await ChunkedArray.create(path, {
    shape,
    chunkShape: [OFFSETS.length, block, block, block],
    dataType: 'uint8',
    channelAxes: 1,
    offset: Coordinate.from([0, 0, 0]),
    voxelSize: Coordinate.from(VOXEL_SIZE),
    units: ['nm', 'nm', 'nm'],
    axisNames: ['c^', 'z', 'y', 'x'],
    attributes: { neighborhood: OFFSETS },
  });
  await array.writeRegion([0, 0, 0, 0], shape, await cornerAffinities(extent));
}

const EXTENTS: Record<string, number> = { smoke: 32, '128': 128, whole: 250 };

async function* rows(options: BenchmarkOptions): AsyncGenerator<Row> {
  for (const size of options.smoke ? ['smoke'] : options.sizes) {
    const extent = EXTENTS[size];
    const block = options.smoke ? 16 : 64;
    const context = options.smoke ? 9 : 16;
    const title = `${extent}^3 in blocks of ${block}^3, 2 workers`;
    if (!isChosen(options, title, REFERENCE)) continue;
    const affinities = join(options.folder, `pipeline-${size}.zarr`, 'affinities');
    await writeAffinities(affinities, extent, block);
    const labels = BigUint64Array.from(await cornerLabels(extent), BigInt);
    const settings: Settings = {
      folder: options.folder,
      affinities,
      offsets: OFFSETS,
      shape: [extent, extent, extent],
      voxelSize: VOXEL_SIZE,
      blockSize: [block, block, block],
      context: [context, context, context],
      bias: OFFSETS.map(() => -0.5),
      noise: 0.001,
      scores: SCORES,
      weights: WEIGHTS,
      workers: 2,
    };
    const scores: Record<'ours' | 'reference', unknown[]> = { ours: [], reference: [] };
    const tasks: Record<'ours' | 'reference', unknown[]> = { ours: [], reference: [] };
    yield await compare(
      {
        bench: 'pipeline',
        case: title,
        unit: 'M voxels/s',
        scale: 1e-6,
        items: extent ** 3,
        settings,
        reference: {
          name: REFERENCE,
          environment: 'volara',
          script: 'pipeline',
          settings,
          ...(extent > 128 ? { repetitions: 1 } : {}),
        },
        memory: 'tree',
        equal: 'the noise of the reference has no seed: see the scores',
        inspect: async (side, cost) => {
          scores[side].push(await scoresOf(cost.segments as string, labels, extent));
          tasks[side].push(cost.tasks);
        },
        extra: () => ({
          scores: scores.ours,
          referenceScores: scores.reference,
          tasks: tasks.ours,
          referenceTasks: tasks.reference,
        }),
      },
      options,
    );
  }
}

export const benchmark: Benchmark = {
  name: 'pipeline',
  description: 'affinities to segments, the whole job: fragments, edges, graph, relabelled segments, with SQLite',
  sizes: { '128': '128^3 voxels', whole: '250^3 voxels; the reference takes many minutes' },
  defaultSizes: ['128'],
  rows,
};
