import { type ContingencyTable, mergeContingencyTables } from '../lib/native/contingency-table.js';
import { segmentationErrors } from '../lib/native/segmentation-scores.js';
import type { CancellationCase } from './cancellation-cases.js';
import { distinctLabels } from './slow-inputs.js';

/** A table of pairs that met once; the labels must ascend. */
function onePairAVoxel(a: BigUint64Array, b: BigUint64Array): ContingencyTable {
  const counts = new Float64Array(a.length).fill(1);
  return { a, b, counts, places: Float64Array.from(a.keys()), runs: new Uint32Array(a.length).fill(1) };
}

/** Calls on contingency tables. */
export const tables: readonly CancellationCase[] = [
  {
    native: 'mergeContingencyTables',
    name: 'no pair in both',
    part: 0.5,
    threaded: false,
    async make(count) {
      const x = onePairAVoxel(distinctLabels(count).sort(), distinctLabels(count, 9));
      const y = onePairAVoxel(distinctLabels(count, 5).sort(), distinctLabels(count, 7));
      return { run: (options) => mergeContingencyTables([x, y], options) };
    },
  },
  {
    native: 'tableScores',
    name: 'one segment',
    part: 0.5,
    threaded: false,
    async make(count) {
      const table = onePairAVoxel(new BigUint64Array(count).fill(1n), distinctLabels(count).sort());
      return { run: (options) => segmentationErrors(table, options) };
    },
  },
];
