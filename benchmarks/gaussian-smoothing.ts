import { join } from 'node:path';
import { gaussianSmoothing } from '../lib/native/gaussian-smoothing.js';
import type { Benchmark, BenchmarkOptions, MakeOurSide } from './benchmark.js';
import { compare, isChosen } from './compare.js';
import { cornerAffinities } from './inputs.js';
import { readNpy, writeNpy } from './npy.js';
import { closeNumbers } from './partition.js';
import type { Row } from './row.js';

const REFERENCE = 'scipy.ndimage.gaussian_filter';

interface Settings {
  /** .npy, float32 or float64 [z, y, x]. */
  readonly values: string;
  readonly sigma: readonly number[];
  readonly threads: number;
}

export const ours: MakeOurSide = async (settings) => {
  const { values: path, sigma, threads } = settings as Settings;
  const { data, shape } = readNpy<Float32Array>(path);
  return {
    run: async () => ({ result: await gaussianSmoothing(data, shape, { sigma, threads }) }),
    write: (result, folder) => writeNpy(join(folder, 'smoothed.npy'), shape, result as Float32Array),
  };
};

const KINDS = {
  'float32, sigma 1': { type: Float32Array, sigma: [1, 1, 1], tolerance: 1e-6 },
  'float32, sigma 3': { type: Float32Array, sigma: [3, 3, 3], tolerance: 1e-6 },
  'float32, sigma 0.5, 2, 2': { type: Float32Array, sigma: [0.5, 2, 2], tolerance: 1e-6 },
  'float64, sigma 1': { type: Float64Array, sigma: [1, 1, 1], tolerance: 1e-14 },
} as const;

async function* rows(options: BenchmarkOptions): AsyncGenerator<Row> {
  for (const size of options.smoke ? ['24'] : options.sizes) {
    const extent = Number(size);
    const shape = [extent, extent, extent];
    const bytes = (await cornerAffinities(extent)).subarray(0, extent ** 3);
    for (const [kind, { type, sigma, tolerance }] of Object.entries(KINDS)) {
      const title = `${size}^3 ${kind}`;
      if (!isChosen(options, title, REFERENCE)) continue;
      const values = join(options.folder, 'gaussian-values.npy');
      writeNpy(
        values,
        shape,
        new type(bytes).map((byte) => byte / 255),
      );
      const settings: Settings = { values, sigma, threads: options.threads };
      yield await compare(
        {
          bench: 'gaussian-smoothing',
          case: title,
          unit: 'M voxels/s',
          scale: 1e-6,
          items: extent ** 3,
          settings,
          reference: { name: REFERENCE, environment: 'volara', script: 'gaussian_smoothing', settings },
          warmUp: true,
          equal: (ours, reference) => {
            const read = (folder: string) =>
              Float64Array.from(readNpy<Float32Array>(join(folder, 'smoothed.npy')).data);
            return closeNumbers(read(ours), read(reference), tolerance);
          },
        },
        options,
      );
    }
  }
}

export const benchmark: Benchmark = {
  name: 'gaussian-smoothing',
  description: 'an affinity channel of FIB-25 smoothed',
  sizes: { '64': '64^3 voxels', '128': '128^3 voxels', '250': '250^3 voxels' },
  defaultSizes: ['64', '128', '250'],
  rows,
};
