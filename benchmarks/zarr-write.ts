import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ChunkedArray } from '../lib/storage/chunked-array.js';
import type { Benchmark, BenchmarkOptions, MakeOurSide } from './benchmark.js';
import { compare, isChosen } from './compare.js';
import { readNpy, writeNpy } from './npy.js';
import type { Row } from './row.js';
import { CODECS, createStore, LIBRARIES, storedVolumes, THREADS } from './stores.js';
import { sameBytes } from './zarr-read.js';

interface Settings {
  /** .npy of the whole array. */
  readonly data: string;
  /** Path of an array without chunks: its metadata. */
  readonly empty: string;
  /** Where new arrays are made. */
  readonly folder: string;
  /** Whether everything is synchronised to the disk. */
  readonly sync: boolean;
}

const METADATA = 'zarr.json';

export const ours: MakeOurSide = async (settings) => {
  const { data: path, empty, folder, sync } = settings as Settings;
  const { data, shape } = readNpy(path);
  const begin = shape.map(() => 0);
  let array: ChunkedArray | undefined;
  return {
    prepare: async () => {
      if (array !== undefined) rmSync(array.path, { recursive: true });
      const next = mkdtempSync(join(folder, 'ours-'));
      cpSync(join(empty, METADATA), join(next, METADATA));
      array = await ChunkedArray.open(next);
    },
    run: async () => {
      await array?.writeRegion(begin, shape, data, { threads: THREADS, durable: sync });
      return { result: null };
    },
    write: (_, into) => cpSync(array?.path as string, join(into, 'array'), { recursive: true }),
  };
};

async function* rows(options: BenchmarkOptions): AsyncGenerator<Row> {
  const chunk = options.smoke ? 16 : 64;
  for (const size of options.smoke ? ['40'] : options.sizes) {
    for await (const volume of storedVolumes(Number(size))) {
      const data = join(options.folder, `${volume.name}.npy`);
      writeNpy(data, volume.shape, volume.data);
      for (const { codec, library, sync } of CASES) {
        const title = `${volume.name} ${size}^3 ${codec}${sync ? ', synced' : ''}`;
        if (!isChosen(options, title, library)) continue;
        const empty = await createStore(options.folder, volume, codec, chunk);
        const settings: Settings = { data, empty: empty.path, folder: options.folder, sync };
        const isRight = async (folder: string) => {
          const array = await ChunkedArray.open(join(folder, 'array'));
          const begin = volume.shape.map(() => 0);
          return sameBytes(await array.readRegion(begin, volume.shape), volume.data);
        };
        yield await compare(
          {
            bench: 'zarr-write',
            case: title,
            unit: 'GB/s',
            scale: 1e-9,
            items: volume.data.byteLength,
            settings,
            reference: {
              name: library,
              environment: 'storage',
              script: 'zarr_write',
              settings: { ...settings, library },
            },
            equal: async (ours, reference) => (await isRight(ours)) && (await isRight(reference)),
          },
          options,
        );
      }
    }
  }
}

/** Codec, library, and whether what is written is synchronised, which zarr-python cannot. */
const CASES: readonly { readonly codec: string; readonly library: string; readonly sync: boolean }[] = [
  ...Object.keys(CODECS).flatMap((codec) => LIBRARIES.map((library) => ({ codec, library, sync: false }))),
  { codec: 'zstd-1 with checksum', library: 'tensorstore', sync: true },
];

export const benchmark: Benchmark = {
  name: 'zarr-write',
  description: 'whole arrays of 64^3 chunks to new stores, 2 threads each; not synchronised unless the case says so',
  sizes: { '256': 'labels 0.13 GB, affinities 0.15 GB', '512': 'labels 1.1 GB, affinities 1.2 GB' },
  defaultSizes: ['256'],
  rows,
};
