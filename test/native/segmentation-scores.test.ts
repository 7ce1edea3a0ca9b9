import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type ContingencyTable, contingencyTable, mergeContingencyTables } from '../../lib/native/contingency-table.js';
import {
  type LabelError,
  type SegmentationScores,
  segmentationErrors,
  segmentationScores,
} from '../../lib/native/segmentation-scores.js';
import { fib25Input } from '../support/fib25.js';
import { goldens, readNpz } from '../support/goldens.js';
import { randomLabels, toLabels } from '../support/labels.js';

interface Pair {
  readonly a: bigint;
  readonly b: bigint;
  count: number;
  run: number;
  place: number;
}

/** The plain version: a map of pairs. */
function naive(a: BigUint64Array, b: BigUint64Array, mask?: Uint8Array): ContingencyTable {
  const pairs = new Map<string, Pair>();
  let run = 0;
  const isSame = (voxel: number) => voxel < a.length && a[voxel] === a[voxel - 1] && b[voxel] === b[voxel - 1];
  const counts = (voxel: number) => mask === undefined || mask[voxel] !== 0;
  for (let voxel = 0; voxel < a.length; voxel++) {
    if (!counts(voxel)) continue;
    const key = `${a[voxel]} ${b[voxel]}`;
    const pair = pairs.get(key) ?? { a: a[voxel], b: b[voxel], count: 0, run: 0, place: 0 };
    pairs.set(key, pair);
    pair.count++;
    run++;
    if (isSame(voxel + 1) && counts(voxel + 1)) continue;
    if (run > pair.run) Object.assign(pair, { run, place: voxel + 1 - run + (run >> 1) });
    run = 0;
  }
  const rows = [...pairs.values()].sort((x, y) => (x.a !== y.a ? (x.a < y.a ? -1 : 1) : x.b < y.b ? -1 : 1));
  return {
    a: BigUint64Array.from(rows, (row) => row.a),
    b: BigUint64Array.from(rows, (row) => row.b),
    counts: Float64Array.from(rows, (row) => row.count),
    places: Float64Array.from(rows, (row) => row.place),
    runs: Uint32Array.from(rows, (row) => row.run),
  };
}

/** The plain version of merging: all rows in one map. */
function naiveMerge(tables: readonly ContingencyTable[]): ContingencyTable {
  const pairs = new Map<string, Pair>();
  for (const { a, b, counts, places, runs } of tables) {
    a.forEach((id, row) => {
      const key = `${id} ${b[row]}`;
      const pair = pairs.get(key) ?? { a: id, b: b[row], count: 0, run: 0, place: Number.POSITIVE_INFINITY };
      pairs.set(key, pair);
      pair.count += counts[row];
      const isBetter = runs[row] !== pair.run ? runs[row] > pair.run : places[row] < pair.place;
      if (isBetter) Object.assign(pair, { run: runs[row], place: places[row] });
    });
  }
  const rows = [...pairs.values()].sort((x, y) => (x.a !== y.a ? (x.a < y.a ? -1 : 1) : x.b < y.b ? -1 : 1));
  return {
    a: BigUint64Array.from(rows, (row) => row.a),
    b: BigUint64Array.from(rows, (row) => row.b),
    counts: Float64Array.from(rows, (row) => row.count),
    places: Float64Array.from(rows, (row) => row.place),
    runs: Uint32Array.from(rows, (row) => row.run),
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
        const mask = Uint8Array.from(a, (_, voxel) => (voxel * 7 + drawn[1]) % 5);
        expect(await contingencyTable(a, b, { mask })).toEqual(naive(a, b, mask));
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
        let begin = 0;
        parts.forEach(([a], part) => {
          const { places } = tables[part];
          places.forEach((place, row) => {
            places[row] = begin + place;
          });
          begin += a.length;
        });
        const merged = await mergeContingencyTables(tables);
        const whole = naive(joined(0), joined(1));
        expect([merged.a, merged.b, merged.counts]).toEqual([whole.a, whole.b, whole.counts]);
        expect(merged).toEqual(naiveMerge(tables));
        merged.places.forEach((place, row) => {
          expect([joined(0)[place], joined(1)[place]]).toEqual([merged.a[row], merged.b[row]]);
        });
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
    await expect(contingencyTable(four, four, { mask: new Uint8Array(3) })).rejects.toMatchObject({
      message: 'mask: expected 4 elements, as many as a, found 3',
    });
    await expect(contingencyTable(four, four, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'ERR_CANCELLED',
    });
    const table = await contingencyTable(four, four);
    await expect(mergeContingencyTables([table, table], { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'ERR_CANCELLED',
    });
    const cut = { ...table, runs: new Uint32Array(7) };
    await expect(mergeContingencyTables([table, cut])).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
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
        await segmentationScores(await contingencyTable(labels, toLabels(truth))),
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
      await segmentationScores(await table(fragments.data as Uint32Array)),
      json.fragmentScores as SegmentationScores,
    );
    expectScores(await segmentationScores(segmentTable), json.segmentScores as SegmentationScores);
    expectScores(
      await segmentationScores(segmentTable, { ignoreTruthBackground: false }),
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
    await expect(segmentationScores(zeros)).rejects.toThrow('table: expected voxels with truth above 0, found none');
    expect((await segmentationScores(zeros, { ignoreTruthBackground: false })).voxels).toBe(1);
    const none = await mergeContingencyTables([]);
    await expect(segmentationScores(none, { ignoreTruthBackground: false })).rejects.toThrow(
      'table: expected voxels, found none',
    );
  });
});

describe('segmentationErrors', () => {
  /** By the definitions, label by label. */
  function naiveErrors(
    { a, b, counts, places }: ContingencyTable,
    key: BigUint64Array,
    other: BigUint64Array,
    ignore: boolean,
  ) {
    const rows = [...a.keys()].filter((row) => !ignore || b[row] !== 0n);
    const total = rows.reduce((sum, row) => sum + counts[row], 0);
    return [...new Set(rows.map((row) => key[row]))]
      .map((id) => {
        const own = rows.filter((row) => key[row] === id);
        const voxels = own.reduce((sum, row) => sum + counts[row], 0);
        const bits = own.reduce((sum, row) => sum - (counts[row] / total) * Math.log2(counts[row] / voxels), 0);
        const largest = [...own].sort((x, y) => counts[y] - counts[x] || x - y);
        const overlaps = largest.map((row) => ({ id: other[row], voxels: counts[row], place: places[row] }));
        return { id, bits, voxels, partners: own.length, overlaps };
      })
      .filter(({ partners }) => partners > 1)
      .sort((x, y) => (x.bits !== y.bits ? y.bits - x.bits : x.id < y.id ? -1 : 1));
  }

  test('the labels that add most to the scores, with their partners, and nothing else', async () => {
    await fc.assert(
      fc.asyncProperty(part, fc.boolean(), async (drawn, ignore) => {
        const table = await contingencyTable(...arrays(drawn));
        fc.pre(table.b.some((id) => !ignore || id !== 0n));
        const { scores, merges, splits } = await segmentationErrors(table, {
          ignoreTruthBackground: ignore,
          labels: 100,
          partners: 100,
        });
        const bitsOf = (errors: readonly LabelError[]) => errors.map(({ bits }) => bits);
        for (const [found, expected, voi] of [
          [merges, naiveErrors(table, table.a, table.b, ignore), scores.voiMerge],
          [splits, naiveErrors(table, table.b, table.a, ignore), scores.voiSplit],
        ] as const) {
          expect(bitsOf(found).reduce((sum, bits) => sum + bits, 0)).toBeCloseTo(voi, 10);
          expect(bitsOf(found)).toEqual(expected.map(({ bits }) => expect.closeTo(bits, 10)));
          const byId = (errors: readonly LabelError[]) =>
            [...errors].map((one) => ({ ...one, bits: 0 })).sort((x, y) => (x.id < y.id ? -1 : 1));
          expect(byId(found)).toEqual(byId(expected));
        }
      }),
      { seed: 16, numRuns: 40 },
    );
  });

  test('as many as are asked for; equal ones by id', async () => {
    // segments 1 and 2 merge two labels each, in the same way
    const table = await contingencyTable(
      BigUint64Array.of(2n, 2n, 2n, 1n, 1n, 1n),
      BigUint64Array.of(5n, 5n, 6n, 7n, 8n, 8n),
    );
    const { merges, splits } = await segmentationErrors(table, { labels: 1, partners: 1 });
    expect(merges).toEqual([
      { id: 1n, bits: expect.closeTo(0.459, 3), voxels: 3, partners: 2, overlaps: [{ id: 8n, voxels: 2, place: 5 }] },
    ]);
    expect(splits).toEqual([]);
    expect((await segmentationErrors(table)).merges.map(({ id }) => id)).toEqual([1n, 2n]);
  });

  test('pairs of distinct voxels', async () => {
    const score = async (a: bigint[], b: bigint[]) => {
      const table = await contingencyTable(BigUint64Array.from(a), BigUint64Array.from(b));
      const { randPrecision, randRecall, adaptedRandError } = await segmentationScores(table, { distinctPairs: true });
      return [randPrecision, randRecall, adaptedRandError];
    };
    // of 6 ordered pairs in the segment 2 are in a truth segment, and those are all of the truth
    expect(await score([1n, 1n, 1n], [4n, 4n, 5n])).toEqual([2 / 6, 1, 1 - 4 / 8]);
    expect(await score([1n, 2n, 3n], [4n, 4n, 4n])).toEqual([1, 0, 1]);
    expect(await score([1n, 2n, 3n], [4n, 5n, 6n])).toEqual([1, 1, 0]);
  });

  test('a table that is none is refused', async () => {
    const table = await contingencyTable(BigUint64Array.of(1n, 2n), BigUint64Array.of(3n, 4n));
    const backwards = { ...table, a: table.a.slice().reverse() };
    await expect(segmentationErrors(backwards)).rejects.toThrow('expected rows that ascend by (a, b)');
    for (const count of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
      const wrong = { ...table, counts: Float64Array.of(1, count) };
      await expect(segmentationErrors(wrong)).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
    }
    await expect(segmentationErrors(table, { labels: -1 })).rejects.toThrow('labels: expected a whole number');
    await expect(segmentationErrors(table, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'ERR_CANCELLED',
    });
  });
});
