import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type RelabelOptions, relabel } from '../../lib/native/relabel.js';
import { goldens, readNpz } from '../support/goldens.js';
import { firstDifference, randomLabels } from '../support/labels.js';
import { seededRandom } from '../support/seeded-random.js';

/** Columns sorted by fragment. */
function tableOf(entries: readonly (readonly [bigint, bigint, bigint])[]) {
  const sorted = [...entries].sort(([a], [b]) => (a < b ? -1 : 1));
  const [fragments, segments, sizes] = [0, 1, 2].map((column) => BigUint64Array.from(sorted, (entry) => entry[column]));
  return { fragments, segments, sizes };
}

function naive(
  labels: BigUint64Array,
  entries: readonly (readonly [bigint, bigint, bigint])[],
  { missing = 'keep', minSegmentSize = 0 }: RelabelOptions,
): BigUint64Array {
  const map = new Map(entries.map((entry) => [entry[0], entry]));
  return labels.map((label) => {
    const entry = map.get(label);
    if (entry === undefined) return missing === 'keep' ? label : 0n;
    return entry[2] < BigInt(minSegmentSize) ? 0n : entry[1];
  });
}

describe('relabel', () => {
  test.each(['small-ids', 'missing-ids', 'big-ids', 'maps-zero'])('equals the golden %s', async (name) => {
    const { fragments, lut, keep, background } = readNpz(join(goldens, `relabel/${name}.npz`));
    const labels = fragments.data as BigUint64Array;
    const columns = lut.data as BigUint64Array;
    const length = lut.shape[1];
    const table = tableOf(Array.from({ length }, (_, row) => [columns[row], columns[length + row], 1n] as const));
    const kept = await relabel(labels, table);
    expect(firstDifference(kept, keep.data)).toBe(-1);
    expect(firstDifference(await relabel(labels, table, { missing: 'background' }), background.data)).toBe(-1);
  });

  const entry = fc.tuple(fc.bigInt(0n, 2n ** 64n - 1n), fc.bigInt(0n, 2n ** 64n - 1n), fc.bigInt(1n, 50n));
  const tables = fc.uniqueArray(entry, { maxLength: 60, selector: ([fragment]) => fragment });

  test('equals the plain version: every option, in place or not, any threads', async () => {
    await fc.assert(
      fc.asyncProperty(tables, fc.nat(700), fc.nat(1000), fc.nat(60), async (entries, voxels, seed, minSegmentSize) => {
        const known = entries.map(([fragment]) => fragment);
        const labels = randomLabels(voxels, [0n, 3n, ...known.slice(0, 40)], seed, 1 + (seed % 9));
        for (const missing of ['keep', 'background'] as const) {
          const options = { missing, minSegmentSize, threads: 1 + (seed % 3) };
          const expected = naive(labels, entries, options);
          const found = await relabel(labels, tableOf(entries), options);
          expect(firstDifference(found, expected)).toBe(-1);
          const inPlace = labels.slice();
          expect(await relabel(inPlace, tableOf(entries), { ...options, output: inPlace })).toBe(inPlace);
          expect(firstDifference(inPlace, expected)).toBe(-1);
        }
      }),
      { seed: 13, numRuns: 80 },
    );
  });

  test('many parts and threads give the same, and long runs too', async () => {
    const random = seededRandom(4);
    const ids = Array.from({ length: 5000 }, (_, index) => BigInt(index) * 977n + 2n ** 41n);
    const entries = ids.filter(() => random() < 0.8).map((id, index) => [id, BigInt(index % 100), 9n] as const);
    const labels = randomLabels(1_200_000, ids, 5, 12);
    const once = await relabel(labels, tableOf(entries));
    expect(firstDifference(once, naive(labels, entries, {}))).toBe(-1);
    expect(firstDifference(await relabel(labels, tableOf(entries), { threads: 2 }), once)).toBe(-1);
  });

  test('enough labels for whole pages of ids: near ids, ids at both ends, ids that are far apart', async () => {
    const random = seededRandom(6);
    const below = (count: number) => BigInt(Math.floor(random() * count));
    const ids = {
      near: Array.from({ length: 3000 }, () => (below(9) << 21n) + below(4000)),
      ends: Array.from({ length: 500 }, () => (random() < 0.5 ? below(1025) : 2n ** 64n - 1n - below(1025))),
      far: Array.from({ length: 3000 }, () => below(2 ** 53) << 11n),
    };
    for (const [kind, known] of Object.entries({ ...ids, all: Object.values(ids).flat() })) {
      const chosen = [...new Set(known)].filter((id) => id !== 0n && random() < 0.7);
      const entries = chosen.map((id) => [id, below(2 ** 53) << 11n, below(20)] as const);
      const labels = randomLabels(90_000, [0n, ...known], 7, kind === 'all' ? 1 : 4);
      for (const missing of ['keep', 'background'] as const) {
        const options = { missing, minSegmentSize: 5 };
        const expected = naive(labels, entries, options);
        const threads = 2;
        expect(firstDifference(await relabel(labels, tableOf(entries), { ...options, threads }), expected)).toBe(-1);
        const inPlace = labels.slice();
        await relabel(inPlace, tableOf(entries), { ...options, output: inPlace });
        expect(firstDifference(inPlace, expected)).toBe(-1);
      }
      await expect(relabel(labels, tableOf(entries), { missing: 'error' })).rejects.toMatchObject({
        code: 'ERR_ARGUMENT',
      });
    }
  });

  test('views into a larger buffer do', async () => {
    const memory = BigUint64Array.of(99n, 1n, 5n, 10n, 50n, 99n);
    const table = { fragments: memory.subarray(1, 3), segments: memory.subarray(3, 5) };
    expect(await relabel(BigUint64Array.of(5n, 1n, 2n, 0n), table)).toEqual(BigUint64Array.of(50n, 10n, 2n, 0n));
  });

  test('an id without an entry is an error where asked; background never is', async () => {
    const table = tableOf([[4n, 1n, 1n]]);
    await expect(relabel(BigUint64Array.of(4n, 0n), table, { missing: 'error' })).resolves.toEqual(
      BigUint64Array.of(1n, 0n),
    );
    await expect(relabel(BigUint64Array.of(4n, 0n, 7n), table, { missing: 'error' })).rejects.toMatchObject({
      code: 'ERR_ARGUMENT',
      message: 'relabel: lookup table: expected an entry for every label, found none for 7',
    });
  });

  test('bad input is named; an abort is heard', async () => {
    const labels = new BigUint64Array(8);
    const table = tableOf([[1n, 2n, 3n]]);
    const refusals: [Promise<unknown>, string][] = [
      [relabel([] as unknown as BigUint64Array, table), 'labels: expected a BigUint64Array, found Array'],
      [
        relabel(labels, { ...table, segments: new BigUint64Array(2) }),
        'segments: expected 1 entries, one a fragment, found 2',
      ],
      [
        relabel(labels, { ...table, sizes: new BigUint64Array(0) }),
        'sizes: expected 1 entries, one a fragment, found 0',
      ],
      [
        relabel(labels, { fragments: table.fragments, segments: table.segments }, { minSegmentSize: 2 }),
        'sizes: expected the voxels of each segment, as minSegmentSize is given, found none',
      ],
      [
        relabel(labels, table, { minSegmentSize: -1 }),
        'minSegmentSize: expected a whole number of at least 0, found -1',
      ],
      [
        relabel(labels, table, { missing: 'drop' as 'keep' }),
        'missing: expected keep, background or error, found drop',
      ],
      [relabel(labels, table, { threads: 1025 }), 'threads: expected a whole number in [1, 1024], found 1025'],
      [relabel(labels, table, { output: new BigUint64Array(7) }), 'output: expected 8 elements, found 7'],
      [
        relabel(labels, { fragments: BigUint64Array.of(1n, 7n, 7n), segments: new BigUint64Array(3) }),
        'relabel: lookup table: expected ascending fragments, found 7 after 7 at entry 2',
      ],
    ];
    for (const [refused, message] of refusals) {
      await expect(refused).rejects.toMatchObject({ code: 'ERR_ARGUMENT', message });
    }
    await expect(relabel(labels, table, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'ERR_CANCELLED',
    });
  });
});
