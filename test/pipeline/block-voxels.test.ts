import { afterAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { BlockPlan } from '../../lib/blocks/plan.js';
import { Coordinate } from '../../lib/geometry/coordinate.js';
import { Roi } from '../../lib/geometry/roi.js';
import { blocksWithVoxels, cellsOfBlocks, voxelsOfBlocks } from '../../lib/pipeline/block-voxels.js';
import { ChunkedArray } from '../../lib/storage/chunked-array.js';
import type { DataType } from '../../lib/storage/data-type.js';
import { temporaryFolder } from '../support/stores.js';

const folder = temporaryFolder();
afterAll(folder.remove);
let made = 0;

async function volumeOf(
  shape: number[],
  place: { offset?: number[]; voxelSize?: number[]; channelAxes?: number; chunkShape?: number[]; dataType?: DataType },
  voxels: readonly number[][],
  value: number | bigint = 1,
): Promise<ChunkedArray> {
  const { channelAxes = 0, dataType = 'uint8' } = place;
  const physical = shape.length - channelAxes;
  const array = await ChunkedArray.create(`${folder.path}/a${made++}`, {
    shape,
    chunkShape: place.chunkShape ?? shape.map(() => 2),
    dataType,
    channelAxes,
    offset: new Coordinate(place.offset ?? Array.from({ length: physical }, () => 0)),
    voxelSize: new Coordinate(place.voxelSize ?? Array.from({ length: physical }, () => 1)),
    units: Array.from({ length: physical }, () => ''),
    axisNames: shape.map((_, i) => (i < channelAxes ? `c${i}^` : `d${i}`)),
    attributes: {},
  });
  for (const voxel of voxels) {
    const end = voxel.map((one) => one + 1);
    const data = await array.readRegion(voxel, end);
    (data as unknown as (number | bigint)[])[0] = value;
    await array.writeRegion(voxel, end, data);
  }
  return array;
}

const plan = (shape: number[], blockShape: number[], offset = shape.map(() => 0)) =>
  new BlockPlan({ totalWriteRoi: new Roi(offset, shape), blockShape });

const all = (blocks: BlockPlan) => new Uint8Array(blocks.count).fill(1);

async function inWorld(volume: ChunkedArray, blocks: BlockPlan, first = 0, open = all(blocks)) {
  const voxels = voxelsOfBlocks(blocks, volume.metadata);
  return [...(await blocksWithVoxels(volume, { plan: blocks, voxels }, first, open))];
}

describe('blocks with voxels', () => {
  test('of an array with coarser voxels, that begins elsewhere', async () => {
    // voxels of 3 from 2 on; the second covers [5, 8), so the blocks [4, 6) and [6, 8)
    const volume = await volumeOf([4], { offset: [2], voxelSize: [3] }, [[1]]);
    expect(await inWorld(volume, plan([16], [2]))).toEqual([0, 0, 1, 1, 0, 0, 0, 0]);
  });

  test('in any channel, of any type, NaN included', async () => {
    const blocks = plan([2, 4], [2, 2]);
    expect(await inWorld(await volumeOf([3, 2, 4], { channelAxes: 1 }, [[2, 1, 3]]), blocks)).toEqual([0, 1]);
    const big = await volumeOf([2, 4], { dataType: 'uint64' }, [[0, 0]], 2n ** 63n);
    expect(await inWorld(big, blocks)).toEqual([1, 0]);
    const none = await volumeOf([2, 4], { dataType: 'uint64' }, []);
    expect(await inWorld(none, blocks)).toEqual([0, 0]);
    const nan = await volumeOf([2, 4], { dataType: 'float32' }, [[0, 2]], Number.NaN);
    expect(await inWorld(nan, blocks)).toEqual([0, 1]);
    const negative = await volumeOf([2, 4], { dataType: 'int16' }, [[0, 2]], -1);
    expect(await inWorld(negative, blocks)).toEqual([0, 1]);
  });

  test('outside of the array are none', async () => {
    const volume = await volumeOf([2, 2], { offset: [10, 10] }, [[0, 0]]);
    expect(await inWorld(volume, plan([4, 4], [2, 2]))).toEqual([0, 0, 0, 0]);
    expect(await inWorld(volume, plan([4, 4], [2, 2], [9, 9]))).toEqual([1, 0, 0, 0]);
  });

  test('are looked for in no chunk that tells nothing new', async () => {
    const volume = await volumeOf([8], {}, [[0], [5], [7]]);
    const read: number[][] = [];
    const spy = Object.create(volume, {
      readRegion: {
        value: (begin: number[], end: number[]) => {
          read.push([begin[0], end[0]]);
          return volume.readRegion(begin, end);
        },
      },
    }) as ChunkedArray;
    const open = Uint8Array.of(0, 1);
    expect(await inWorld(spy, plan([8], [4]), 0, open)).toEqual([0, 1]);
    expect(read).toEqual([[4, 8]]);
    expect(await inWorld(spy, plan([8], [4]), 0, new Uint8Array(2))).toEqual([0, 0]);
    expect(read.length).toBe(1);
  });

  test('one cell a block', async () => {
    const blocks = plan([4, 6], [2, 2]);
    const volume = await volumeOf([2, 3], {}, [
      [0, 1],
      [1, 2],
    ]);
    const voxels = cellsOfBlocks(blocks);
    expect([...(await blocksWithVoxels(volume, { plan: blocks, voxels }, 0, all(blocks)))]).toEqual([0, 1, 0, 0, 0, 1]);
    const second = await blocksWithVoxels(volume, { plan: blocks, voxels }, 3, Uint8Array.of(1, 1, 1));
    expect([...second]).toEqual([0, 0, 1]);
  });

  test('equal those of a slow twin', async () => {
    const extent = fc.integer({ min: 1, max: 7 });
    const axis = fc.record({
      size: extent,
      chunk: fc.integer({ min: 1, max: 4 }),
      voxelSize: fc.integer({ min: 1, max: 4 }),
      offset: fc.integer({ min: -6, max: 6 }),
      total: fc.integer({ min: 1, max: 14 }),
      block: fc.integer({ min: 1, max: 5 }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(axis, { minLength: 1, maxLength: 3 }),
        fc.array(fc.nat(1000), { maxLength: 4 }),
        fc.array(fc.boolean(), { minLength: 1, maxLength: 20 }),
        fc.nat(3),
        async (axes, picks, asked, skipFirst) => {
          const shape = axes.map(({ size }) => size);
          const voxels = picks.map((pick) => shape.map((size, i) => Math.floor(pick / (i * 7 + 1)) % size));
          const volume = await volumeOf(
            shape,
            {
              offset: axes.map(({ offset }) => offset),
              voxelSize: axes.map(({ voxelSize }) => voxelSize),
              chunkShape: axes.map(({ chunk, size }) => Math.min(chunk, size)),
            },
            voxels,
          );
          const blocks = plan(
            axes.map(({ total }) => total),
            axes.map(({ block }) => block),
          );
          const first = Math.min(skipFirst, blocks.count - 1);
          const open = Uint8Array.from({ length: blocks.count - first }, (_, i) => (asked[i % asked.length] ? 1 : 0));
          const { offset, voxelSize } = volume.metadata;
          const boxes = voxels.map((voxel) => new Roi(voxelSize.multiply(voxel).add(offset), voxelSize));
          const expected = [...open].map((one, i) => {
            const { writeRoi } = blocks.block(first + i);
            return one === 1 && boxes.some((box) => box.overlaps(writeRoi)) ? 1 : 0;
          });
          expect(await inWorld(volume, blocks, first, open)).toEqual(expected);
        },
      ),
      { numRuns: 60 },
    );
  });
});
