import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { rankedValues } from '#examples/fib25/affinities-recipe.js';
import { pipeline } from '../../lib/pipeline/pipeline.js';
import { runPipeline } from '../../lib/pipeline/run.js';
import { builtInTasks } from '../../lib/tasks/index.js';
import { affinitiesOf, type Crop, cropOfLabels } from '../support/fib25.js';
import { goldens, readJson, readNpz } from '../support/goldens.js';
import { canonical, canonicalLabels, firstDifference } from '../support/label-arrays.js';
import { TaskBench } from '../support/task-bench.js';

interface Case {
  readonly crop: Crop;
  readonly offsets: number[][];
  readonly thresholds: number[];
  readonly seed: number;
  readonly voxelSize: number[];
  readonly offsetWorld: number[];
  readonly blockSize: number[];
  readonly fragsContext: number[];
  readonly agglomBlockSize: number[];
  readonly agglomContext: number[];
  readonly bias: number[];
  /** Channels of each score. */
  readonly scores: Record<string, number[]>;
  readonly weights: Record<string, [number, number]>;
  readonly extractFrags?: { readonly remove_debris: number; readonly filter_fragments: number };
  readonly affinitiesSha256: string;
  readonly valuesSha256: string;
}

let bench: TaskBench | undefined;
afterEach(() => bench?.remove());

const sha256 = (array: Uint8Array | Float32Array): string =>
  createHash('sha256')
    .update(new Uint8Array(array.buffer, array.byteOffset, array.byteLength))
    .digest('hex');

/** Writes the case's affinities and runs its pipeline with two worker processes. */
async function runCase(golden: Case): Promise<TaskBench> {
  const volume = cropOfLabels(golden.crop);
  const bytes = affinitiesOf(volume, golden.offsets, golden.seed);
  expect(sha256(bytes)).toBe(golden.affinitiesSha256);
  const values = rankedValues(bytes, golden.thresholds, golden.seed).map((value) => 0.5 + 0.5 * value);
  expect(sha256(values)).toBe(golden.valuesSha256);

  bench = new TaskBench(golden.offsets);
  await bench.write('affinities', {
    data: values,
    shape: [golden.offsets.length, ...volume.shape],
    channelAxes: 1,
    offset: golden.offsetWorld,
    voxelSize: golden.voxelSize,
  });
  // where one block was the whole volume the case has no context; ours asks for that of the longest offset all the same
  const { agglomContext, extractFrags } = golden;
  const reach = volume.shape.map((_, axis) => Math.max(...golden.offsets.map((offset) => Math.abs(offset[axis]))));
  const input = bench.input({
    fragments: {
      type: 'extract-frags',
      affinities: 'affinities',
      fragments: 'fragments',
      graph: 'graph',
      blockSize: golden.blockSize,
      context: golden.fragsContext,
      bias: golden.bias,
      filterFragments: extractFrags?.filter_fragments ?? 0,
      removeDebris: extractFrags?.remove_debris ?? 0,
    },
    edges: {
      type: 'aff-agglom',
      affinities: 'affinities',
      fragments: 'fragments',
      graph: 'graph',
      blockSize: golden.agglomBlockSize,
      context: agglomContext.map((voxels, axis) => Math.max(voxels, reach[axis])),
      scores: Object.fromEntries(
        Object.entries(golden.scores).map(([name, channels]) => [name, channels.map((c) => golden.offsets[c])]),
      ),
    },
    lut: { type: 'graph-mws', graph: 'graph', lut: 'segments.lut', weights: golden.weights, pseudoCount: 0 },
    segments: {
      type: 'relabel',
      fragments: 'fragments',
      segments: 'segments',
      lut: 'segments.lut',
      blockSize: golden.blockSize,
    },
  });
  const made = await pipeline(input, { definitions: builtInTasks, folder: bench.folder });
  const result = await runPipeline(made, { workers: 2 });
  expect(result).toMatchObject({ complete: true, failures: [] });
  return bench;
}

describe('volume to segments equals the published result', () => {
  test.each(['exact-48x64x56', 'exact-shrink-45x50x52', 'exact-debris-40x48x48', 'exact-2d-120x140'])(
    '%s',
    async (name) => {
      const golden = readJson<Case>(join(goldens, `pipeline/${name}.json`));
      const expected = readNpz(join(goldens, `pipeline/${name}.npz`));
      const bench = await runCase(golden);

      const { labels, numbers } = canonicalLabels(await bench.read('fragments'));
      expect(firstDifference(labels, expected.fragments.data)).toBe(-1);
      expect(firstDifference(canonical(await bench.read('segments')), expected.segments.data)).toBe(-1);

      const { nodes, edges } = await bench.graph();
      const axes = golden.voxelSize.length;
      expect(nodes.ids.length).toBe(expected.nodeIds.data.length);
      let farthest = 0;
      nodes.ids.forEach((id, row) => {
        const golden = numbers.get(id)! - 1;
        expect(nodes.sizes[row]).toBe(expected.nodeSize.data[golden]);
        for (let axis = 0; axis < axes; axis++) {
          const away = nodes.positions[row * axes + axis] - Number(expected.nodeCentre.data[golden * axes + axis]);
          farthest = Math.max(farthest, Math.abs(away));
        }
      });
      expect(farthest).toBeLessThan(1e-9);

      const key = (a: number | bigint, b: number | bigint) => (a < b ? `${a} ${b}` : `${b} ${a}`);
      const rows = new Map<string, number>();
      edges.u.forEach((u, row) => {
        rows.set(key(numbers.get(u)!, numbers.get(edges.v[row])!), row);
      });
      const pairs = expected.edges.data;
      expect(rows.size).toBe(pairs.length / 2);
      expect(edges.u.length).toBe(pairs.length / 2);
      let worst = 0;
      for (let edge = 0; edge < pairs.length / 2; edge++) {
        const row = rows.get(key(pairs[2 * edge], pairs[2 * edge + 1]))!;
        for (const score of Object.keys(golden.scores)) {
          const { sums, counts } = edges.attributes[score];
          const wanted = Number(expected[`score_${score}`].data[edge]);
          // an edge without the score
          if (Number.isNaN(wanted)) expect(counts[row]).toBe(0);
          else worst = Math.max(worst, Math.abs(sums[row] / counts[row] - wanted));
        }
      }
      expect(worst).toBeLessThan(1e-6);

      const lut = await bench.lut('segments.lut');
      const segmentOf = new Map([...lut.fragments].map((fragment, row) => [fragment, lut.segments[row]]));
      const byCanonical = [...numbers.keys()].map((fragment) => segmentOf.get(BigInt(fragment))!);
      expect(firstDifference(canonical(byCanonical), canonical(expected.segmentOfFragment.data))).toBe(-1);
    },
  );
});
