import { join } from 'node:path';
import { mutexWatershed } from '../lib/native/mutex-watershed.js';
import type { Benchmark, BenchmarkOptions, MakeOurSide } from './benchmark.js';
import { compare, isChosen } from './compare.js';
import { withoutTies } from './inputs.js';
import { byChannel, crossingLines, cube, type Grid, LINE_OFFSETS, noise, plane } from './mutex-watershed-inputs.js';
import { readNpy, writeNpy } from './npy.js';
import { samePartition } from './partition.js';
import type { Row } from './row.js';

const REFERENCES = {
  'mwatershed.agglom': { environment: 'volara', script: 'mutex_watershed' },
  'bioimage_cpp.segmentation.mutex_watershed': { environment: 'bioimage', script: 'bioimage_mutex_watershed' },
} as const;

interface Settings {
  /** .npy, [channels, ...spatial]: bytes, from which 0.5 is subtracted, or floats. */
  readonly values: string;
  readonly offsets: readonly (readonly number[])[];
  readonly strides?: readonly (readonly number[])[];
  readonly randomizedStrides?: boolean;
  /** Of our side. */
  readonly threads: number;
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

interface Case {
  readonly values: (grid: Grid) => Uint8Array | Float32Array;
  readonly strides?: 'regular' | 'random';
  readonly beside?: keyof typeof REFERENCES;
  readonly notCompared?: string;
}

const TIES = 'bytes tie, and the reference leaves the order of ties open';
const distinct = ({ bytes }: Grid) => withoutTies(bytes);

const CASES: Readonly<Record<string, Case>> = {
  'distinct values': { values: distinct },
  bytes: { values: ({ bytes }) => bytes, notCompared: TIES },
  strides: { values: distinct, strides: 'regular' },
  'bytes, strides': { values: ({ bytes }) => bytes, strides: 'regular', notCompared: TIES },
  'random strides': { values: distinct, strides: 'random', notCompared: 'each side draws its own edges' },
  noise: { values: ({ bytes }) => noise(bytes.length) },
  'attractive and repulsive channels': { values: byChannel, beside: 'bioimage_cpp.segmentation.mutex_watershed' },
};

/** How many voxels a run of the reference may have to be run more than once. */
const LARGE = 128 ** 3;

async function* rows(options: BenchmarkOptions): AsyncGenerator<Row> {
  for (const size of options.smoke ? ['cube-20', 'plane-32'] : options.sizes) {
    const [kind, extent] = size === 'whole' ? ['cube', 250] : [size.split('-')[0], Number(size.split('-').at(-1))];
    const name = kind === 'plane' ? `${extent}^2` : `${extent}^3`;
    const chosen = (title: string, { beside = 'mwatershed.agglom' }: Case) =>
      isChosen(options, `${name} ${title}`, beside);
    const cases = Object.entries(CASES).filter(([title, each]) => chosen(title, each));
    const made = new Map<unknown, string>();
    for (const [title, each] of cases) {
      const grid = kind === 'plane' ? await plane(extent) : await cube(extent);
      // Long edges at every second voxel of each axis only.
      const strides = grid.offsets.map((offset) => offset.map(() => (Math.max(...offset) > 1 ? 2 : 1)));
      const path = made.get(each.values) ?? join(options.folder, `mutex-watershed-${made.size}-${size}.npy`);
      if (!made.has(each.values)) writeNpy(path, grid.shape, each.values(grid));
      made.set(each.values, path);
      yield await row(`${name} ${title}`, grid.shape, each, options, {
        values: path,
        offsets: grid.offsets,
        ...(each.strides === undefined ? {} : { strides, randomizedStrides: each.strides === 'random' }),
        threads: options.threads,
      });
    }
    const lines: Case = { values: () => crossingLines(extent) };
    if (kind !== 'plane' || !chosen('crossing lines', lines)) continue;
    const path = join(options.folder, `mutex-watershed-lines-${size}.npy`);
    const shape = [LINE_OFFSETS.length, extent, extent];
    writeNpy(path, shape, crossingLines(extent));
    const settings = { values: path, offsets: LINE_OFFSETS, threads: options.threads };
    yield await row(`${name} crossing lines`, shape, lines, options, settings);
  }
}

function row(
  title: string,
  shape: readonly number[],
  { beside = 'mwatershed.agglom', notCompared }: Case,
  options: BenchmarkOptions,
  settings: Settings,
): Promise<Row> {
  const items = shape.slice(1).reduce((product, extent) => product * extent, 1);
  return compare(
    {
      bench: 'mutex-watershed',
      case: title,
      unit: 'M voxels/s',
      scale: 1e-6,
      items,
      settings,
      reference: {
        name: beside,
        ...REFERENCES[beside],
        settings,
        ...(items > LARGE ? { repetitions: 1 } : {}),
      },
      equal: notCompared ?? sameLabels,
    },
    options,
  );
}

function sameLabels(ours: string, reference: string): boolean {
  const read = (folder: string) => readNpy<BigUint64Array>(join(folder, 'labels.npy')).data;
  return samePartition(read(ours), read(reference));
}

export const benchmark: Benchmark = {
  name: 'mutex-watershed',
  description: 'affinities to fragments in one block: FIB-25, 9 offsets (8 in a plane), noise, crossing lines',
  sizes: {
    '64': '64^3 voxels',
    '128': '128^3 voxels',
    '192': '192^3 voxels',
    whole: '250^3 voxels: all labels',
    'plane-1000': '1000^2 pixels',
    'plane-3000': '3000^2 pixels',
  },
  defaultSizes: ['64', '128', 'plane-1000'],
  rows,
};
