import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Coordinate } from '../lib/geometry/coordinate.js';
import { type PipelineInput, pipeline } from '../lib/pipeline/pipeline.js';
import { runPipeline } from '../lib/pipeline/run.js';
import { ChunkedArray } from '../lib/storage/chunked-array.js';
import type { TypedArray } from '../lib/storage/metadata.js';
import { builtInTasks } from '../lib/tasks/index.js';
import { cornerAffinities, cornerLabels, OFFSETS, SCORES } from './inputs.js';

export interface QualityCase {
  /** Voxels an axis of the volume, from the corner of the example's. */
  readonly size: number;
  /** Of the blocks of all tasks. */
  readonly block: number;
  /** Of the noise. */
  readonly seed: number;
  /** Undefined: that of the task. */
  readonly context?: number | undefined;
  readonly pseudoCount?: number | undefined;
}

export interface QualityResult extends QualityCase {
  readonly adaptedRandError: number;
  readonly voiSplit: number;
  readonly voiMerge: number;
  readonly segments: number;
  readonly seconds: number;
}

const VOXEL_SIZE = [8, 8, 8];

/** Labels and affinities of a corner of the example on disk; pipelines from affinities to scores over them. */
export class QualityVolume {
  private readonly folder: string;
  private made: Promise<void> | undefined;

  constructor(
    place: string,
    readonly size: number,
  ) {
    this.folder = mkdtempSync(join(place, 'volume-'));
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Runs a pipeline: fragments, edges, LUT, scores of the segments. `look` sees the folder of its results. */
  async run(
    which: QualityCase,
    workers: number,
    look: (folder: string) => Promise<void> = async () => undefined,
  ): Promise<QualityResult> {
    this.made ??= this.make();
    await this.made;
    const folder = mkdtempSync(join(this.folder, 'run-'));
    try {
      const began = performance.now();
      const job = await pipeline(this.input(folder, which), { definitions: builtInTasks });
      const { complete, failures } = await runPipeline(job, { workers });
      if (!complete) throw new Error(`the run is not complete: ${JSON.stringify(failures[0])}`);
      const seconds = (performance.now() - began) / 1000;
      const scores = JSON.parse(readFileSync(join(folder, 'scores.json'), 'utf8')) as QualityResult;
      const { adaptedRandError, voiSplit, voiMerge, segments } = scores;
      await look(folder);
      return { ...which, adaptedRandError, voiSplit, voiMerge, segments, seconds };
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  private input(folder: string, { block, seed, context, pseudoCount }: QualityCase): PipelineInput {
    const blockSize = [block, block, block];
    const common = { affinities: 'affinities', fragments: 'fragments', graph: 'graph', blockSize };
    return {
      name: 'quality',
      runDirectory: join(folder, 'quality.run'),
      arrays: {
        labels: { store: join(this.folder, 'labels.zarr') },
        affinities: { store: join(this.folder, 'affinities.zarr'), neighborhood: OFFSETS },
        fragments: { store: join(folder, 'fragments.zarr') },
      },
      graphs: { graph: { type: 'sqlite', path: join(folder, 'graph.sqlite') } },
      tasks: {
        fragments: {
          type: 'extract-frags',
          ...common,
          bias: -0.5,
          noiseEps: 0.001,
          seed,
          ...(context === undefined ? {} : { context: [context, context, context] }),
        },
        edges: {
          type: 'aff-agglom',
          ...common,
          scores: Object.fromEntries(
            Object.entries(SCORES).map(([name, channels]) => [name, channels.map((channel) => OFFSETS[channel])]),
          ),
        },
        lut: {
          type: 'graph-mws',
          graph: 'graph',
          lut: join(folder, 'segments.lut'),
          weights: { near: [1, -0.5], mid: [1, -0.53], far: [0.9, -0.51] },
          ...(pseudoCount === undefined ? {} : { pseudoCount }),
        },
        tables: {
          type: 'contingency',
          segmentation: 'fragments',
          truth: 'labels',
          lut: join(folder, 'segments.lut'),
          tables: join(folder, 'tables'),
          blockSize: [64, 64, 64],
        },
        scores: { type: 'evaluate', tables: join(folder, 'tables'), output: join(folder, 'scores.json') },
      },
    };
  }

  private async make(): Promise<void> {
    const { size } = this;
    await this.write('labels.zarr', await cornerLabels(size), []);
    await this.write('affinities.zarr', await cornerAffinities(size), [OFFSETS.length]);
  }

  private async write(name: string, data: TypedArray, channels: readonly number[]): Promise<void> {
    const space = [this.size, this.size, this.size];
    const shape = [...channels, ...space];
    const array = await ChunkedArray.create(join(this.folder, name), {
      shape,
      chunkShape: [...channels.map(() => 1), ...space.map((extent) => Math.min(extent, 64))],
      dataType: 'uint8',
      channelAxes: channels.length,
      offset: Coordinate.from([0, 0, 0]),
      voxelSize: Coordinate.from(VOXEL_SIZE),
      units: ['nm', 'nm', 'nm'],
      axisNames: [...channels.map(() => 'c^'), 'z', 'y', 'x'],
      attributes: {},
    });
    const begin = shape.map(() => 0);
    await array.writeRegion(begin, shape, data, { durable: false });
  }
}
