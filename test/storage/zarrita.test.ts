import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import * as zarr from 'zarrita';
import { Coordinate } from '../../lib/geometry/coordinate.js';
import { ChunkedArray } from '../../lib/storage/chunked-array.js';
import type { Compressor } from '../../lib/storage/compressor.js';
import type { DataType } from '../../lib/storage/data-type.js';
import { filesBelow, temporaryFolder } from '../support/stores.js';

const folder = temporaryFolder();
afterAll(folder.remove);

const CASES: [string, Compressor, DataType, number | bigint][] = [
  ['zstd', { name: 'zstd' }, 'uint64', 7n],
  ['gzip', { name: 'gzip' }, 'int16', -7],
  ['blosc lz4, bytes shuffled', { name: 'blosc' }, 'float32', Number.NaN],
  ['blosc zstd, bits shuffled', { name: 'blosc', compressor: 'zstd', shuffle: 'bits' }, 'uint8', 3],
  ['no compression', { name: 'none' }, 'bool', 1],
];

test.each(CASES)('zarrita reads what we write: %s', async (name, compressor, dataType, fillValue) => {
  const path = join(folder.path, name);
  const metadata = {
    shape: [2, 9, 7],
    chunkShape: [2, 4, 4],
    dataType,
    channelAxes: 1,
    offset: new Coordinate([80, -12]),
    voxelSize: new Coordinate([8, 4]),
    units: ['nm', 'nm'],
    axisNames: ['c^', 'y', 'x'],
    attributes: { neighborhood: [[0, 1]] },
  };
  const array = await ChunkedArray.create(path, metadata, { compressor, fillValue });
  const region = await array.readRegion([0, 1, 2], [2, 4, 7]);
  for (let i = 0; i < region.length; i += 1)
    region[i] = dataType === 'uint64' ? BigInt(i) ** 9n : dataType === 'bool' ? i % 2 : i;
  await array.writeRegion([0, 1, 2], [2, 4, 7], region);

  // An independent reader.
  const files = filesBelow(path);
  const store = { get: async (key: string) => files.get(key.slice(1)) };
  const opened = await zarr.open.v3(zarr.root(store), { kind: 'array' });
  expect(opened.shape).toEqual([2, 9, 7]);
  expect(opened.attrs).toMatchObject({ offset: [80, -12], axis_names: ['c^', 'y', 'x'], neighborhood: [[0, 1]] });
  const content = await zarr.get(opened);
  const ours = await array.readRegion([0, 0, 0], [2, 9, 7]);
  const plain = (values: Iterable<unknown>) =>
    [...values].map((value) => (typeof value === 'boolean' ? Number(value) : value));
  expect(plain(content.data as Iterable<unknown>)).toEqual(plain(ours));
});
