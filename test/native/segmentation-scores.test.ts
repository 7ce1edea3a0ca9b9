import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type ContingencyTable, contingencyTable, mergeContingencyTables } from '../../lib/native/contingency-table.js';
import { type SegmentationScores, segmentationScores } from '../../lib/native/segmentation-scores.js';
import { fib25Input } from '../support/fib25.js';
import { goldens, readNpz } from '../support/goldens.js';
import { randomLabels, toLabels } from '../support/labels.js';

/** The plain version: a map of pairs. */
function naive(a: BigUint64Array, b: BigUint64Array): ContingencyTable {
  const counts = new Map<string, number>();
  a.forEach((label, voxel) => {
    const key = `${label} ${b[voxel]}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  });
  const rows = [...counts].map(([key, count]) => [...key.split(' ').map(BigInt), count] as [bigint, bigint, number]);
  rows.sort((x, y) => (x[0] !== y[0] ? (x[0] < y[0] ? -1 : 1) : x[1] < y[1] ? -1 : 1));
  return {
    a: BigUint64Array.from(rows, (row) => row[0]),
    b: BigUint64Array.from(rows, (row) => row[1]),
    counts: Float64Array.from(rows, (row) => row[2]),
  };
}

const ids = [0n, 1n, 2n, 3n, 2n ** 40n, 2n ** 64n - 1n, 50n, 51n];
const part = fc.tuple(fc.nat(2500), fc.nat(1000), fc.nat(1000));
const arrays = ([voxels, seed, other]: [number, number, number]): [BigUint64Array, BigUint64Array] => [
  randomLabels(voxels, ids, seed, 3),
  randomLabels(voxels, ids, other + 5000, 5),
];

describe('contingencyTable', () => {
  test('equals the plain version', async () => {
    await fc.assert(
      fc.asyncProperty(part, async (drawn) => {
        const [a, b] = arrays(drawn);
        expect(await contingencyTable(a, b)).toEqual(naive(a, b));
      }),
      { seed: 14, numRuns: 50 },
    );
  });

  test('tables of parts merge into that of the whole', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(part, { maxLength: 5 }), async (drawn) => {
        const parts = drawn.map(arrays);
        const tables = await Promise.all(parts.map(([a, b]) => contingencyTable(a, b)));
        const joined = (which: 0 | 1) => BigUint64Array.from(parts.flatMap((arrays) => [...arrays[which]]));
        expect(mergeContingencyTables(tables)).toEqual(naive(joined(0), joined(1)));
      }),
      { seed: 15, numRuns: 30 },
    );
  });

  test('bad input is named; an abort is heard', async () => {
    const four = new BigUint64Array(4);
    await expect(contingencyTable(four, new BigUint64Array(3))).rejects.toMatchObject({
      code: 'ERR_ARGUMENT',
      message: 'b: expected 4 elements, as many as a, found 3',
    });
    await expect(contingencyTable(new Uint8Array(4) as unknown as BigUint64Array, four)).rejects.toMatchObject({
      message: 'a: expected a BigUint64Array, found Uint8Array',
    });
    await expect(contingencyTable(four, four, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'ERR_CANCELLED',
    });
  });
});

function expectScores(found: SegmentationScores, expected: SegmentationScores): void {
  expect(Object.keys(found)).toEqual(Object.keys(expected));
  for (const name of Object.keys(expected) as (keyof SegmentationScores)[])
    expect(found[name]).toBeCloseTo(expected[name], 10);
}

describe('segmentationScores', () => {
  test.each(['fib25-24x32x28', 'fib25-48', 'fib25-2d-250x240', 'fib25-strides', 'fib25-quiet', 'fib25-64x96x80'])(
    'equals the published scores of %s',
    async (name) => {
      const { truth, json } = fib25Input(`mws/${name}.json`);
      const labels = toLabels(readNpz(join(goldens, `mws/${name}.npz`)).labels.data);
      expectScores(
        segmentationScores(await contingencyTable(labels, toLabels(truth))),
        json.scores as SegmentationScores,
      );
    },
  );

  test.each(['exact-2d-120x140', 'exact-debris-40x48x48'])('equals the published scores of %s', async (name) => {
    const { truth, json } = fib25Input(`pipeline/${name}.json`);
    const { fragments, segments } = readNpz(join(goldens, `pipeline/${name}.npz`));
    const table = async (labels: ArrayLike<number>) => contingencyTable(toLabels(labels), toLabels(truth));
    const segmentTable = await table(segments.data as Uint32Array);
    expectScores(
      segmentationScores(await table(fragments.data as Uint32Array)),
      json.fragmentScores as SegmentationScores,
    );
    expectScores(segmentationScores(segmentTable), json.segmentScores as SegmentationScores);
    expectScores(
      segmentationScores(segmentTable, { ignoreTruthBackground: false }),
      json.segmentScoresAllVoxels as SegmentationScores,
    );
  });

  test('the truth itself, one segment, and one segment a voxel', async () => {
    const truth = BigUint64Array.of(1n, 1n, 2n, 2n, 0n);
    const score = async (labels: bigint[]) =>
      segmentationScores(await contingencyTable(BigUint64Array.from(labels), truth));
    expect(await score([7n, 7n, 0n, 0n, 3n])).toEqual({
      voiSplit: 0,
      voiMerge: 0,
      adaptedRandError: 0,
      randPrecision: 1,
      randRecall: 1,
      segments: 2,
      truthSegments: 2,
      voxels: 4,
    });
    expect(await score([1n, 1n, 1n, 1n, 1n])).toMatchObject({
      voiSplit: 0,
      voiMerge: 1,
      randPrecision: 0.5,
      randRecall: 1,
    });
    expect(await score([1n, 2n, 3n, 4n, 5n])).toMatchObject({
      voiSplit: 1,
      voiMerge: 0,
      randPrecision: 1,
      randRecall: 0.5,
    });
  });

  test('nothing to compare is an error', async () => {
    const zeros = await contingencyTable(BigUint64Array.of(1n), BigUint64Array.of(0n));
    expect(() => segmentationScores(zeros)).toThrow('table: expected voxels with truth above 0, found none');
    expect(segmentationScores(zeros, { ignoreTruthBackground: false }).voxels).toBe(1);
    expect(() => segmentationScores(mergeContingencyTables([]), { ignoreTruthBackground: false })).toThrow(
      'table: expected voxels, found none',
    );
  });
});
