import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type ThresholdValues, threshold } from '../../lib/native/threshold.js';
import { goldens, readJson, readNpz } from '../support/goldens.js';
import { seededRandom } from '../support/seeded-random.js';

const TYPES = {
  uint8: Uint8Array,
  int8: Int8Array,
  uint16: Uint16Array,
  int16: Int16Array,
  uint32: Uint32Array,
  int32: Int32Array,
  float32: Float32Array,
  float64: Float64Array,
} as const;

interface Case {
  readonly name: string;
  readonly threshold: number;
  readonly scaleShift?: [number, number];
  readonly ones: number;
}

describe('threshold', () => {
  const cases = readJson<Case[]>(join(goldens, 'threshold/index.json'));
  test.each(cases)('equals the golden $name', async ({ name, threshold: limit, scaleShift, ones }) => {
    const { image, mask } = readNpz(join(goldens, `threshold/${name}.npz`));
    const [scale, shift] = scaleShift ?? [1, 0];
    const found = await threshold(image.data as ThresholdValues, limit, { scale, shift });
    expect(found).toEqual(mask.data);
    expect(found.reduce((sum, one) => sum + one, 0)).toBe(ones);
  });

  test('equals the plain version for any type and limit, over threads', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...(Object.keys(TYPES) as (keyof typeof TYPES)[])),
        fc.nat(3000),
        fc.oneof(
          fc.double({ noNaN: true }),
          fc.double({ min: -4, max: 4, noNaN: true }),
          fc.integer({ min: -300, max: 300 }),
        ),
        fc.nat(1000),
        async (type, count, limit, seed) => {
          const random = seededRandom(seed);
          const values = new TYPES[type](count).map(() => (random() < 0.05 ? Number.NaN : random() * 600 - 300));
          const rounded = type === 'float32' ? Math.fround(limit) : limit;
          const expected = Uint8Array.from(values as Float64Array, (value) => (value > rounded ? 1 : 0));
          expect(await threshold(values, limit, { threads: 2 })).toEqual(expected);
        },
      ),
      { seed: 8, numRuns: 100 },
    );
  });

  test('integers of 64 bits exactly', async () => {
    const values = BigUint64Array.of(2n ** 53n, 2n ** 53n + 1n, 2n ** 64n - 1n, 0n);
    expect(await threshold(values, 2 ** 53)).toEqual(Uint8Array.of(0, 1, 1, 0));
    expect(await threshold(BigInt64Array.of(-1n, 0n, -(2n ** 63n)), -1)).toEqual(Uint8Array.of(0, 1, 0));
  });

  test('scale and shift come first; the result may go into the values', async () => {
    const values = Uint8Array.of(0, 127, 128, 255);
    expect(await threshold(values, 0.5, { scale: 1 / 255 })).toEqual(Uint8Array.of(0, 0, 1, 1));
    expect(await threshold(values, -128, { shift: -255 })).toEqual(Uint8Array.of(0, 0, 1, 1));
    expect(await threshold(values, 127, { output: values })).toBe(values);
    expect(values).toEqual(Uint8Array.of(0, 0, 1, 1));
    expect(await threshold(new Float32Array(0), 1)).toEqual(new Uint8Array(0));
  });

  test('bad input is named; an abort is heard', async () => {
    await expect(threshold(new Uint8Array(2), Number.NaN)).rejects.toThrow('limit: expected a number, found NaN');
    await expect(threshold(new Uint8Array(2), 1, { scale: Number.NaN })).rejects.toThrow('scale: expected a number');
    await expect(threshold(new Uint8Array(2), 1, { output: new Uint8Array(3) })).rejects.toThrow(
      'output: expected 2 elements, found 3',
    );
    await expect(threshold([1, 2] as never, 1)).rejects.toThrow('found Array');
    const refusal = threshold(new Uint8Array(2), 1, { signal: AbortSignal.abort() });
    await expect(refusal).rejects.toMatchObject({ code: 'ERR_CANCELLED' });
  });
});
