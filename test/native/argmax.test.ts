import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type ArgmaxOptions, argmax, type ChannelValues } from '../../lib/native/argmax.js';
import { goldens, readJson, readNpz } from '../support/goldens.js';
import { toLabels } from '../support/labels.js';
import { seededRandom } from '../support/seeded-random.js';

/** The plain version: every voxel, every class, sums channel by channel. */
function naive(
  values: ChannelValues,
  [channels, ...spatial]: readonly number[],
  combineClasses?: number[][],
): number[] {
  const voxels = spatial.reduce((a, b) => a * b, 1);
  const groups = combineClasses ?? Array.from({ length: channels }, (_, channel) => [channel]);
  const round = Object.prototype.toString.call(values) === '[object Float32Array]' ? Math.fround : Number;
  return Array.from({ length: voxels }, (_, voxel) => {
    let best = 0;
    let highest = Number.NEGATIVE_INFINITY;
    for (const [number, group] of groups.entries()) {
      const sum = group.map((channel) => values[channel * voxels + voxel]).reduce((a, b) => round(a + b));
      if (Number.isNaN(highest)) break;
      if (number > 0 && !(Number.isNaN(sum) || sum > highest)) continue;
      [best, highest] = [number, sum];
    }
    return best;
  });
}

/** Few different values, so that there are ties, the ends of the type among them. */
const MAKERS: Readonly<Record<string, (count: number, random: () => number) => ChannelValues>> = {
  uint8: (n, random) => Uint8Array.from({ length: n }, () => [0, 1, 254, 255][Math.floor(random() * 4)]),
  int8: (n, random) => Int8Array.from({ length: n }, () => [-128, -1, 0, 127][Math.floor(random() * 4)]),
  uint16: (n, random) => Uint16Array.from({ length: n }, () => 65533 + random() * 3),
  int16: (n, random) => Int16Array.from({ length: n }, () => random() * 4 - 2),
  uint32: (n, random) => Uint32Array.from({ length: n }, () => 2 ** 32 - 1 - Math.floor(random() * 3)),
  int32: (n, random) => Int32Array.from({ length: n }, () => -(2 ** 31) + Math.floor(random() * 3)),
  float32: (n, random) =>
    Float32Array.from(
      { length: n },
      () => [Number.NaN, -Infinity, Infinity, 0.1, 0.7, -0][Math.floor(random() * 12)] ?? random(),
    ),
  float64: (n, random) =>
    Float64Array.from({ length: n }, () => (random() < 0.1 ? Number.NaN : Math.floor(random() * 4) / 3)),
};

describe('argmax', () => {
  const cases = readJson<{ name: string; combineClasses?: number[][] }[]>(join(goldens, 'argmax/index.json'));
  test.each(cases)('equals the golden $name', async ({ name, combineClasses }) => {
    const golden = readNpz(join(goldens, `argmax/${name}.npz`));
    const { data, shape } = golden.probabilities;
    const found = await argmax(data as ChannelValues, shape, { combineClasses });
    expect(toLabels(found as Uint8Array)).toEqual(golden.argmax.data);
  });

  test.each(Object.keys(MAKERS))(
    '%s: equals the plain version, with groups and without, over threads',
    async (type) => {
      await fc.assert(
        fc.asyncProperty(
          fc.integer({ min: 1, max: 9 }),
          fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 2 }),
          fc.option(fc.array(fc.array(fc.nat(8), { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 5 }), {
            nil: undefined,
          }),
          fc.nat(1000),
          async (channels, spatial, groups, seed) => {
            const shape = [channels, ...spatial];
            const combineClasses = groups?.map((group) => group.map((channel) => channel % channels));
            const values = MAKERS[type](
              shape.reduce((a, b) => a * b, 1),
              seededRandom(seed),
            );
            const expected = naive(values, shape, combineClasses);
            expect([...(await argmax(values, shape, { combineClasses, threads: 3 }))]).toEqual(expected);
          },
        ),
        { seed: 6, numRuns: 60 },
      );
    },
  );

  test('more voxels than a thread takes at once: the same for any number of threads', async () => {
    const shape = [3, 150_001];
    const random = seededRandom(9);
    const values = Float32Array.from({ length: 450_003 }, () => Math.floor(random() * 5));
    const expected = naive(values, shape);
    for (const threads of [1, 2, 8]) expect([...(await argmax(values, shape, { threads }))]).toEqual(expected);
  });

  test('hundreds of classes: bytes, wider numbers, sums that bytes cannot hold', async () => {
    const values = new Uint8Array(300 * 2);
    values[2 * 299] = 7;
    values[2 * 255 + 1] = 7;
    const found = await argmax(values, [300, 2]);
    expect(found).toEqual(Uint16Array.of(299, 255));
    const output = new BigUint64Array(2).fill(99n);
    expect(await argmax(values, [300, 2], { output })).toBe(output);
    expect(output).toEqual(BigUint64Array.of(299n, 255n));
    expect(await argmax(Float64Array.of(1, 2, 2), [3], { output: new Uint32Array(1) })).toEqual(Uint32Array.of(1));
    // 200 + 100 > 255 > 0
    expect(await argmax(Uint8Array.of(200, 100, 255), [3, 1], { combineClasses: [[2], [0, 1]] })).toEqual(
      Uint8Array.of(1),
    );
  });

  test('no voxels', async () => {
    expect(await argmax(new Float32Array(0), [3, 0, 5])).toEqual(new Uint8Array(0));
  });

  test.each<[string, readonly number[], ArgmaxOptions, string]>([
    ['no channel', [0, 6], {}, 'shape: expected at least one channel, found [0, 6]'],
    ['no class', [2, 3], { combineClasses: [] }, 'combineClasses: expected 1 to 65536 classes, found 0'],
    [
      'an empty class',
      [2, 3],
      { combineClasses: [[0], []] },
      'combineClasses: expected channels in [0, 2), at least one a class, found []',
    ],
    [
      'a channel that is not there',
      [2, 3],
      { combineClasses: [[2]] },
      'combineClasses: expected channels in [0, 2), at least one a class, found [2]',
    ],
    ['another length', [2, 4], {}, 'values: expected 8 elements (shape [2, 4]), found 6'],
    ['an output of another length', [2, 3], { output: new Uint8Array(6) }, 'output: expected 3 elements, found 6'],
    [
      'an output of another type',
      [2, 3],
      { output: new Int8Array(3) as never },
      'output: expected a Uint8Array or Uint16Array',
    ],
    ['no thread', [2, 3], { threads: 0 }, 'threads: expected a whole number in [1, 1024], found 0'],
  ])('%s is refused', async (_, shape, options, message) => {
    const refusal = argmax(new Float32Array(shape[0] === 0 ? 0 : 6), shape, options);
    await expect(refusal).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
    await expect(refusal).rejects.toThrow(message);
  });

  test('integers of 64 bits are refused; bytes do not hold 300 classes', async () => {
    await expect(argmax(new BigInt64Array(6) as never, [2, 3])).rejects.toThrow('found BigInt64Array');
    await expect(argmax(new Uint8Array(300), [300, 1], { output: new Uint8Array(1) })).rejects.toThrow(
      'output: expected numbers wide enough for 300 classes, found a Uint8Array',
    );
  });

  test('an abort is heard', async () => {
    const refusal = argmax(new Uint8Array(6), [2, 3], { signal: AbortSignal.abort() });
    await expect(refusal).rejects.toMatchObject({ code: 'ERR_CANCELLED' });
  });
});
