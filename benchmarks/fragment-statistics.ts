import { join } from 'node:path';
import { type FragmentStatistics, fragmentStatistics } from '../lib/native/fragment-statistics.js';
import type { Benchmark, BenchmarkOptions, MakeOurSide } from './benchmark.js';
import { compare, isChosen } from './compare.js';
import { cornerFragments, tiled } from './inputs.js';
import { readNpy, writeNpy } from './npy.js';
import { closeNumbers, sameNumbers } from './partition.js';
import type { Row } from './row.js';

const REFERENCE = 'numpy unique and bincount';

interface Settings {
  /** .npy, uint64 [z, y, x]. */
  readonly labels: string;
}

export const ours: MakeOurSide = async (settings) => {
  const { data: labels, shape } = readNpy<BigUint64Array>((settings as Settings).labels);
  return {
    run: async () => ({ result: await fragmentStatistics(labels, shape) }),
    write: (result, folder) => {
      const { ids, sizes, centres } = result as FragmentStatistics;
      writeNpy(join(folder, 'ids.npy'), [ids.length], ids);
      writeNpy(join(folder, 'sizes.npy'), [sizes.length], sizes);
      writeNpy(join(folder, 'centres.npy'), [ids.length, shape.length], centres);
    },
  };
};

async function* rows(options: BenchmarkOptions): AsyncGenerator<Row> {
  const block = options.smoke ? 16 : 128;
  const fragments = await cornerFragments(block);
  for (const size of options.smoke ? ['32'] : options.sizes) {
    const title = `${size}^3`;
    if (!isChosen(options, title, REFERENCE)) continue;
    const extent = Number(size);
    const path = join(options.folder, 'fragment-statistics-labels.npy');
    // ids as a job's: the block's index times its voxels, and a number in the block
    writeNpy(path, [extent, extent, extent], tiled(fragments, block, extent, BigInt(block ** 3)));
    const settings: Settings = { labels: path };
    yield await compare(
      {
        bench: 'fragment-statistics',
        case: title,
        unit: 'M voxels/s',
        scale: 1e-6,
        items: extent ** 3,
        settings,
        reference: {
          name: REFERENCE,
          environment: 'volara',
          script: 'fragment_statistics',
          settings,
          ...(extent > 256 ? { repetitions: 1 } : {}),
        },
        equal: sameStatistics,
      },
      options,
    );
  }
}

function sameStatistics(ours: string, reference: string): boolean {
  const counts = (folder: string, name: string) => readNpy<BigUint64Array>(join(folder, `${name}.npy`)).data;
  const centres = (folder: string) => readNpy<Float64Array>(join(folder, 'centres.npy')).data;
  return (
    sameNumbers(counts(ours, 'ids'), counts(reference, 'ids')) &&
    sameNumbers(counts(ours, 'sizes'), counts(reference, 'sizes')) &&
    closeNumbers(centres(ours), centres(reference), 1e-9)
  );
}

export const benchmark: Benchmark = {
  name: 'fragment-statistics',
  description: 'voxels and centre of mass of every fragment of a uint64 volume',
  sizes: { '128': '128^3 voxels', '256': '256^3 voxels', '512': '512^3 voxels, 1.1 GB; the reference wants 6 GB more' },
  defaultSizes: ['128', '256'],
  rows,
};
