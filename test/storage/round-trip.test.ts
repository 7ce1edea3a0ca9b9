import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Roi } from '../../lib/geometry/roi.js';
import { ChunkedArray } from '../../lib/storage/chunked-array.js';
import { type ArrayCase, arrayCase, makeArray, regionData, value } from '../support/array-case.js';
import { PlainArray } from '../support/plain-array.js';
import { filesBelow, temporaryFolder } from '../support/stores.js';

const folder = temporaryFolder();
afterAll(folder.remove);
let arrays = 0;

const newArray = (one: ArrayCase) => makeArray(join(folder.path, `array-${arrays++}`), one);
const zeros = (shape: readonly number[]) => shape.map(() => 0);

describe('a stored array behaves as one in memory', () => {
  test('regions of any array, whatever the order of writes', async () => {
    await fc.assert(
      fc.asyncProperty(arrayCase, async (one) => {
        const array = await newArray(one);
        const twin = new PlainArray(one.shape, value(one.dataType, one.fill));
        for (const { box: region, seed, threads } of one.writes) {
          const extent = region.begin.map((first, axis) => region.end[axis] - first);
          const data = regionData(one.dataType, extent, seed);
          await array.writeRegion(region.begin, region.end, data, { durable: false, threads });
          twin.write(region.begin, region.end, data);
        }
        const opened = await ChunkedArray.open(array.path);
        for (const { begin, end } of [...one.reads, { begin: zeros(one.shape), end: one.shape }]) {
          expect([...(await opened.readRegion(begin, end))]).toEqual(twin.read(begin, end));
        }
      }),
      { seed: 20261122, numRuns: 200 },
    );
  });

  test('the bytes of a store depend on its content alone', async () => {
    await fc.assert(
      fc.asyncProperty(arrayCase, async (one) => {
        const [first, second] = [await newArray(one), await newArray(one)];
        for (const { box: region, seed, threads } of one.writes) {
          const extent = region.begin.map((from, axis) => region.end[axis] - from);
          const data = regionData(one.dataType, extent, seed);
          await first.writeRegion(region.begin, region.end, data, { durable: false, threads });
        }
        const content = await first.readRegion(zeros(one.shape), one.shape);
        await second.writeRegion(zeros(one.shape), one.shape, content, { durable: true, threads: 1 });
        expect(filesBelow(first.path)).toEqual(filesBelow(second.path));
      }),
      { seed: 20261122, numRuns: 100 },
    );
  });

  test('boxes of the world, also beyond the array', async () => {
    await fc.assert(
      fc.asyncProperty(
        arrayCase,
        fc.array(fc.tuple(fc.integer({ min: -5, max: 12 }), fc.nat(12)), { minLength: 5, maxLength: 5 }),
        fc.nat(3),
        async (one, boxes, outside) => {
          const array = await newArray(one);
          const twin = new PlainArray(one.shape, value(one.dataType, one.fill));
          const physical = boxes.slice(0, one.shape.length - one.channelAxes);
          const channels = one.shape.slice(0, one.channelAxes);
          const begin = [...zeros(channels), ...physical.map(([low]) => low)];
          const shape = [...channels, ...physical.map(([, length]) => length)];
          const end = begin.map((low, axis) => low + shape[axis]);
          const roi = new Roi(
            physical.map(([low]) => low * 3 - 6),
            physical.map(([, length]) => length * 3),
          );
          const data = regionData(one.dataType, shape, 7);
          await array.writeRoi(roi, data, { durable: false });
          twin.write(begin, end, data);
          expect([...(await array.readRegion(zeros(one.shape), one.shape))]).toEqual(twin.voxels);
          const fill = value(one.dataType, outside);
          const into = regionData(one.dataType, shape, 5);
          for (const options of [{ fill }, { fill, into }]) {
            const read = await array.readRoi(roi, options);
            expect(read.shape).toEqual(shape);
            expect([...read.data]).toEqual(twin.read(begin, end, fill));
          }
        },
      ),
      { seed: 20261122, numRuns: 100 },
    );
  });
});
