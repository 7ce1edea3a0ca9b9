import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from '../lib/pipeline/pipeline.js';
import { runPipeline } from '../lib/pipeline/run.js';
import { ChunkedArray } from '../lib/storage/chunked-array.js';
import { builtInTasks } from '../lib/tasks/index.js';
import type { Benchmark, BenchmarkOptions, MakeOurSide } from './benchmark.js';
import { compare, isChosen } from './compare.js';
import type { Row } from './row.js';
import { createStore, LIBRARIES, storedVolumes } from './stores.js';
import { sameBytes } from './zarr-read.js';

interface Settings {
  /** Path of the array that is copied. */
  readonly source: string;
  /** Path of an array without chunks: the metadata of the copy. */
  readonly empty: string;
  /** Where copies are made. */
  readonly folder: string;
  /** Voxels of a chunk of the copy, all axes; also the block. */
  readonly chunkShape: readonly number[];
  /** Axes that are channels. */
  readonly channelAxes: number;
}

const WORKERS = 2;
const FROM = 'gzip-5';
const TO = 'zstd-1';

export const ours: MakeOurSide = async (settings) => {
  const { source, folder: parent, chunkShape, channelAxes } = settings as Settings;
  const blockSize = chunkShape.slice(channelAxes);
  let folder: string | undefined;
  return {
    prepare: async () => {
      if (folder !== undefined) rmSync(folder, { recursive: true });
      folder = mkdtempSync(join(parent, 'ours-'));
    },
    run: async () => {
      const job = await pipeline(
        {
          name: 'copy',
          runDirectory: join(folder as string, 'copy.run'),
          arrays: { source: { store: source }, target: { store: join(folder as string, 'array') } },
          tasks: {
            copy: {
              type: 'copy',
              source: 'source',
              target: 'target',
              chunkShape,
              blockSize,
              compressor: { name: 'zstd', level: 1, checksum: false },
            },
          },
        },
        { definitions: builtInTasks },
      );
      const { complete, failures } = await runPipeline(job, { workers: WORKERS });
      if (!complete) throw new Error(`the copy is not complete: ${JSON.stringify(failures[0])}`);
      return { result: null };
    },
    write: (_, into) => cpSync(join(folder as string, 'array'), join(into, 'array'), { recursive: true }),
  };
};

async function* rows(options: BenchmarkOptions): AsyncGenerator<Row> {
  const chunk = options.smoke ? 16 : 64;
  for (const size of options.smoke ? ['40'] : options.sizes) {
    for await (const volume of storedVolumes(Number(size))) {
      const title = `${volume.name} ${size}^3, ${chunk}^3 chunks of ${FROM} to ${2 * chunk}^3 of ${TO}`;
      const libraries = LIBRARIES.filter((library) => isChosen(options, title, library));
      if (libraries.length === 0) continue;
      const begin = volume.shape.map(() => 0);
      const source = await createStore(join(options.folder, 'source'), volume, FROM, chunk);
      await source.writeRegion(begin, volume.shape, volume.data);
      const empty = await createStore(join(options.folder, 'empty'), volume, TO, 2 * chunk);
      const settings: Settings = {
        source: source.path,
        empty: empty.path,
        folder: options.folder,
        chunkShape: empty.metadata.chunkShape,
        channelAxes: volume.channels.length,
      };
      const isRight = async (folder: string) => {
        const array = await ChunkedArray.open(join(folder, 'array'));
        return sameBytes(await array.readRegion(begin, volume.shape), volume.data);
      };
      for (const library of libraries) {
        yield await compare(
          {
            bench: 'copy',
            case: title,
            unit: 'GB/s',
            scale: 1e-9,
            items: volume.data.byteLength,
            settings,
            reference: {
              name: library,
              environment: 'storage',
              script: 'copy_array',
              settings: { ...settings, library },
            },
            memory: 'tree',
            equal: async (ours, reference) => (await isRight(ours)) && (await isRight(reference)),
          },
          options,
        );
      }
    }
  }
}

export const benchmark: Benchmark = {
  name: 'copy',
  description:
    'an array into other chunks and another codec, block by block, 2 workers or threads; ours and tensorstore synced',
  sizes: { '256': 'labels 0.13 GB, affinities 0.15 GB', '512': 'labels 1.1 GB, affinities 1.2 GB' },
  defaultSizes: ['512'],
  rows,
};
