import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { segmentSizes } from '../../lib/native/segment-sizes.js';

test('every node gets the sum of its segment, whatever the ids', async () => {
  const id = fc.oneof(fc.bigInt({ min: 0n, max: 50n }), fc.bigInt({ min: 2n ** 32n, max: 2n ** 64n - 1n }));
  const nodes = fc.uniqueArray(fc.tuple(id, fc.nat(), fc.bigInt({ min: 0n, max: 2n ** 50n })), {
    selector: ([node]) => node,
    maxLength: 60,
  });
  await fc.assert(
    fc.asyncProperty(nodes, fc.integer({ min: 1, max: 8 }), async (rows, groups) => {
      rows.sort(([a], [b]) => (a < b ? -1 : 1));
      // the segment of a group is that of the member in the middle: any member will do
      const members = (of: number) => rows.filter(([, group]) => group % groups === of);
      const segmentOf = (group: number) => members(group % groups)[members(group % groups).length >> 1][0];
      const sizes = await segmentSizes(
        BigUint64Array.from(rows, ([node]) => node),
        BigUint64Array.from(rows, ([, group]) => segmentOf(group)),
        BigUint64Array.from(rows, ([, , size]) => size),
      );
      expect([...sizes]).toEqual(
        rows.map(([, group]) => members(group % groups).reduce((sum, [, , size]) => sum + size, 0n)),
      );
    }),
    { seed: 20250802, numRuns: 100 },
  );
});

test('bad input is named', async () => {
  const ids = BigUint64Array.of(1n, 5n, 9n);
  await expect(segmentSizes(ids, ids.slice(1), ids)).rejects.toMatchObject({
    code: 'ERR_ARGUMENT',
    message: 'segments: expected 3 elements, found 2',
  });
  await expect(segmentSizes(ids.toReversed(), ids, ids)).rejects.toMatchObject({
    code: 'ERR_ARGUMENT',
    message: expect.stringContaining('found 5 after 9 at 1'),
  });
  // no node; a node of another segment
  for (const [segments, found] of [
    [BigUint64Array.of(1n, 4n, 9n), 'found 4 at 1'],
    [BigUint64Array.of(5n, 9n, 9n), 'found 5 at 0'],
  ] as const) {
    await expect(segmentSizes(ids, segments, ids)).rejects.toMatchObject({
      code: 'ERR_ARGUMENT',
      message: expect.stringContaining(found),
    });
  }
  const signal = AbortSignal.abort();
  await expect(segmentSizes(ids, ids, ids, { signal })).rejects.toMatchObject({ code: 'ERR_CANCELLED' });
});
