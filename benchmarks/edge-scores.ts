import { join } from 'node:path';
import { type EdgeScores, edgeScores } from '../lib/native/edge-scores.js';
import { mutexWatershed } from '../lib/native/mutex-watershed.js';
import type { Benchmark, BenchmarkOptions, MakeOurSide } from './benchmark.js';
import { compare, isChosen } from './compare.js';
import { cornerAffinities, OFFSETS, SCORES, withoutTies } from './inputs.js';
import { readNpy, writeNpy } from './npy.js';
import { closeNumbers, sameNumbers } from './partition.js';
import type { Row } from './row.js';

const REFERENCE = 'volara AffAgglom.agglomerate';

interface Settings {
  /** .npy, uint8 [channels, z, y, x]. */
  readonly affinities: string;
  /** .npy, uint64 [z, y, x]. */
  readonly fragments: string;
  readonly offsets: readonly (readonly number[])[];
  readonly scores: Readonly<Record<string, readonly number[]>>;
}

export const ours: MakeOurSide = async (settings) => {
  const { affinities, fragments, offsets, scores } = settings as Settings;
  const values = readNpy<Uint8Array>(affinities).data;
  const { data, shape } = readNpy<BigUint64Array>(fragments);
  return {
    run: async () => ({ result: await edgeScores(data, values, shape, { offsets, scores }) }),
    write: (result, folder) => {
      const { u, v, attributes } = result as EdgeScores;
      writeNpy(join(folder, 'u.npy'), [u.length], u);
      writeNpy(join(folder, 'v.npy'), [v.length], v);
      for (const [name, { sums, counts }] of Object.entries(attributes)) {
        const score = sums.map((sum, i) => (counts[i] > 0 ? sum / 255 / counts[i] : Number.NaN));
        writeNpy(join(folder, `${name}.npy`), [score.length], score);
      }
    },
  };
};

async function* rows(options: BenchmarkOptions): AsyncGenerator<Row> {
  for (const size of options.smoke ? ['24'] : options.sizes) {
    const title = `${size}^3`;
    if (!isChosen(options, title, REFERENCE)) continue;
    const extent = Number(size);
    const shape = [extent, extent, extent];
    const bytes = await cornerAffinities(extent);
    const path = (name: string) => join(options.folder, `edge-scores-${name}-${size}.npy`);
    const settings: Settings = {
      affinities: path('affinities'),
      fragments: path('fragments'),
      offsets: OFFSETS,
      scores: SCORES,
    };
    writeNpy(settings.affinities, [OFFSETS.length, ...shape], bytes);
    const fragments = await mutexWatershed(withoutTies(bytes), [OFFSETS.length, ...shape], { offsets: OFFSETS });
    writeNpy(settings.fragments, shape, fragments);
    yield await compare(
      {
        bench: 'edge-scores',
        case: title,
        unit: 'M voxels/s',
        scale: 1e-6,
        items: extent ** 3,
        settings,
        reference: { name: REFERENCE, environment: 'volara', script: 'edge_scores', settings },
        equal: sameScores,
      },
      options,
    );
  }
}

/** The same edges, and scores within 1e-6: the reference computes with affinities in float32. */
function sameScores(ours: string, reference: string): boolean {
  const ids = (folder: string, name: string) => readNpy<BigUint64Array>(join(folder, `${name}.npy`)).data;
  const scores = (folder: string, name: string) => readNpy<Float64Array>(join(folder, `${name}.npy`)).data;
  return (
    ['u', 'v'].every((name) => sameNumbers(ids(ours, name), ids(reference, name))) &&
    Object.keys(SCORES).every((name) => closeNumbers(scores(ours, name), scores(reference, name), 1e-6))
  );
}

export const benchmark: Benchmark = {
  name: 'edge-scores',
  description: 'mean affinity between touching fragments: FIB-25, 9 offsets in 3 scores, one block',
  sizes: { '64': '64^3 voxels', '128': '128^3 voxels', '192': '192^3 voxels', '250': 'all 250^3 voxels' },
  defaultSizes: ['64', '128'],
  rows,
};
