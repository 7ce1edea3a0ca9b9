import { join } from 'node:path';
import { contingencyTable } from '../lib/native/contingency-table.js';
import { mutexWatershed } from '../lib/native/mutex-watershed.js';
import { type SegmentationScores, segmentationErrors } from '../lib/native/segmentation-scores.js';
import type { Benchmark, BenchmarkOptions, MakeOurSide } from './benchmark.js';
import { compare, isChosen } from './compare.js';
import { cornerAffinities, cornerLabels, OFFSETS } from './inputs.js';
import { readNpy, writeNpy } from './npy.js';
import { closeNumbers } from './partition.js';
import type { Row } from './row.js';

const REFERENCE = 'scikit-image';

interface Settings {
  /** .npy, uint64 [z, y, x]. */
  readonly segmentation: string;
  readonly truth: string;
}

export const ours: MakeOurSide = async (settings) => {
  const { segmentation, truth } = settings as Settings;
  const a = readNpy<BigUint64Array>(segmentation).data;
  const b = readNpy<BigUint64Array>(truth).data;
  return {
    // with the worst merges and splits, which the reference does not have
    run: async () => ({
      result: (await segmentationErrors(await contingencyTable(a, b), { distinctPairs: true })).scores,
    }),
    write: (result, folder) => {
      const { voiSplit, voiMerge, adaptedRandError, randRecall, randPrecision } = result as SegmentationScores;
      const scores = Float64Array.of(voiSplit, voiMerge, adaptedRandError, randRecall, randPrecision);
      writeNpy(join(folder, 'scores.npy'), [scores.length], scores);
    },
  };
};

async function* rows(options: BenchmarkOptions): AsyncGenerator<Row> {
  for (const size of options.smoke ? ['24'] : options.sizes) {
    const extent = Number(size);
    const title = `${extent}^3`;
    if (!isChosen(options, title, REFERENCE)) continue;
    const shape = [extent, extent, extent];
    const path = (name: string) => join(options.folder, `evaluation-${name}-${size}.npy`);
    const settings: Settings = { segmentation: path('segmentation'), truth: path('truth') };
    const bytes = await cornerAffinities(extent);
    const fragments = await mutexWatershed(bytes, [OFFSETS.length, ...shape], { offsets: OFFSETS, bias: -0.5 });
    writeNpy(settings.segmentation, shape, fragments);
    writeNpy(settings.truth, shape, BigUint64Array.from(await cornerLabels(extent), BigInt));
    yield await compare(
      {
        bench: 'evaluation',
        case: title,
        unit: 'M voxels/s',
        scale: 1e-6,
        items: extent ** 3,
        settings,
        reference: { name: REFERENCE, environment: 'volara', script: 'evaluation', settings },
        equal: (ours, reference) => {
          const scores = (folder: string) => readNpy<Float64Array>(join(folder, 'scores.npy')).data;
          return closeNumbers(scores(ours), scores(reference), 1e-9);
        },
      },
      options,
    );
  }
}

export const benchmark: Benchmark = {
  name: 'evaluation',
  description: 'VOI and adapted Rand error of a mutex watershed against the labels: FIB-25',
  sizes: { '128': '128^3 voxels', '250': '250^3 voxels' },
  defaultSizes: ['128'],
  rows,
};
