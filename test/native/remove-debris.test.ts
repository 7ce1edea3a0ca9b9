import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { removeDebris } from '../../lib/native/remove-debris.js';
import { randomLabels } from '../support/labels.js';

function naive(labels: BigUint64Array, minimumSize: number) {
  const sizes = new Map<bigint, number>();
  for (const label of labels) sizes.set(label, (sizes.get(label) ?? 0) + 1);
  sizes.delete(0n);
  return {
    kept: labels.map((label) => ((sizes.get(label) ?? 0) < minimumSize ? 0n : label)),
    dropped: [...sizes.values()].filter((size) => size < minimumSize).length,
  };
}

describe('removeDebris', () => {
  test('equals the plain version at every limit', async () => {
    const ids = Array.from({ length: 40 }, (_, index) => BigInt(index) * 2n ** 58n + BigInt(index));
    await fc.assert(
      fc.asyncProperty(fc.nat(3000), fc.integer({ min: 0, max: 200 }), fc.nat(1000), async (voxels, limit, seed) => {
        const labels = randomLabels(voxels, ids, seed, 4);
        const expected = naive(labels, limit);
        expect(await removeDebris(labels, limit)).toBe(expected.dropped);
        expect(labels).toEqual(expected.kept);
      }),
      { seed: 8, numRuns: 60 },
    );
  });

  test('the limit itself is kept', async () => {
    const labels = BigUint64Array.from([7n, 7n, 9n, 0n, 9n, 9n]);
    expect(await removeDebris(labels, 2)).toBe(0);
    expect(await removeDebris(labels, 3)).toBe(1);
    expect(labels).toEqual(BigUint64Array.from([0n, 0n, 9n, 0n, 9n, 9n]));
  });

  test('bad input is named; an abort is heard', async () => {
    await expect(removeDebris(new BigUint64Array(3), 1.5)).rejects.toMatchObject({
      code: 'ERR_ARGUMENT',
      message: 'minimumSize: expected a whole number of at least 0, found 1.5',
    });
    await expect(removeDebris([] as unknown as BigUint64Array, 2)).rejects.toMatchObject({
      message: 'labels: expected a BigUint64Array, found Array',
    });
    await expect(removeDebris(new BigUint64Array(3), 2, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'ERR_CANCELLED',
    });
  });
});
