import { join } from 'node:path';
import { argmax, type ChannelValues } from '../lib/native/argmax.js';
import type { Benchmark, BenchmarkOptions, MakeOurSide } from './benchmark.js';
import { compare, isChosen } from './compare.js';
import { readNpy, writeNpy } from './npy.js';
import { sameNumbers } from './partition.js';
import { Random } from './random.js';
import type { Row } from './row.js';

const REFERENCE = 'numpy.argmax';
const CHANNELS = 8;

interface Settings {
  /** .npy, [channels, z, y, x]. */
  readonly values: string;
  readonly combineClasses?: readonly (readonly number[])[];
  readonly threads: number;
}

export const ours: MakeOurSide = async (settings) => {
  const { values: path, combineClasses, threads } = settings as Settings;
  const { data, shape } = readNpy<Float32Array>(path);
  return {
    run: async () => ({ result: await argmax(data as ChannelValues, shape, { combineClasses, threads }) }),
    write: (result, folder) => writeNpy(join(folder, 'classes.npy'), shape.slice(1), result as Uint8Array),
  };
};

const KINDS = {
  'float32, 8 channels': { type: Float32Array },
  'uint8, 8 channels': { type: Uint8Array },
  'float32, 8 channels in 3 classes': {
    type: Float32Array,
    combineClasses: [
      [0, 3, 5],
      [1, 7],
      [2, 4, 6],
    ],
  },
} as const;

async function* rows(options: BenchmarkOptions): AsyncGenerator<Row> {
  for (const size of options.smoke ? ['24'] : options.sizes) {
    const extent = Number(size);
    const shape = [CHANNELS, extent, extent, extent];
    for (const [kind, { type, ...more }] of Object.entries(KINDS)) {
      const title = `${size}^3 ${kind}`;
      if (!isChosen(options, title, REFERENCE)) continue;
      const values = join(options.folder, 'argmax-values.npy');
      // eighths, so that sums are exact and there are ties
      const random = new Random(1);
      writeNpy(
        values,
        shape,
        new type(CHANNELS * extent ** 3).map(() => (random.bits() >>> 24) / (type === Uint8Array ? 1 : 8)),
      );
      const settings: Settings = { values, ...more, threads: options.threads };
      yield await compare(
        {
          bench: 'argmax',
          case: title,
          unit: 'M voxels/s',
          scale: 1e-6,
          items: extent ** 3,
          settings,
          reference: { name: REFERENCE, environment: 'volara', script: 'argmax', settings },
          warmUp: true,
          equal: sameClasses,
        },
        options,
      );
    }
  }
}

function sameClasses(ours: string, reference: string): boolean {
  const read = (folder: string) => readNpy<Uint8Array>(join(folder, 'classes.npy')).data;
  return sameNumbers(read(ours), read(reference));
}

export const benchmark: Benchmark = {
  name: 'argmax',
  description: 'the channel, or group of channels, with the highest value',
  sizes: { '64': '64^3 voxels', '128': '128^3 voxels', '256': '256^3 voxels, 0.5 GB' },
  defaultSizes: ['64', '128', '256'],
  rows,
};
