import { join } from 'node:path';
import { Coordinate } from '../lib/geometry/coordinate.js';
import { connectedComponents } from '../lib/native/connected-components.js';
import { contingencyTable } from '../lib/native/contingency-table.js';
import { distanceTransform } from '../lib/native/distance-transform.js';
import { downsample } from '../lib/native/downsample.js';
import { edgeScores } from '../lib/native/edge-scores.js';
import { filterFragments } from '../lib/native/filter-fragments.js';
import { findSeeds, seedMask } from '../lib/native/find-seeds.js';
import { fragmentStatistics } from '../lib/native/fragment-statistics.js';
import { gaussianSmoothing } from '../lib/native/gaussian-smoothing.js';
import { graphMutexWatershed } from '../lib/native/graph-mutex-watershed.js';
import { mergeEdges } from '../lib/native/merge-edges.js';
import { mergeNodes } from '../lib/native/merge-nodes.js';
import { mutexWatershed } from '../lib/native/mutex-watershed.js';
import { relabel } from '../lib/native/relabel.js';
import { removeDebris } from '../lib/native/remove-debris.js';
import { ChunkedArray } from '../lib/storage/chunked-array.js';
import { runVoxelPass } from '../lib/storage/operations/voxel-pass.js';
import { tables } from './cancellation-tables.js';
import { OFFSETS } from './inputs.js';
import {
  cube,
  distinctLabels,
  edgeRuns,
  nodeRuns,
  noiseBytes,
  noiseFloats,
  noiseLabels,
  rows,
  scoredEdges,
  voxels,
} from './slow-inputs.js';

/** How a call is made: as the functions' own options are. */
export interface CallOptions {
  readonly threads: number;
  readonly signal?: AbortSignal;
}

/** A call that takes long, with its input in memory. */
export interface LongCall {
  /** Gives the input back its first content, where a call changes it. */
  prepare?(): void;
  run(options: CallOptions): Promise<unknown>;
}

export interface CancellationCase {
  /** The function of the addon. */
  readonly native: string;
  /** What it works on. */
  readonly name: string;
  /** Voxels, edges or rows for each voxel of a size. */
  readonly part: number;
  readonly threaded: boolean;
  make(count: number, folder: string): Promise<LongCall>;
}

const OTHER_OFFSETS = [...OFFSETS, [0, 27, 0]];

const kernels: readonly CancellationCase[] = [
  {
    native: 'connectedComponents',
    name: 'noise of 2 labels',
    part: 1,
    threaded: true,
    async make(count) {
      const shape = cube(count);
      const labels = noiseLabels(voxels(shape), 3);
      const output = new BigUint64Array(labels.length);
      return { run: (options) => connectedComponents(labels, shape, { ...options, output }) };
    },
  },
  {
    native: 'connectedComponents',
    name: 'long rows',
    part: 2,
    threaded: true,
    async make(count) {
      const shape = rows(count);
      const labels = noiseLabels(voxels(shape), 3);
      return { run: (options) => connectedComponents(labels, shape, options) };
    },
  },
  {
    native: 'contingencyTable',
    name: 'distinct labels',
    part: 0.5,
    threaded: false,
    async make(count) {
      const a = distinctLabels(count);
      const b = distinctLabels(count, 9);
      return { run: (options) => contingencyTable(a, b, options) };
    },
  },
  {
    native: 'distanceTransform',
    name: 'few voxels outside',
    part: 1,
    threaded: false,
    async make(count) {
      const shape = cube(count);
      const mask = noiseBytes(voxels(shape)).map((byte) => Number(byte > 0));
      return { run: (options) => distanceTransform(mask, shape, options) };
    },
  },
  {
    native: 'distanceTransform',
    name: 'long rows',
    part: 1,
    threaded: false,
    async make(count) {
      const shape = [64, Math.ceil(count / 64)];
      const mask = noiseBytes(voxels(shape)).map((byte) => Number(byte > 0));
      return { run: (options) => distanceTransform(mask, shape, options) };
    },
  },
  {
    native: 'downsample',
    name: 'mode of noise',
    part: 1,
    threaded: false,
    async make(count) {
      const shape = cube(count);
      const values = noiseLabels(voxels(shape), 8);
      return { run: (options) => downsample(values, shape, { ...options, factors: [2, 2, 2], method: 'mode' }) };
    },
  },
  {
    native: 'downsample',
    name: 'mode, one cell',
    part: 1,
    threaded: false,
    async make(count) {
      const shape = rows(count);
      const values = distinctLabels(voxels(shape));
      return { run: (options) => downsample(values, shape, { ...options, factors: shape, method: 'mode' }) };
    },
  },
  {
    native: 'edgeScores',
    name: 'noise of 1000 labels',
    part: 0.5,
    threaded: true,
    async make(count) {
      const shape = cube(count);
      const fragments = noiseLabels(voxels(shape), 1001);
      const affinities = noiseBytes(OFFSETS.length * fragments.length);
      const options = { offsets: OFFSETS, scores: { affinity: OFFSETS.map((_, channel) => channel) } };
      return { run: (call) => edgeScores(fragments, affinities, shape, { ...options, ...call }) };
    },
  },
  {
    native: 'edgeScores',
    name: 'distinct labels',
    part: 1 / 8,
    threaded: true,
    async make(count) {
      const shape = cube(count);
      const fragments = distinctLabels(voxels(shape));
      const affinities = noiseFloats(OFFSETS.length * fragments.length);
      const options = { offsets: OFFSETS, scores: { affinity: OFFSETS.map((_, channel) => channel) } };
      return { run: (call) => edgeScores(fragments, affinities, shape, { ...options, ...call }) };
    },
  },
  {
    native: 'filterFragments',
    name: 'distinct labels',
    part: 1,
    threaded: false,
    async make(count) {
      const first = distinctLabels(count);
      const labels = first.slice();
      const affinities = noiseBytes(count);
      return {
        prepare: () => labels.set(first),
        run: (options) => filterFragments(labels, affinities, [count], { ...options, threshold: 0.5, channels: [0] }),
      };
    },
  },
  {
    native: 'thresholdMean',
    name: 'noise',
    part: 2,
    threaded: false,
    async make(count) {
      const affinities = noiseFloats(3 * count);
      return { run: (options) => seedMask(affinities, [count], { ...options, channels: [0, 1, 2] }) };
    },
  },
  {
    native: 'findSeeds',
    name: 'few voxels outside',
    part: 0.5,
    threaded: false,
    async make(count) {
      const shape = cube(count);
      const mask = noiseBytes(voxels(shape)).map((byte) => Number(byte > 0));
      return { run: (options) => findSeeds(mask, shape, { ...options, minSeedDistance: 10 }) };
    },
  },
  {
    native: 'fragmentStatistics',
    name: 'distinct labels',
    part: 1,
    threaded: true,
    async make(count) {
      const shape = cube(count);
      const labels = distinctLabels(voxels(shape));
      return { run: (options) => fragmentStatistics(labels, shape, options) };
    },
  },
  {
    native: 'fragmentStatistics',
    name: 'long rows',
    part: 2,
    threaded: true,
    async make(count) {
      const shape = rows(count);
      const labels = noiseLabels(voxels(shape), 100_000);
      return { run: (options) => fragmentStatistics(labels, shape, options) };
    },
  },
  {
    native: 'gaussianSmoothing',
    name: 'noise',
    part: 1,
    threaded: true,
    async make(count) {
      const shape = cube(count);
      const values = noiseFloats(voxels(shape));
      const output = new Float32Array(values.length);
      return { run: (options) => gaussianSmoothing(values, shape, { ...options, sigma: [4, 4, 4], output }) };
    },
  },
  {
    native: 'gaussianSmoothing',
    name: 'long rows',
    part: 1 / 4,
    threaded: true,
    async make(count) {
      const shape = [64, Math.ceil(count / 64)];
      const values = noiseFloats(voxels(shape));
      return { run: (options) => gaussianSmoothing(values, shape, { ...options, sigma: [0, 40] }) };
    },
  },
  {
    native: 'graphMutexWatershed',
    name: 'random edges',
    part: 1 / 4,
    threaded: true,
    async make(count) {
      const { nodes, edges } = scoredEdges(count);
      const weights = { affinity: [1, -0.5] as const };
      return { run: (options) => graphMutexWatershed(nodes, edges, { ...options, weights }) };
    },
  },
  {
    native: 'graphMutexWatershed',
    name: 'equal scores',
    part: 1 / 4,
    threaded: true,
    async make(count) {
      const { nodes, edges } = scoredEdges(count);
      edges.attributes.affinity.sums.forEach((sum, edge, sums) => {
        sums[edge] = sum > 0.5 ? 1 : 0;
      });
      const weights = { affinity: [1, -0.5] as const };
      return { run: (options) => graphMutexWatershed(nodes, edges, { ...options, weights }) };
    },
  },
  {
    native: 'mergeEdges',
    name: '2 runs',
    part: 1 / 4,
    threaded: false,
    async make(count) {
      const runs = edgeRuns(count);
      return { run: (options) => mergeEdges(runs, ['affinity'], options) };
    },
  },
  {
    native: 'mergeEdges',
    name: 'all of one node',
    part: 1 / 4,
    threaded: false,
    async make(count) {
      const runs = edgeRuns(count).map((run) => ({ ...run, u: run.u.fill(7n), v: run.u.slice() }));
      return { run: (options) => mergeEdges(runs, ['affinity'], options) };
    },
  },
  {
    native: 'mergeNodes',
    name: '2 runs',
    part: 1 / 2,
    threaded: false,
    async make(count) {
      const runs = nodeRuns(count);
      return { run: (options) => mergeNodes(runs, 3, options) };
    },
  },
  {
    native: 'mutexWatershed',
    name: 'noise, float32, 10 channels',
    part: 1 / 8,
    threaded: true,
    async make(count) {
      const shape = [OTHER_OFFSETS.length, ...cube(count)];
      const affinities = noiseFloats(voxels(shape));
      return {
        run: (options) => mutexWatershed(affinities, shape, { ...options, offsets: OTHER_OFFSETS, bias: -0.5 }),
      };
    },
  },
  {
    native: 'mutexWatershed',
    name: 'noise, uint8, 10 channels',
    part: 1 / 8,
    threaded: true,
    async make(count) {
      const shape = [OTHER_OFFSETS.length, ...cube(count)];
      const affinities = noiseBytes(voxels(shape));
      return {
        run: (options) => mutexWatershed(affinities, shape, { ...options, offsets: OTHER_OFFSETS, bias: -0.5 }),
      };
    },
  },
  {
    native: 'relabel',
    name: 'distinct labels',
    part: 1,
    threaded: true,
    async make(count) {
      const labels = distinctLabels(count);
      const fragments = labels.slice().sort();
      const output = new BigUint64Array(count);
      return { run: (options) => relabel(labels, { fragments, segments: fragments }, { ...options, output }) };
    },
  },
  {
    native: 'removeDebris',
    name: 'distinct labels',
    part: 1,
    threaded: false,
    async make(count) {
      const first = distinctLabels(count);
      const labels = first.slice();
      return { prepare: () => labels.set(first), run: (options) => removeDebris(labels, 2, options) };
    },
  },
];

const storage: readonly CancellationCase[] = [
  {
    native: 'voxelSteps',
    name: 'float64 to uint8',
    part: 4,
    threaded: true,
    async make(count) {
      const shape = [count];
      const source = new Float64Array(count).fill(0.25);
      const target = new Uint8Array(count);
      const steps = [
        { kind: 'affine', to: 'float64', parameters: [2, 1] },
        { kind: 'affine', to: 'float64', parameters: [100, 1] },
        { kind: 'convert', to: 'uint8', parameters: [] },
      ] as const;
      const pass = { source, sourceType: 'float64', shape, flipped: [0], steps } as const;
      return { run: (options) => runVoxelPass({ ...pass, target, targetShape: shape, targetBegin: [0] }, options) };
    },
  },
  ...(['readRegion', 'writeRegion'] as const).map(
    (native): CancellationCase => ({
      native,
      name: 'zstd level 9, 64^3 chunks',
      part: 1,
      threaded: true,
      async make(count, folder) {
        const shape = cube(count);
        const labels = noiseLabels(voxels(shape), 1 << 20);
        const array = await ChunkedArray.create(
          join(folder, native),
          {
            shape,
            dataType: 'uint64',
            channelAxes: 0,
            chunkShape: [64, 64, 64],
            axisNames: ['z', 'y', 'x'],
            units: ['nm', 'nm', 'nm'],
            offset: Coordinate.from([0, 0, 0]),
            voxelSize: Coordinate.from([8, 8, 8]),
            attributes: {},
          },
          { compressor: { name: 'zstd', level: 9 }, overwrite: true },
        );
        const begin = [0, 0, 0];
        if (native === 'writeRegion') return { run: (options) => array.writeRegion(begin, shape, labels, options) };
        await array.writeRegion(begin, shape, labels, { threads: 2 });
        return { run: (options) => array.readRegion(begin, shape, { ...options, into: labels }) };
      },
    }),
  ),
];

/** Every function of the addon that takes a signal, on input that takes it long: large, and of the kinds that are slow. */
export const cancellationCases: readonly CancellationCase[] = [...kernels, ...tables, ...storage];
