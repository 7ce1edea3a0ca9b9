import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { samePartition } from '../../benchmarks/partition.js';
import { compareArrays } from '../../lib/compare/compare-arrays.js';
import { matchLabels } from '../../lib/compare/label-matches.js';
import { contingencyTable } from '../../lib/native/contingency-table.js';
import { ChunkedArray } from '../../lib/storage/chunked-array.js';
import type { DataType, TypedArray } from '../../lib/storage/metadata.js';
import { metadataOf } from '../support/small-volume.js';
import { temporaryFolder } from '../support/stores.js';

const folder = temporaryFolder();
afterAll(folder.remove);

let serial = 0;
async function labelArray(
  data: TypedArray,
  shape: readonly number[],
  dataType: DataType = 'uint64',
): Promise<ChunkedArray> {
  const path = join(folder.path, `labels-${serial++}`);
  const array = await ChunkedArray.create(path, metadataOf({ shape, chunkShape: [3, 4, 4], dataType }));
  await array.writeRegion([0, 0, 0], shape, data, { durable: false });
  return array;
}

describe('labels that match', () => {
  const match = async (a: readonly number[], b: readonly number[], limit = 10) =>
    matchLabels(await contingencyTable(BigUint64Array.from(a, BigInt), BigUint64Array.from(b, BigInt)), limit);

  test('one to one, whatever the ids: nothing differs', async () => {
    expect(await match([0, 1, 1, 2, 3], [0, 9, 9, 1, 2])).toMatchObject({
      different: 0,
      labelsA: 3,
      labelsB: 3,
      worst: [],
    });
  });

  test('a split label: the smaller part is broken', async () => {
    expect(await match([5, 5, 5, 6], [1, 1, 2, 3])).toEqual({
      labelsA: 2,
      labelsB: 3,
      different: 1,
      split: 1,
      merged: 0,
      background: 0,
      brokenPairs: 1,
      worst: [
        {
          a: 5n,
          b: 2n,
          count: 1,
          place: 2,
          matchOfA: { label: 1n, count: 2 },
          matchOfB: { label: 5n, count: 1 },
        },
      ],
    });
  });

  test('merged labels, and ties to the lower id', async () => {
    expect(await match([1, 2, 3], [7, 7, 8])).toMatchObject({
      different: 1,
      split: 0,
      merged: 1,
      worst: [{ a: 2n, b: 7n, matchOfB: { label: 1n } }],
    });
  });

  test('background is with background alone', async () => {
    expect(await match([0, 0, 1], [4, 4, 0])).toMatchObject({ different: 3, background: 3, split: 0, brokenPairs: 2 });
    expect(await match([0, 0, 1], [0, 4, 4])).toMatchObject({ different: 1, background: 1 });
  });

  test('nothing of nothing', async () => {
    expect(await match([], [])).toMatchObject({ different: 0, labelsA: 0, brokenPairs: 0 });
  });

  test('the largest are listed, most first', async () => {
    const found = await match([1, 1, 1, 1, 1, 1, 1], [1, 1, 1, 2, 2, 3, 4], 2);
    expect(found.worst.map(({ b, count }) => [b, count])).toEqual([
      [2n, 2],
      [3n, 1],
    ]);
    expect(found).toMatchObject({ different: 4, brokenPairs: 3 });
  });
});

describe('arrays', () => {
  test('are equal as a partition exactly where a plain loop says so, whatever the blocks', async () => {
    const labels = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 60, maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(
        labels,
        fc.constantFrom<number[]>([0, 1, 2, 3], [0, 3, 1, 2], [0, 7, 7, 8], [1, 0, 2, 3]),
        fc.option(fc.tuple(fc.nat(59), fc.nat(4)), { nil: undefined }),
        fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 5 })),
        async (values, ids, change, blockShape) => {
          const other = values.map((label) => ids[label]);
          if (change !== undefined) other[change[0]] = change[1];
          const [a, b] = [BigUint64Array.from(values, BigInt), BigUint64Array.from(other, BigInt)];
          const [one, two] = [await labelArray(a, [3, 4, 5]), await labelArray(b, [3, 4, 5])];
          const result = await compareArrays(one, two, { partition: true, blockShape, limit: 100 });
          expect(result.equal).toBe(samePartition(a, b));
          const { worst, different, brokenPairs } = result.partition!;
          expect(worst.length).toBe(brokenPairs);
          expect(worst.reduce((sum, { count }) => sum + count, 0)).toBe(different);
          for (const { a: labelA, b: labelB, index, count } of worst) {
            const place = (index[0] * 4 + index[1]) * 5 + index[2];
            expect([a[place], b[place]]).toEqual([labelA, labelB]);
            expect(a.filter((label, at) => label === labelA && b[at] === labelB).length).toBe(count);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  test('labels of any integer type and size', async () => {
    const ids = [0n, 2n ** 63n, 2n ** 64n - 1n, 5n];
    const small = Uint8Array.from({ length: 60 }, (_, at) => at % 4);
    const signed = Int16Array.from(small, (label) => [0, 1, 300, 30_000][label]);
    const a = await labelArray(small, [3, 4, 5], 'uint8');
    const b = await labelArray(
      BigUint64Array.from(small, (label) => ids[label]),
      [3, 4, 5],
    );
    const c = await labelArray(signed, [3, 4, 5], 'int16');
    for (const other of [b, c]) {
      const result = await compareArrays(a, other, { partition: true });
      expect(result).toMatchObject({
        equal: true,
        sense: 'partition',
        partition: { labelsA: 3, labelsB: 3, voxels: 60 },
      });
    }
  });

  test('floats and negative labels are refused', async () => {
    const a = await labelArray(new Float32Array(60), [3, 4, 5], 'float32');
    await expect(compareArrays(a, a, { partition: true })).rejects.toMatchObject({
      code: 'ERR_ARGUMENT',
      message: expect.stringContaining('expected labels of an integer type to compare as a partition, found float32'),
    });
    const negative = await labelArray(new Int32Array(60).fill(-1), [3, 4, 5], 'int32');
    await expect(compareArrays(negative, negative, { partition: true })).rejects.toThrow(
      'expected labels of at least 0',
    );
  });
});
