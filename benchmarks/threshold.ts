import { join } from 'node:path';
import { threshold } from '../lib/native/threshold.js';
import type { Benchmark, BenchmarkOptions, MakeOurSide } from './benchmark.js';
import { compare, isChosen } from './compare.js';
import { inLargePages } from './large-pages.js';
import { readNpy, writeNpy } from './npy.js';
import { sameNumbers } from './partition.js';
import { Random } from './random.js';
import type { Row } from './row.js';

const REFERENCE = 'numpy >';
const LIMIT = 99.5;

interface Settings {
  /** .npy, [z, y, x]. */
  readonly values: string;
  readonly threshold: number;
  readonly threads: number;
}

export const ours: MakeOurSide = async (settings) => {
  const { values: path, threshold: limit, threads } = settings as Settings;
  const { data: read, shape } = readNpy<Uint8Array | Float32Array>(path);
  const data = await inLargePages(read);
  return {
    run: async () => ({ result: await threshold(data, limit, { threads }) }),
    write: (result, folder) => writeNpy(join(folder, 'mask.npy'), shape, result as Uint8Array),
  };
};

async function* rows(options: BenchmarkOptions): AsyncGenerator<Row> {
  for (const size of options.smoke ? ['24'] : options.sizes) {
    const extent = Number(size);
    for (const type of [Uint8Array, Float32Array]) {
      const title = `${size}^3 ${type === Uint8Array ? 'uint8' : 'float32'}`;
      if (!isChosen(options, title, REFERENCE)) continue;
      const values = join(options.folder, 'threshold-values.npy');
      const random = new Random(2);
      writeNpy(
        values,
        [extent, extent, extent],
        new type(extent ** 3).map(() => random.bits() >>> 24),
      );
      const settings: Settings = { values, threshold: LIMIT, threads: options.threads };
      yield await compare(
        {
          bench: 'threshold',
          case: title,
          unit: 'M voxels/s',
          scale: 1e-6,
          items: extent ** 3,
          settings,
          reference: { name: REFERENCE, environment: 'volara', script: 'threshold', settings },
          warmUp: true,
          equal: sameMask,
        },
        options,
      );
    }
  }
}

function sameMask(ours: string, reference: string): boolean {
  const read = (folder: string) => readNpy<Uint8Array>(join(folder, 'mask.npy')).data;
  return sameNumbers(read(ours), read(reference));
}

export const benchmark: Benchmark = {
  name: 'threshold',
  description: 'a mask of the voxels above a value',
  sizes: { '128': '128^3 voxels', '256': '256^3 voxels', '512': '512^3 voxels, 0.13 and 0.5 GB' },
  defaultSizes: ['128', '256', '512'],
  rows,
};
