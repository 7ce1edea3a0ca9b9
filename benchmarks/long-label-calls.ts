import { blockComponents } from '../lib/native/block-components.js';
import { connectedComponents } from '../lib/native/connected-components.js';
import { contingencyTable, mergeContingencyTables } from '../lib/native/contingency-table.js';
import { filterFragments } from '../lib/native/filter-fragments.js';
import { fragmentStatistics } from '../lib/native/fragment-statistics.js';
import { joinComponents } from '../lib/native/join-components.js';
import { relabel } from '../lib/native/relabel.js';
import { removeDebris } from '../lib/native/remove-debris.js';
import { segmentationScores } from '../lib/native/segmentation-scores.js';
import type { CancellationCase } from './long-call.js';
import { ascending, cube, distinctLabels, noiseBytes, noiseLabels, rows, voxels } from './slow-inputs.js';

/** Functions that read labels, and tables of them. */
export const labelCases: readonly CancellationCase[] = [
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
    native: 'connectedComponents',
    name: 'one row',
    part: 2,
    threaded: true,
    async make(count) {
      const labels = noiseLabels(count, 3);
      return { run: (options) => connectedComponents(labels, [count], options) };
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
  {
    native: 'blockComponents',
    name: 'noise of 2 labels',
    part: 1,
    threaded: true,
    async make(count) {
      const shape = cube(count);
      const labels = noiseLabels(voxels(shape), 3);
      const place = { low: [0, 0, 0], begin: [0, 0, 0], volume: shape.map((extent) => extent + 1) };
      return { run: (options) => blockComponents(labels, shape, place, options) };
    },
  },
  {
    native: 'joinComponents',
    name: 'random pairs',
    part: 1 / 2,
    threaded: false,
    async make(count) {
      const names = ascending(count);
      const run = { u: noiseLabels(count, count, 7), v: noiseLabels(count, count, 8) };
      const sizes = names.slice().fill(1n);
      return { run: (options) => joinComponents(names, sizes, [run], options) };
    },
  },
  {
    native: 'mergeContingencyTables',
    name: '2 tables',
    part: 2,
    threaded: false,
    async make(count) {
      const a = ascending(count);
      const counts = new Float64Array(count).fill(1);
      const table = { a, b: a, counts, places: counts, runs: new Uint32Array(count) };
      return { run: (options) => mergeContingencyTables([table, table], options) };
    },
  },
  {
    native: 'tableScores',
    name: 'distinct labels',
    part: 1,
    threaded: false,
    async make(count) {
      const a = ascending(count);
      const counts = new Float64Array(count).fill(1);
      const table = { a, b: distinctLabels(count), counts, places: counts, runs: new Uint32Array(count) };
      return { run: (options) => segmentationScores(table, options) };
    },
  },
];
