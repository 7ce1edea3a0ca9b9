import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  type DownsampleMethod,
  type DownsampleValues,
  downsample,
  downsampledShape,
} from '../../lib/native/downsample.js';
import { naiveDownsample } from '../support/naive-downsample.js';
import { seededRandom } from '../support/seeded-random.js';

const LARGEST = { Big: (1n << 64n) - 1n, smallest: -(1n << 63n) };

/** Values of every type: out of few where the mode should have winners, the ends of the range among them. */
const MAKERS: Readonly<Record<string, (count: number, random: () => number) => DownsampleValues>> = {
  uint8: (n, random) => Uint8Array.from({ length: n }, () => random() * 256),
  int8: (n, random) => Int8Array.from({ length: n }, () => random() * 256 - 128),
  uint16: (n, random) => Uint16Array.from({ length: n }, () => 65530 + random() * 6),
  int16: (n, random) => Int16Array.from({ length: n }, () => random() * 4 - 2),
  uint32: (n, random) => Uint32Array.from({ length: n }, () => 2 ** 32 - 1 - Math.floor(random() * 3)),
  int32: (n, random) => Int32Array.from({ length: n }, () => -(2 ** 31) + Math.floor(random() * 3)),
  uint64: (n, random) => BigUint64Array.from({ length: n }, () => [0n, 1n, 3n, LARGEST.Big][Math.floor(random() * 4)]),
  int64: (n, random) =>
    BigInt64Array.from({ length: n }, () => [0n, LARGEST.smallest, -1n, 7n][Math.floor(random() * 4)]),
  float32: (n, random) => Float32Array.from({ length: n }, () => random() * 100 - 50),
  float64: (n, random) => Float64Array.from({ length: n }, () => random() / 3),
};

const cases = Object.keys(MAKERS).flatMap((type) =>
  (['mean', 'mode', 'stride'] as const)
    .filter((method) => method !== 'mode' || !type.startsWith('float'))
    .map((method) => [type, method] as const),
);

describe('downsample', () => {
  test.each(cases)('%s, %s: equals the plain version, odd ends and all', async (type, method) => {
    const axis = fc.record({ extent: fc.integer({ min: 1, max: 9 }), factor: fc.integer({ min: 1, max: 5 }) });
    await fc.assert(
      fc.asyncProperty(
        fc.array(axis, { minLength: 1, maxLength: 4 }),
        fc.nat(1000),
        fc.boolean(),
        async (axes, seed, ignoreBackground) => {
          const shape = axes.map(({ extent }) => extent);
          const factors = axes.map(({ factor }) => factor);
          const values = MAKERS[type](
            shape.reduce((a, b) => a * b, 1),
            seededRandom(seed),
          );
          const found = await downsample(values, shape, { factors, method, ignoreBackground });
          expect(found).toEqual(naiveDownsample(values, shape, factors, method, ignoreBackground));
        },
      ),
      { seed: 3, numRuns: 60 },
    );
  });

  test('what tensorstore gives: means of integers are rounded to even, modes are the smallest of the most frequent', async () => {
    const mean = (values: Int8Array) => downsample(values, [9], { factors: [2], method: 'mean' });
    expect([...(await mean(Int8Array.of(1, 2, 2, 3, -1, 0, -3, -2, 5)))]).toEqual([2, 2, 0, -2, 5]);
    const labels = BigUint64Array.from([3n, 3n, 1n, 1n, 2n, 2n, 0n, 0n, 9n, 7n]);
    const mode = (ignoreBackground: boolean) =>
      downsample(labels, [2, 5], { factors: [2, 2], method: 'mode', ignoreBackground });
    expect([...(await mode(false))]).toEqual([3n, 1n, 2n]);
    const ties = BigUint64Array.of(5n, 0n, 0n, 4n, 0n, 0n);
    const options = { factors: [3], method: 'mode' } as const;
    expect([...(await downsample(ties, [6], options))]).toEqual([0n, 0n]);
    expect([...(await downsample(ties, [6], { ...options, ignoreBackground: true }))]).toEqual([5n, 4n]);
    expect([...(await downsample(new Uint8Array(4), [4], { ...options, ignoreBackground: true }))]).toEqual([0, 0]);
  });

  test('NaN spreads to its cell alone', async () => {
    const values = Float32Array.of(1, Number.NaN, 3, 5, Number.POSITIVE_INFINITY, 1);
    expect([...(await downsample(values, [6], { factors: [2], method: 'mean' }))]).toEqual([Number.NaN, 4, Infinity]);
  });

  test('factors beyond the array, and arrays without voxels', async () => {
    expect([...(await downsample(Uint8Array.of(1, 2, 6), [3], { factors: [2 ** 31], method: 'mean' }))]).toEqual([3]);
    expect(downsampledShape([0, 5, 7], [2, 2, 7])).toEqual([0, 3, 1]);
    expect((await downsample(new Uint8Array(0), [0, 5], { factors: [2, 2], method: 'mode' })).length).toBe(0);
  });

  test.each<[string, readonly number[], DownsampleMethod, string]>([
    [
      'a factor of 0',
      [0, 1],
      'mean',
      'factors: expected 2 whole numbers from 1 on with a product of at most 2^31, found [0, 1]',
    ],
    ['a fraction', [1.5, 1], 'mean', 'factors: expected 2 whole numbers'],
    ['too few factors', [2], 'mean', 'factors: expected 2 whole numbers'],
    ['too large ones', [2 ** 16, 2 ** 16], 'mean', 'factors: expected 2 whole numbers'],
    ['another method', [1, 1], 'median' as DownsampleMethod, 'method: expected mean, mode or stride, found median'],
    ['the mode of floats', [1, 1], 'mode', 'method: expected mean or stride for floats, found mode'],
  ])('%s is refused', async (_, factors, method, message) => {
    const refusal = downsample(new Float32Array(4), [2, 2], { factors, method });
    await expect(refusal).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
    await expect(refusal).rejects.toThrow(message);
  });

  test('an abort is heard', async () => {
    const options = { factors: [2], method: 'mode', signal: AbortSignal.abort() } as const;
    await expect(downsample(new Uint8Array(4), [4], options)).rejects.toMatchObject({ code: 'ERR_CANCELLED' });
  });
});
