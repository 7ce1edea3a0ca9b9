import { afterAll, afterEach, describe, expect, jest, test } from '@jest/globals';
import { Coordinate } from '../../lib/geometry/coordinate.js';
import { Roi } from '../../lib/geometry/roi.js';
import { ChunkedArray } from '../../lib/storage/chunked-array.js';
import { bytesOf, type DataType } from '../../lib/storage/data-type.js';
import { temporaryFolder } from '../support/stores.js';

// New memory of a region is not zeroed: whatever was there before must be overwritten, by chunks, fill value or zeros.
const folder = temporaryFolder();
afterAll(folder.remove);
afterEach(() => {
  jest.restoreAllMocks();
});

const SHAPE = [5, 9];

async function array(name: string, dataType: DataType, shardShape?: number[]): Promise<ChunkedArray> {
  const path = `${folder.path}/${name}`;
  const place = { offset: new Coordinate([0, 0]), voxelSize: new Coordinate([1, 1]), units: ['', ''] };
  const shards = shardShape === undefined ? {} : { shardShape };
  const chunks = { shape: SHAPE, chunkShape: [2, 4], ...shards, dataType, channelAxes: 0 };
  return ChunkedArray.create(path, { ...chunks, ...place, axisNames: ['y', 'x'], attributes: {} }, { fillValue: 3 });
}

function fromUsedMemory(): void {
  jest.spyOn(Buffer, 'allocUnsafeSlow').mockImplementation((size) => Buffer.alloc(size, 0xa5));
}

describe.each([
  ['chunks', 'uint8', undefined],
  ['shards', 'uint8', [4, 8]],
  ['half precision', 'float16', undefined],
] as const)('%s', (name, dataType, shardShape) => {
  test('what no chunk holds is the fill value, what lies outside the array zero', async () => {
    const target = await array(name, dataType, shardShape?.slice());
    const one = await target.readRegion([0, 0], [1, 1]);
    one.fill(7 as never);
    await target.writeRegion([3, 5], [4, 6], one);
    fromUsedMemory();

    const expected = (y: number, x: number) => (y === 3 && x === 5 ? 7 : y < 5 && x < 9 ? 3 : 0);
    const inside = await target.readRegion([0, 0], SHAPE);
    expect(Buffer.allocUnsafeSlow).toHaveBeenCalledTimes(1);
    expect(Array.from(inside as Uint8Array)).toEqual(
      Array.from(inside as Uint8Array, (_, i) => expected(Math.floor(i / 9), i % 9)),
    );

    const { data } = await target.readRoi(new Roi([2, 3], [6, 8]));
    expect(Array.from(data as Uint8Array)).toEqual(
      Array.from(data as Uint8Array, (_, i) => expected(2 + Math.floor(i / 8), 3 + (i % 8))),
    );
    const { data: outside } = await target.readRoi(new Roi([20, 20], [2, 2]));
    expect(bytesOf(outside).every((byte) => byte === 0)).toBe(true);
  });
});
