import { join } from 'node:path';
import { ChunkedArray } from '../lib/storage/chunked-array.js';
import type { TypedArray } from '../lib/storage/metadata.js';
import type { Benchmark, BenchmarkOptions, MakeOurSide } from './benchmark.js';
import { compare, isChosen } from './compare.js';
import { readNpy, writeNpy } from './npy.js';
import type { Row } from './row.js';
import { CODECS, createStore, LIBRARIES, type StoredVolume, storedVolumes, THREADS } from './stores.js';

/** In voxels, all axes. */
export interface Box {
  readonly begin: readonly number[];
  readonly end: readonly number[];
}

interface Settings {
  /** Path of the array. */
  readonly array: string;
  readonly regions: readonly Box[];
}

const shapeOf = ({ begin, end }: Box) => end.map((last, axis) => last - begin[axis]);

export const ours: MakeOurSide = async (settings) => {
  const { array: path, regions } = settings as Settings;
  const array = await ChunkedArray.open(path);
  return {
    run: async () => {
      const result: TypedArray[] = [];
      for (const { begin, end } of regions) result.push(await array.readRegion(begin, end, { threads: THREADS }));
      return { result };
    },
    write: (result, folder) => {
      for (const [number, data] of (result as TypedArray[]).entries())
        writeNpy(join(folder, `${number}.npy`), shapeOf(regions[number]), data);
    },
  };
};

/** Rows of regions of each volume and codec, beside each library. `chunk`: voxels of its edge. */
export async function* regionRows(
  bench: string,
  options: BenchmarkOptions,
  regionsOf: (volume: StoredVolume) => readonly Box[],
): AsyncGenerator<Row> {
  const chunk = options.smoke ? 16 : 64;
  for (const size of options.smoke ? ['40'] : options.sizes) {
    for await (const volume of storedVolumes(Number(size))) {
      for (const codec of Object.keys(CODECS)) {
        const title = `${volume.name} ${size}^3 ${codec}`;
        const libraries = LIBRARIES.filter((library) => isChosen(options, title, library));
        if (libraries.length === 0) continue;
        const array = await createStore(options.folder, volume, codec, chunk);
        await array.writeRegion(
          volume.shape.map(() => 0),
          volume.shape,
          volume.data,
        );
        const settings: Settings = { array: array.path, regions: regionsOf(volume) };
        const voxels = settings.regions.map((box) => shapeOf(box).reduce((product, extent) => product * extent, 1));
        for (const library of libraries) {
          yield await compare(
            {
              bench,
              case: title,
              unit: 'GB/s',
              scale: 1e-9,
              items: voxels.reduce((sum, count) => sum + count, 0) * volume.data.BYTES_PER_ELEMENT,
              settings,
              warmUp: true,
              reference: {
                name: library,
                environment: 'storage',
                script: 'zarr_read',
                settings: { ...settings, library },
              },
              equal: (ours, reference) =>
                voxels.every((_, number) => sameFiles(join(ours, `${number}.npy`), join(reference, `${number}.npy`))),
            },
            options,
          );
        }
      }
    }
  }
}

function sameFiles(ours: string, reference: string): boolean {
  return sameBytes(readNpy(ours).data, readNpy(reference).data);
}

export function sameBytes(a: TypedArray, b: TypedArray): boolean {
  const bytes = (data: TypedArray) => Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return bytes(a).equals(bytes(b));
}

export const benchmark: Benchmark = {
  name: 'zarr-read',
  description: 'whole arrays of 64^3 chunks into new memory, page cache warm, 2 threads each; bytes are uncompressed',
  sizes: { '256': 'labels 0.13 GB, affinities 0.15 GB', '512': 'labels 1.1 GB, affinities 1.2 GB' },
  defaultSizes: ['256'],
  rows: (options) => regionRows('zarr-read', options, ({ shape }) => [{ begin: shape.map(() => 0), end: shape }]),
};
