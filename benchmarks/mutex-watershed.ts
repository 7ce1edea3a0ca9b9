import { join } from 'node:path';
import { mutexWatershed } from '../lib/native/mutex-watershed.js';
import type { Benchmark, BenchmarkOptions, MakeOurSide } from './benchmark.js';
import { compare, isChosen } from './compare.js';
import { cornerAffinities, OFFSETS, withoutTies } from './inputs.js';
import { readNpy, writeNpy } from './npy.js';
import { samePartition } from './partition.js';
import { Random } from './random.js';
import type { Row } from './row.js';

const REFERENCE = 'mwatershed.agglom';

interface Settings {
  /** .npy, [channels, z, y, x]: bytes, from which 0.5 is subtracted, or floats. */
  readonly values: string;
  readonly offsets: readonly (readonly number[])[];
  readonly strides?: readonly (readonly number[])[];
  readonly randomizedStrides?: boolean;
}

export const ours: MakeOurSide = async (settings) => {
  const { values, ...options } = settings as Settings;
  const { data, shape } = readNpy<Uint8Array | Float32Array>(values);
  const bias = data instanceof Uint8Array ? -0.5 : 0;
  return {
    run: async () => ({ result: await mutexWatershed(data, shape, { ...options, bias }) }),
    write: (result, folder) => writeNpy(join(folder, 'labels.npy'), shape.slice(1), result as BigUint64Array),
  };
};

/** Long edges at every second voxel only. */
const STRIDES = OFFSETS.map((offset) => (Math.max(...offset) > 1 ? [2, 2, 2] : [1, 1, 1]));

async function* rows(options: BenchmarkOptions): AsyncGenerator<Row> {
  for (const size of options.smoke ? ['24'] : options.sizes) {
    const extent = Number(size);
    const shape = [OFFSETS.length, extent, extent, extent];
    const write = (name: string, data: Uint8Array | Float32Array) => {
      const path = join(options.folder, `mutex-watershed-${name}-${size}.npy`);
      writeNpy(path, shape, data);
      return path;
    };
    const bytes = await cornerAffinities(extent);
    const random = new Random(extent);
    const distinct = write('distinct', withoutTies(bytes));
    const noise = write('noise', withoutTies(bytes.map(() => random.bits() >>> 24)));
    const cases: Record<string, { settings: Settings; notCompared?: string }> = {
      'distinct values': { settings: { values: distinct, offsets: OFFSETS } },
      bytes: {
        settings: { values: write('bytes', bytes), offsets: OFFSETS },
        notCompared: 'bytes tie, and the reference leaves the order of ties open',
      },
      strides: { settings: { values: distinct, offsets: OFFSETS, strides: STRIDES } },
      'random strides': {
        settings: { values: distinct, offsets: OFFSETS, strides: STRIDES, randomizedStrides: true },
        notCompared: 'each side draws its own edges',
      },
      noise: { settings: { values: noise, offsets: OFFSETS } },
    };
    for (const [name, { settings, notCompared }] of Object.entries(cases)) {
      const title = `${size}^3 ${name}`;
      if (!isChosen(options, title, REFERENCE)) continue;
      yield await compare(
        {
          bench: 'mutex-watershed',
          case: title,
          unit: 'M voxels/s',
          scale: 1e-6,
          items: extent ** 3,
          settings,
          reference: {
            name: REFERENCE,
            environment: 'volara',
            script: 'mutex_watershed',
            settings,
            ...(extent > 128 ? { repetitions: 1 } : {}),
          },
          equal: notCompared ?? sameLabels,
        },
        options,
      );
    }
  }
}

function sameLabels(ours: string, reference: string): boolean {
  const read = (folder: string) => readNpy<BigUint64Array>(join(folder, 'labels.npy')).data;
  return samePartition(read(ours), read(reference));
}

export const benchmark: Benchmark = {
  name: 'mutex-watershed',
  description: 'affinities to fragments: FIB-25, 9 offsets, one block',
  sizes: { '64': '64^3 voxels', '128': '128^3 voxels', '192': '192^3 voxels' },
  defaultSizes: ['64', '128'],
  rows,
};
