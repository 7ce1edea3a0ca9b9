import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type ComparedArray, compareVoxels } from '../../lib/native/compare-voxels.js';

describe('compareVoxels', () => {
  test('counts, finds and boxes differences', async () => {
    const a = Float32Array.of(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11);
    const b = a.slice();
    b[1] = 1.5;
    b[6] = 9;
    b[7] = Number.NaN;
    const found = await compareVoxels(a, b, [3, 4], { tolerance: 1, limit: 1, planesAlong: 0 });
    expect(found).toEqual({
      unequal: 3,
      different: 2,
      notNumbers: 1,
      largest: 3,
      largestAt: 6,
      first: Float64Array.of(6),
      begin: Float64Array.of(1, 2),
      end: Float64Array.of(2, 4),
      planes: Float64Array.of(0, 2, 0),
    });
    const exact = await compareVoxels(a, b, [3, 4], { planesAlong: 1 });
    expect(exact).toMatchObject({ different: 3, first: Float64Array.of(1, 6, 7), planes: Float64Array.of(0, 1, 1, 1) });
  });

  test('NaN equals NaN, infinity itself, 0 equals -0', async () => {
    const { NaN: nan, POSITIVE_INFINITY: infinity } = Number;
    const a = Float64Array.of(nan, infinity, -infinity, 0, infinity);
    const found = await compareVoxels(a, Float64Array.of(nan, infinity, -infinity, -0, 1), [5]);
    expect(found).toMatchObject({ unequal: 1, largest: infinity, largestAt: 4 });
  });

  test('integers of two types are compared exactly', async () => {
    const huge = 2n ** 64n - 1n;
    const found = await compareVoxels(BigUint64Array.of(huge, huge, 7n), BigInt64Array.of(-1n, -(2n ** 63n), 7n), [3]);
    expect(found).toMatchObject({ unequal: 2, largest: Number(huge + 2n ** 63n), largestAt: 1 });
    const labels = await compareVoxels(Uint8Array.of(0, 200), BigUint64Array.of(0n, 2n ** 32n + 200n), [2]);
    expect(labels).toMatchObject({ unequal: 1, largest: 2 ** 32 });
  });

  const arrays = {
    uint8: (values: readonly number[]) => Uint8Array.from(values),
    int8: (values: readonly number[]) => Int8Array.from(values),
    uint16: (values: readonly number[]) => Uint16Array.from(values),
    int16: (values: readonly number[]) => Int16Array.from(values),
    uint32: (values: readonly number[]) => Uint32Array.from(values),
    int32: (values: readonly number[]) => Int32Array.from(values),
    uint64: (values: readonly number[]) => BigUint64Array.from(values, BigInt),
    int64: (values: readonly number[]) => BigInt64Array.from(values, BigInt),
    float32: (values: readonly number[]) => Float32Array.from(values),
    float64: (values: readonly number[]) => Float64Array.from(values),
  };
  const type = fc.constantFrom(...Object.values(arrays));

  test('any two types give what a plain loop gives', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 6 })),
        fc.array(fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 3 })), {
          minLength: 120,
          maxLength: 120,
        }),
        type,
        type,
        fc.integer({ min: 0, max: 2 }),
        async (shape, pairs, makeA, makeB, tolerance) => {
          const count = shape.reduce((product, extent) => product * extent, 1);
          const [left, right] = [0, 1].map((side) => pairs.slice(0, count).map((pair) => pair[side]));
          const [a, b]: ComparedArray[] = [makeA(left), makeB(right)];
          const found = await compareVoxels(a, b, shape, { tolerance, limit: count });
          const differences = left.map((value, at) => Math.abs(value - right[at]));
          const different = [...differences.keys()].filter((at) => differences[at] > tolerance);
          expect(found.unequal).toBe(differences.filter((difference) => difference > 0).length);
          expect([...found.first]).toEqual(different);
          expect(found.largest).toBe(Math.max(...differences));
          expect(found.planes.reduce((sum, plane) => sum + plane, 0)).toBe(different.length);
        },
      ),
      { numRuns: 200 },
    );
  });

  test('wrong arguments are refused', async () => {
    const one = Uint8Array.of(1);
    await expect(compareVoxels(one, one, [2])).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
    await expect(compareVoxels(one, Uint8Array.of(1, 2), [1])).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
    await expect(compareVoxels(one, one, [1], { tolerance: -1 })).rejects.toThrow(
      'tolerance: expected a number, 0 or more',
    );
    await expect(compareVoxels(one, one, [1], { planesAlong: 1 })).rejects.toThrow('planesAlong: expected an axis');
    await expect(compareVoxels([1] as unknown as Uint8Array, one, [1])).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
  });

  test('is cancelled', async () => {
    const { signal } = { signal: AbortSignal.abort() };
    const one = Uint8Array.of(1);
    await expect(compareVoxels(one, one, [1], { signal })).rejects.toMatchObject({ code: 'ERR_CANCELLED' });
  });
});
