import { argmax } from '../lib/native/argmax.js';
import { compareVoxels } from '../lib/native/compare-voxels.js';
import { distanceTransform } from '../lib/native/distance-transform.js';
import { downsample } from '../lib/native/downsample.js';
import { findSeeds, seedMask } from '../lib/native/find-seeds.js';
import { gaussianSmoothing } from '../lib/native/gaussian-smoothing.js';
import { mutexWatershed } from '../lib/native/mutex-watershed.js';
import { OFFSETS } from './inputs.js';
import type { CancellationCase } from './long-call.js';
import { cube, distinctLabels, noiseBytes, noiseFloats, noiseLabels, rows, voxels } from './slow-inputs.js';

const OTHER_OFFSETS = [...OFFSETS, [0, 27, 0]];

/** Functions that compute voxels from voxels. */
export const voxelCases: readonly CancellationCase[] = [
  {
    native: 'distanceTransform',
    name: 'few voxels outside',
    part: 1,
    threaded: true,
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
    threaded: true,
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
    native: 'mutexWatershed',
    name: 'long row, with strides and noise',
    part: 1 / 8,
    threaded: true,
    async make(count) {
      const shape = [3, count];
      const affinities = noiseFloats(voxels(shape));
      const more = { offsets: [[1], [2], [9]], strides: [[1], [1], [3]], bias: -0.5, noiseEps: 0.01 };
      return { run: (options) => mutexWatershed(affinities, shape, { ...options, ...more }) };
    },
  },
  {
    native: 'mutexWatershed',
    name: 'seeds of which no two are the same',
    part: 1 / 4,
    threaded: true,
    async make(count) {
      const shape = [3, ...cube(count)];
      const affinities = noiseBytes(voxels(shape));
      const seeds = distinctLabels(voxels(shape) / 3);
      const offsets = OFFSETS.slice(0, 3);
      return { run: (options) => mutexWatershed(affinities, shape, { ...options, offsets, bias: -0.5, seeds }) };
    },
  },
  {
    native: 'argmax',
    name: '4 channels of float32',
    part: 4,
    threaded: true,
    async make(count) {
      const shape = [4, count];
      const values = noiseFloats(voxels(shape));
      const combineClasses = [
        [0, 1, 2],
        [1, 2, 3],
        [0, 2, 3],
      ];
      return { run: (options) => argmax(values, shape, { ...options, combineClasses }) };
    },
  },
  {
    native: 'compareVoxels',
    name: 'two types',
    part: 4,
    threaded: false,
    async make(count) {
      const a = noiseFloats(count);
      const b = Float64Array.from(a, (value) => value + 1);
      return { run: (options) => compareVoxels(a, b, [count], options) };
    },
  },
];
