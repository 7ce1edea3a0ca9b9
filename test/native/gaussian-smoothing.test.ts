import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { gaussianSmoothing } from '../../lib/native/gaussian-smoothing.js';
import { goldens, readJson, readNpz } from '../support/goldens.js';
import { indexOf, position } from '../support/labels.js';
import { seededRandom } from '../support/seeded-random.js';

/** The plain version: one axis after the other, a weighted sum at each voxel. */
function naive(values: Float64Array, shape: readonly number[], sigma: readonly number[]): Float64Array {
  return sigma.reduce((source, width, axis) => {
    if (width === 0) return source;
    const radius = Math.floor(4 * width + 0.5);
    const weights = Array.from({ length: 2 * radius + 1 }, (_, k) => Math.exp(-0.5 * ((k - radius) / width) ** 2));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    return source.map((_, voxel) => {
      const place = position(voxel, shape);
      return weights.reduce((sum, weight, k) => {
        let at = place[axis] + k - radius;
        while (at < 0 || at >= shape[axis]) at = at < 0 ? -1 - at : 2 * shape[axis] - 1 - at; // c b a | a b c | c b a
        return sum + (weight / total) * source[indexOf(place.with(axis, at), shape)!];
      }, 0);
    });
  }, values);
}

const farthest = (a: ArrayLike<number>, b: ArrayLike<number>) => {
  let worst = 0;
  for (let index = 0; index < a.length; ++index) worst = Math.max(worst, Math.abs(a[index] - b[index]));
  return worst;
};

describe('gaussianSmoothing', () => {
  const cases = readJson<{ name: string; sigma: number[]; tolerance: number }[]>(join(goldens, 'gaussian/index.json'));
  for (const { name, sigma, tolerance } of cases.filter((golden) => golden.name !== 'nuclei3d')) {
    test(`equals the golden ${name}`, async () => {
      const { image, smoothed } = readNpz(join(goldens, `gaussian/${name}.npz`));
      const found = await gaussianSmoothing(image.data as Float64Array, image.shape, { sigma });
      expect(farthest(found, smoothed.data as Float64Array)).toBeLessThan(tolerance);
      const float = await gaussianSmoothing(Float32Array.from(image.data as Float64Array), image.shape, { sigma });
      expect(farthest(float, smoothed.data as Float64Array)).toBeLessThan(1e-6);
    });
  }

  test('equals the plain version: short axes, wide windows, more lines than are smoothed at once', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.integer({ min: 1, max: 7 }), fc.constantFrom(0, 0.1, 0.7, 1.5, 9)), {
          minLength: 1,
          maxLength: 4,
        }),
        fc.nat(1000),
        async (axes, seed) => {
          const random = seededRandom(seed);
          const shape = axes.map(([extent]) => extent);
          const sigma = axes.map(([, width]) => width);
          const values = Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random() * 2 - 1);
          const expected = naive(values, shape, sigma);
          expect(farthest(await gaussianSmoothing(values, shape, { sigma }), expected)).toBeLessThan(1e-14);
          await gaussianSmoothing(values, shape, { sigma, output: values });
          expect(farthest(values, expected)).toBeLessThan(1e-14);
        },
      ),
      { seed: 16, numRuns: 60 },
    );
  });

  test('the same bits on every machine', async () => {
    const values = Float64Array.from({ length: 12 }, (_, index) => 1 / (index + 3));
    const found = await gaussianSmoothing(values, [3, 4], { sigma: [1.3, 0.9] });
    const bits = [...new BigUint64Array(found.buffer)].map((value) => value.toString(16));
    expect(bits).toEqual(BITS);
  });

  test('channels are axes of sigma 0; constants stay; NaN spreads along its lines only', async () => {
    const values = Float32Array.of(1, 1, 1, 5, 5, 5, Number.NaN, 0, 0);
    const found = await gaussianSmoothing(values, [3, 3], { sigma: [0, 1] });
    expect(farthest(found.subarray(0, 6), Float32Array.of(1, 1, 1, 5, 5, 5))).toBeLessThan(1e-6);
    expect([...found.subarray(6)]).toEqual([Number.NaN, Number.NaN, Number.NaN]);
    expect(await gaussianSmoothing(values, [3, 3], { sigma: [0, 0] })).toEqual(values);
    expect(await gaussianSmoothing(new Float32Array(0), [3, 0], { sigma: [1, 1] })).toEqual(new Float32Array(0));
  });

  test('bad input is named; an abort is heard', async () => {
    const run = (sigma: number[], more = {}) => gaussianSmoothing(new Float32Array(6), [2, 3], { sigma, ...more });
    for (const sigma of [[1], [1, -1], [1, Number.NaN], [10001, 0]]) {
      await expect(run(sigma)).rejects.toMatchObject({
        code: 'ERR_ARGUMENT',
        message: `sigma: expected 2 numbers in [0, 10000], found [${sigma.join(', ')}]`,
      });
    }
    await expect(run([1, 1], { output: new Float64Array(6) })).rejects.toMatchObject({
      message: 'output: expected a Float32Array, found Float64Array',
    });
    await expect(run([1, 1], { output: new Float32Array(5) })).rejects.toMatchObject({
      message: 'output: expected 6 elements (shape [2, 3]), found 5',
    });
    await expect(gaussianSmoothing(new Uint8Array(6) as never, [2, 3], { sigma: [1, 1] })).rejects.toMatchObject({
      message: 'values: expected a Float32Array or Float64Array, found Uint8Array',
    });
    await expect(run([1, 1], { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ERR_CANCELLED' });
  });
});

/** Of 1 / (index + 3), [3, 4], sigma 1.3 and 0.9. */
const BITS = [
  '3fcc24e1afa0d982',
  '3fc862e1ee9e44a9',
  '3fc4523d73693309',
  '3fc1f13a7f52e4ff',
  '3fc67854cc67c8ee',
  '3fc3d3922a5533e1',
  '3fc0ebb3d6ea37ad',
  '3fbe5f84a22aaf82',
  '3fc12c23d8ba22ca',
  '3fbf1945eaabc929',
  '3fbb6b3f66aa3553',
  '3fb924651b43e048',
];
