import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { connectedComponents } from '../../lib/native/connected-components.js';
import { distanceTransform } from '../../lib/native/distance-transform.js';
import { findSeeds, seedMask } from '../../lib/native/find-seeds.js';
import { fib25Input } from '../support/fib25.js';
import { goldens, readJson, readNpz } from '../support/goldens.js';
import { firstDifference, position, toLabels } from '../support/labels.js';
import { seededRandom } from '../support/seeded-random.js';

interface Case {
  readonly name: string;
  readonly affinitiesOf: string;
  readonly channels: number[] | 'all';
  readonly minSeedDistance: number;
  readonly seeds: number;
}

describe('masks, seeds and distances from them equal the published ones', () => {
  for (const { name, affinitiesOf, channels, minSeedDistance, seeds } of readJson<Case[]>(
    join(goldens, 'seeds/index.json'),
  )) {
    test(name, async () => {
      const { shape, offsets, affinities } = fib25Input(`mws/${affinitiesOf}.json`);
      const golden = readNpz(join(goldens, `seeds/${name}.npz`));
      const mask = await seedMask(affinities, shape, {
        channels: channels === 'all' ? offsets.map((_, c) => c) : channels,
      });
      expect(firstDifference(mask, golden.mask.data)).toBe(-1);
      const found = await findSeeds(mask, shape, { minSeedDistance });
      expect(found.count).toBe(seeds);
      expect(firstDifference(found.seeds, toLabels(golden.seeds.data))).toBe(-1);
      const outside = Uint8Array.from(found.seeds, (seed) => (seed === 0n ? 1 : 0));
      const away = await distanceTransform(outside, shape, { squared: true });
      expect(firstDifference(away, golden.squaredDistanceFromSeeds.data)).toBe(-1);
    });
  }
});

/** The plain version: every voxel against its whole window. */
async function naive(mask: Uint8Array, shape: readonly number[], n: number) {
  const distances = await distanceTransform(mask, shape, { squared: true });
  const places = [...mask.keys()].map((voxel) => position(voxel, shape));
  const maxima = BigUint64Array.from(mask, (inside, voxel) => {
    const low = -Math.floor(n / 2);
    const larger = places.some(
      (place, other) =>
        distances[other] > distances[voxel] &&
        place.every((value, axis) => {
          const step = value - places[voxel][axis];
          return step >= low && step < low + n;
        }),
    );
    return inside !== 0 && !larger ? 1n : 0n;
  });
  const { labels, count } = await connectedComponents(maxima, shape, { connectivity: 'face' });
  return { seeds: labels, count };
}

describe('findSeeds', () => {
  test('equals the plain version, with windows of 1 voxel up to more than the array', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 3 }),
        fc.integer({ min: 1, max: 14 }),
        fc.nat(1000),
        async (shape, minSeedDistance, seed) => {
          const random = seededRandom(seed);
          const mask = Uint8Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => (random() < 0.93 ? 1 : 0));
          expect(await findSeeds(mask, shape, { minSeedDistance })).toEqual(await naive(mask, shape, minSeedDistance));
        },
      ),
      { seed: 18, numRuns: 60 },
    );
  });

  test('a window beyond all reason costs no memory', async () => {
    const mask = Uint8Array.of(1, 0, 1, 1);
    expect(await findSeeds(mask, [4], { minSeedDistance: 2 ** 52 })).toEqual({
      seeds: BigUint64Array.of(0n, 0n, 0n, 1n),
      count: 1,
    });
  });

  test('bad input is named; an abort is heard', async () => {
    const mask = new Uint8Array(6);
    await expect(findSeeds(mask, [2, 3], { minSeedDistance: 0 })).rejects.toMatchObject({
      code: 'ERR_ARGUMENT',
      message: 'minSeedDistance: expected a whole number of at least 1, found 0',
    });
    await expect(findSeeds(mask, [7], { minSeedDistance: 2 })).rejects.toMatchObject({
      message: 'mask: expected 7 elements (shape [7]), found 6',
    });
    const signal = AbortSignal.abort();
    await expect(findSeeds(mask, [6], { minSeedDistance: 2, signal })).rejects.toMatchObject({ code: 'ERR_CANCELLED' });
  });
});

describe('seedMask', () => {
  test('is 1 where the mean is above the threshold, not at it, in both types', async () => {
    const bytes = Uint8Array.of(127, 128, 255, 0, 128, 127, 0, 255, 9, 9, 9, 9);
    expect(await seedMask(bytes, [1, 4])).toEqual(Uint8Array.of(0, 0, 0, 0)); // means of exactly 127.5
    expect(await seedMask(bytes, [1, 4], { channels: [0] })).toEqual(Uint8Array.of(0, 1, 1, 0));
    expect(await seedMask(bytes, [1, 4], { threshold: 0.49 })).toEqual(Uint8Array.of(1, 1, 1, 1));
    const floats = Float32Array.of(0.25, 0.5, 1, 0, 0.75, 0.5, 0.25, 0.125, 9, 9, 9, 9);
    expect(await seedMask(floats, [1, 4])).toEqual(Uint8Array.of(0, 0, 1, 0));
    expect(await seedMask(floats, [1, 4], { channels: [2, 0] })).toEqual(Uint8Array.of(1, 1, 1, 1));
  });

  test('bad input is named; an abort is heard', async () => {
    await expect(seedMask(new Uint8Array(4), [1, 4])).rejects.toMatchObject({
      code: 'ERR_ARGUMENT',
      message: 'channels: expected channels in [0, 1), found [0, 1]',
    });
    await expect(seedMask(new Uint8Array(4), [4], { threshold: Number.NaN })).rejects.toMatchObject({
      message: 'threshold: expected a finite number, found NaN',
    });
    await expect(seedMask(Float32Array.of(0, Number.NaN), [2])).rejects.toMatchObject({
      code: 'ERR_NOT_A_NUMBER',
      message: 'thresholdMean: affinities: NaN at voxel 1 (raster index)',
    });
    await expect(seedMask(new Uint8Array(4), [4], { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'ERR_CANCELLED',
    });
  });
});
