import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { fragmentStatistics } from '../../lib/native/fragment-statistics.js';
import { goldens, readNpz } from '../support/goldens.js';
import { position, randomLabels, toLabels } from '../support/labels.js';

/** The plain version: a map of sums, voxel by voxel. */
function naive(labels: BigUint64Array, shape: readonly number[]) {
  const sums = new Map<bigint, { size: number; coordinates: number[] }>();
  labels.forEach((label, index) => {
    if (label === 0n) return;
    const entry = sums.get(label) ?? { size: 0, coordinates: shape.map(() => 0) };
    entry.size += 1;
    position(index, shape).forEach((value, axis) => {
      entry.coordinates[axis] += value;
    });
    sums.set(label, entry);
  });
  const ids = [...sums.keys()].sort((a, b) => (a < b ? -1 : 1));
  return {
    ids: BigUint64Array.from(ids),
    sizes: BigUint64Array.from(ids, (id) => BigInt(sums.get(id)!.size)),
    centres: Float64Array.from(ids.flatMap((id) => sums.get(id)!.coordinates.map((sum) => sum / sums.get(id)!.size))),
  };
}

describe('fragmentStatistics', () => {
  test.each(['no-filter', 'filter', 'debris', 'both-2d', 'both-anisotropic'])('equals the golden %s', async (name) => {
    const { relabelled, size, centreVoxels } = readNpz(join(goldens, `fragments/${name}.npz`));
    const found = await fragmentStatistics(toLabels(relabelled.data), relabelled.shape);
    expect(found.ids).toEqual(BigUint64Array.from({ length: size.data.length }, (_, index) => BigInt(index + 1)));
    expect(found.sizes).toEqual(toLabels(size.data));
    expect(found.centres).toEqual(centreVoxels.data);
  });

  test('equals the plain version, with near and far ids, in 1 to 6 dimensions', async () => {
    const ids = [0n, 1n, 2n, 5n, 2n ** 40n, 2n ** 63n, 2n ** 64n - 1n];
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 6 }),
        fc.integer({ min: 1, max: 7 }),
        fc.nat(1000),
        async (shape, kinds, seed) => {
          const voxels = shape.reduce((product, extent) => product * extent, 1);
          const labels = randomLabels(voxels, ids.slice(0, kinds), seed);
          expect(await fragmentStatistics(labels, shape)).toEqual(naive(labels, shape));
        },
      ),
      { seed: 7, numRuns: 60 },
    );
  });

  test('long rows, as many labels as voxels, and hashed ids', async () => {
    const shape = [3, 5000];
    for (const spread of [1n, 2n ** 40n + 1n]) {
      const labels = BigUint64Array.from({ length: 15000 }, (_, index) => BigInt((index * 7919) % 15000) * spread);
      expect(await fragmentStatistics(labels, shape)).toEqual(naive(labels, shape));
    }
  });

  test('nothing but background, and nothing at all', async () => {
    const empty = { ids: new BigUint64Array(), sizes: new BigUint64Array(), centres: new Float64Array() };
    expect(await fragmentStatistics(new BigUint64Array(8), [2, 4])).toEqual(empty);
    expect(await fragmentStatistics(new BigUint64Array(0), [0, 2 ** 40])).toEqual(empty);
  });

  test('bad input is named; an abort is heard', async () => {
    await expect(fragmentStatistics(new BigUint64Array(5), [2, 3])).rejects.toMatchObject({
      code: 'ERR_ARGUMENT',
      message: 'labels: expected 6 elements (shape [2, 3]), found 5',
    });
    const wrong = new Float64Array(6) as unknown as BigUint64Array;
    await expect(fragmentStatistics(wrong, [2, 3])).rejects.toMatchObject({
      message: 'labels: expected a BigUint64Array, found Float64Array',
    });
    const signal = AbortSignal.abort();
    await expect(fragmentStatistics(new BigUint64Array(6), [2, 3], { signal })).rejects.toMatchObject({
      code: 'ERR_CANCELLED',
    });
  });
});
