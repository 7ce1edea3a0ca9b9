import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { codeOf } from '../../lib/errors.js';
import { ChunkedArray } from '../../lib/storage/chunked-array.js';
import type { TypedArray } from '../../lib/storage/data-type.js';
import { noise } from '../support/noise.js';
import { temporaryFolder } from '../support/stores.js';

const folder = temporaryFolder();
afterAll(folder.remove);
let arrays = 0;

interface Options {
  readonly order?: 'C' | 'F';
  readonly blockSize?: number;
  readonly type?: 'uint8' | 'uint16';
  readonly chunk?: readonly number[];
}

const SHAPE = [20, 15, 33];

/** A zarr v2 array, whose metadata name the size of blosc's blocks and the order of the items. */
async function newArray({ order = 'C', blockSize = 512, type = 'uint16', chunk = SHAPE }: Options = {}) {
  const path = join(folder.path, `array-${arrays++}`);
  const metadata = {
    zarr_format: 2,
    shape: SHAPE,
    chunks: chunk,
    dtype: type === 'uint8' ? '|u1' : '<u2',
    fill_value: 0,
    order,
    filters: null,
    dimension_separator: '.',
    compressor: { id: 'blosc', cname: 'zstd', clevel: 5, shuffle: 1, blocksize: blockSize },
  };
  mkdirSync(path);
  writeFileSync(join(path, '.zarray'), JSON.stringify(metadata));
  const voxels = SHAPE[0] * SHAPE[1] * SHAPE[2];
  const bytes = noise(3, type === 'uint8' ? voxels : 2 * voxels).map((byte) => byte & 31);
  const data = type === 'uint8' ? bytes : new Uint16Array(bytes.buffer, bytes.byteOffset, voxels);
  const array = await ChunkedArray.open(path);
  await array.writeRegion([0, 0, 0], SHAPE, data);
  return { array, data, file: (key: string) => join(path, key) };
}

/** The voxels of a box of `data`. */
function boxOf(data: TypedArray, begin: readonly number[], end: readonly number[]): number[] {
  const voxels: number[] = [];
  for (let z = begin[0]; z < end[0]; z++) {
    for (let y = begin[1]; y < end[1]; y++) {
      for (let x = begin[2]; x < end[2]; x++) voxels.push(Number(data[(z * SHAPE[1] + y) * SHAPE[2] + x]));
    }
  }
  return voxels;
}

const REGIONS = [
  [
    [0, 0, 0],
    [1, 1, 1],
  ],
  [
    [19, 14, 32],
    [20, 15, 33],
  ],
  [
    [7, 0, 0],
    [9, 15, 33],
  ],
  [
    [0, 3, 0],
    [20, 4, 33],
  ],
  [
    [0, 0, 30],
    [20, 15, 31],
  ],
  [
    [3, 2, 5],
    [17, 13, 29],
  ],
  [
    [1, 0, 0],
    [20, 15, 33],
  ],
] as const;

/** Size of a block and how many there are, by the header of a blosc chunk. */
function blocksOf(chunk: Buffer): { size: number; count: number } {
  const size = chunk.readUInt32LE(8);
  return { size, count: Math.ceil(chunk.readUInt32LE(4) / size) };
}

describe('a region in a blosc chunk of many blocks', () => {
  test.each<Options>([
    {},
    { order: 'F' },
    { type: 'uint8', blockSize: 256 },
    { type: 'uint8', order: 'F', blockSize: 4096 },
    { chunk: [7, 15, 9] },
    { chunk: [16, 4, 33], order: 'F' },
  ])('%j: has its voxels', async (options) => {
    const { array, data, file } = await newArray(options);
    expect(blocksOf(readFileSync(file('0.0.0'))).count).toBeGreaterThan(2);
    for (const [begin, end] of REGIONS) {
      expect([...(await array.readRegion(begin, end))].map(Number)).toEqual(boxOf(data, begin, end));
    }
  });

  test('does not depend on the blocks beside it, and a read of the whole chunk names the damage', async () => {
    const { array, data, file } = await newArray();
    const chunk = readFileSync(file('0.0.0'));
    const { size, count } = blocksOf(chunk);
    const [first, second] = [16, 20].map((at) => chunk.readUInt32LE(at));
    chunk.fill(0xff, first + 4, Math.min(first + 40, second));
    writeFileSync(file('0.0.0'), chunk);
    // Behind the first block, 15 * 33 voxels of 2 bytes a plane; of most of a chunk the whole is decoded.
    const plane = 10;
    expect(plane * 2 * 15 * 33).toBeGreaterThanOrEqual(size);
    expect(count).toBeGreaterThan(2);
    for (const begin of [
      [plane, 0, 0],
      [plane + 1, 2, 3],
    ]) {
      expect([...(await array.readRegion(begin, SHAPE))].map(Number)).toEqual(boxOf(data, begin, SHAPE));
    }
    for (const end of [SHAPE, [1, 1, 1]]) {
      const error: unknown = await array.readRegion([0, 0, 0], end).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(codeOf(error)).toBe('ERR_CHUNK_CORRUPT');
      expect((error as { message: string }).message).toContain(
        `chunk 0.0.0 of ${array.path} is damaged: blosc: bad data`,
      );
    }
    // Writing a part of the chunk keeps the rest of it, so all of it must be there.
    await expect(array.writeRegion([19, 0, 0], SHAPE, new Uint16Array(15 * 33))).rejects.toMatchObject({
      code: 'ERR_CHUNK_CORRUPT',
    });
  });
});
