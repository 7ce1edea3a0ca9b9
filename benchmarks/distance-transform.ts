import { join } from 'node:path';
import { distanceTransform } from '../lib/native/distance-transform.js';
import type { Benchmark, BenchmarkOptions, MakeOurSide } from './benchmark.js';
import { compare, isChosen } from './compare.js';
import { cornerAffinities, cornerLabels } from './inputs.js';
import { readNpy, writeNpy } from './npy.js';
import type { Row } from './row.js';

interface Settings {
  /** .npy, uint8 [z, y, x]. */
  readonly mask: string;
  readonly voxelSize: readonly number[];
  readonly threads: number;
}

export const ours: MakeOurSide = async (settings) => {
  const { mask: path, voxelSize, threads } = settings as Settings;
  const { data, shape } = readNpy<Uint8Array>(path);
  return {
    run: async () => ({ result: await distanceTransform(data, shape, { voxelSize, threads }) }),
    write: (result, folder) => writeNpy(join(folder, 'distances.npy'), shape, result as Float64Array),
  };
};

/** scipy computes in float64, edt in float32: relative errors that are allowed. */
const WAYS = {
  'scipy.ndimage.distance_transform_edt': { how: 'scipy', tolerance: 1e-12 },
  'edt.edt': { how: 'edt', tolerance: 1e-6 },
} as const;

const SIZES = { isotropic: [1, 1, 1], 'voxels of 40 x 4 x 4': [40, 4, 4] } as const;

async function* rows(options: BenchmarkOptions): AsyncGenerator<Row> {
  for (const size of options.smoke ? ['24'] : options.sizes) {
    const extent = Number(size);
    for (const [kind, make] of Object.entries({ cells: cellMask, segmented: labelMask })) {
      for (const [name, voxelSize] of Object.entries(SIZES)) {
        const title = `${size}^3 ${kind}, ${name}`;
        for (const [reference, { how, tolerance }] of Object.entries(WAYS)) {
          if (!isChosen(options, title, reference)) continue;
          const mask = join(options.folder, 'distance-mask.npy');
          writeNpy(mask, [extent, extent, extent], await make(extent));
          const settings: Settings = { mask, voxelSize, threads: options.threads };
          yield await compare(
            {
              bench: 'distance-transform',
              case: title,
              unit: 'M voxels/s',
              scale: 1e-6,
              items: extent ** 3,
              settings,
              reference: {
                name: reference,
                environment: 'volara',
                script: 'distance_transform',
                settings: { ...settings, how },
              },
              warmUp: true,
              equal: (ours, theirs) => sameDistances(ours, theirs, tolerance),
            },
            options,
          );
        }
      }
    }
  }
}

/** What seeds of extract-frags are found in: 1 where the mean of the nearest affinities is above one half. */
async function cellMask(extent: number): Promise<Uint8Array> {
  const voxels = extent ** 3;
  const affinities = await cornerAffinities(extent);
  return Uint8Array.from({ length: voxels }, (_, voxel) =>
    affinities[voxel] + affinities[voxel + voxels] + affinities[voxel + 2 * voxels] > 382 ? 1 : 0,
  );
}

/** Large and deep: 1 where there is a label. */
async function labelMask(extent: number): Promise<Uint8Array> {
  return (await cornerLabels(extent)).map((label) => (label === 0 ? 0 : 1));
}

function sameDistances(ours: string, reference: string, tolerance: number): boolean {
  const read = (folder: string) => readNpy<Float64Array>(join(folder, 'distances.npy')).data;
  const expected = read(reference);
  const found = read(ours);
  return (
    found.length === expected.length &&
    found.every((one, at) => Math.abs(one - expected[at]) <= tolerance * expected[at])
  );
}

export const benchmark: Benchmark = {
  name: 'distance-transform',
  description: 'distance to the nearest voxel outside: FIB-25 cells without their membranes, and all that is segmented',
  sizes: { '64': '64^3 voxels', '128': '128^3 voxels', '250': '250^3 voxels' },
  defaultSizes: ['64', '128', '250'],
  rows,
};
