import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { Coordinate } from '../../lib/geometry/coordinate.js';
import { ChunkedArray } from '../../lib/storage/chunked-array.js';
import type { CreateOptions } from '../../lib/storage/create-array.js';
import type { ArrayMetadata } from '../../lib/storage/metadata.js';
import { noise } from '../support/noise.js';
import { filesBelow, temporaryFolder } from '../support/stores.js';

const folder = temporaryFolder();
afterAll(folder.remove);
let arrays = 0;

const METADATA: ArrayMetadata = {
  shape: [2, 6, 8],
  chunkShape: [2, 4, 4],
  dataType: 'uint16',
  channelAxes: 1,
  offset: new Coordinate([120, -80]),
  voxelSize: new Coordinate([40, 4]),
  units: ['nm', 'nm'],
  axisNames: ['c^', 'y', 'x'],
  attributes: { neighborhood: [[0, 1]] },
};

function create(change: Partial<ArrayMetadata> = {}, options: CreateOptions = {}): Promise<ChunkedArray> {
  return ChunkedArray.create(join(folder.path, `array-${arrays++}`), { ...METADATA, ...change }, options);
}

async function codeOf(action: Promise<unknown>): Promise<string | undefined> {
  return action.then(
    () => undefined,
    (error: { code?: string }) => error.code,
  );
}

const json = (array: ChunkedArray, file: string) =>
  JSON.parse(readFileSync(join(array.path, file), 'utf8')) as Record<string, unknown>;

describe('a new zarr v2 array', () => {
  test('has the metadata that its readers want, and is opened as it was created', async () => {
    const array = await create({}, { zarrFormat: 2, fillValue: 9 });
    expect(json(array, '.zarray')).toEqual({
      zarr_format: 2,
      shape: [2, 6, 8],
      chunks: [2, 4, 4],
      dtype: '<u2',
      compressor: { id: 'zstd', level: 1 },
      fill_value: 9,
      order: 'C',
      filters: null,
      dimension_separator: '/',
    });
    expect(json(array, '.zattrs')).toEqual({
      offset: [120, -80],
      voxel_size: [40, 4],
      units: ['nm', 'nm'],
      axis_names: ['c^', 'y', 'x'],
      types: ['channel', 'space', 'space'],
      neighborhood: [[0, 1]],
      _ARRAY_DIMENSIONS: ['c', 'y', 'x'],
    });
    const opened = await ChunkedArray.open(array.path);
    expect(opened.metadata).toEqual(METADATA);
    expect(opened.format).toEqual(array.format);
    await opened.writeRegion([1, 0, 0], [2, 1, 1], Uint16Array.of(3));
    expect([...filesBelow(array.path).keys()]).toEqual(['.zarray', '.zattrs', '0/0/0']);
  });

  test('names of xarray are those of the axes where there are no others', async () => {
    const array = await create({}, { zarrFormat: 2 });
    writeFileSync(join(array.path, '.zattrs'), JSON.stringify({ _ARRAY_DIMENSIONS: ['t', 'y', 'x'] }));
    const { metadata } = await ChunkedArray.open(array.path);
    expect([metadata.axisNames, metadata.attributes]).toEqual([['t', 'y', 'x'], {}]);
  });

  test.each([
    [{ name: 'none' }, null],
    [
      { name: 'zstd', level: 3, checksum: false },
      { id: 'zstd', level: 3 },
    ],
    [
      { name: 'gzip', level: 5 },
      { id: 'gzip', level: 5 },
    ],
    [{ name: 'zlib' }, { id: 'zlib', level: 1 }],
    [
      { name: 'zlib', level: -1 },
      { id: 'zlib', level: -1 },
    ],
    [{ name: 'lz4' }, { id: 'lz4', acceleration: 1 }],
    [
      { name: 'blosc', compressor: 'zstd' },
      { id: 'blosc', cname: 'zstd', clevel: 5, shuffle: 1, blocksize: 0 },
    ],
  ] as const)('compressed by %j', async (compressor, written) => {
    const array = await create({}, { zarrFormat: 2, compressor });
    expect(json(array, '.zarray').compressor).toEqual(written);
    const data = new Uint16Array(noise(1, 192).buffer);
    await array.writeRegion([0, 0, 0], [2, 6, 8], data);
    const opened = await ChunkedArray.open(array.path);
    expect(opened.format.codecs).toEqual(array.format.codecs);
    expect(await opened.readRegion([0, 0, 0], [2, 6, 8])).toEqual(data);
  });

  test('is verified by the checksum of its frames, though its metadata says nothing of it', async () => {
    const array = await ChunkedArray.open((await create({}, { zarrFormat: 2 })).path);
    await array.writeRegion([0, 0, 0], [2, 6, 8], new Uint16Array(noise(2, 192).buffer));
    const frame = filesBelow(array.path).get('0/0/0')!;
    expect(frame[4] & 4).toBe(4); // Content_Checksum_flag of the frame's header
  });

  test.each<[string, CreateOptions]>([
    ['crc32c in v2', { zarrFormat: 2, checksum: true }],
    ['crc32c alone in v2', { zarrFormat: 2, compressor: { name: 'none' }, checksum: true }],
    ['lz4 in v3', { compressor: { name: 'lz4' } }],
    ['zlib in v3', { compressor: { name: 'zlib' } }],
    ['another format', { zarrFormat: 4 as 3 }],
    ['another compressor', { compressor: { name: 'bz2' } as never }],
    ['another shuffle', { zarrFormat: 2, compressor: { name: 'blosc', shuffle: 'auto' } as never }],
  ])('%s is refused', async (_, options) => {
    expect(await codeOf(create({}, options))).toBe('ERR_ARGUMENT');
  });
});

describe('float16', () => {
  const half = (change: Partial<ArrayMetadata> = {}, options: CreateOptions = {}) =>
    create({ dataType: 'float16', shape: [16], chunkShape: [16], channelAxes: 0, ...line, ...change }, options);
  const line = { offset: new Coordinate([0]), voxelSize: new Coordinate([1]), units: [''], axisNames: ['x'] };

  test('is rounded to nearest even, and beyond its range to infinity', async () => {
    const array = await half({}, { compressor: { name: 'none' } });
    const values = [0, -0, 1, -2.5, 65504, 65519.99, 65520, -1e9, 2 ** -24, 2 ** -25, 3 * 2 ** -25, 1 + 2 ** -11];
    const more = [1 + 3 * 2 ** -11, Number.NaN, Number.POSITIVE_INFINITY, 0.1];
    await array.writeRegion([0], [16], Float32Array.of(...values, ...more));
    const stored = new Uint16Array(new Uint8Array(readFileSync(join(array.path, 'c/0'))).buffer);
    expect([...stored]).toEqual([
      0, 0x8000, 0x3c00, 0xc100, 0x7bff, 0x7bff, 0x7c00, 0xfc00, 1, 0, 2, 0x3c00, 0x3c02, 0x7e00, 0x7c00, 0x2e66,
    ]);
    expect([...(await array.readRegion([12], [16]))]).toEqual([
      1 + 2 ** -9,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      1638 * 2 ** -14,
    ]);
  });

  test.each([
    [0.1, '0x2e66'],
    [-(2 ** -24), '0x8001'],
    [2 ** -25, '0x0000'],
    [65520, '0x7c00'],
    // Once to float32 and once more would give 0x3c00.
    [1 + 2 ** -11 + 2 ** -40, '0x3c01'],
    [Number.NaN, '0x7e00'],
    [Number.NEGATIVE_INFINITY, '0xfc00'],
  ])('a fill value of %s is that of the bits %s', async (fillValue, bits) => {
    const array = await half({}, { fillValue });
    expect([...array.format.fill]).toEqual([...new Uint8Array(Uint16Array.of(Number(bits)).buffer)]);
    const [read] = await array.readRegion([3], [4]);
    expect(read).toBe(array.fillValue);
    const metadata = json(array, 'zarr.json');
    writeFileSync(join(array.path, 'zarr.json'), JSON.stringify({ ...metadata, fill_value: bits }));
    expect((await ChunkedArray.open(array.path)).format.fill).toEqual(array.format.fill);
  });
});

test('an array without axes has one voxel and one chunk', async () => {
  const nothing = new Coordinate([]);
  const point = {
    shape: [],
    chunkShape: [],
    offset: nothing,
    voxelSize: nothing,
    units: [],
    axisNames: [],
    channelAxes: 0,
  };
  for (const [options, key] of [
    [{ zarrFormat: 3 }, 'c'],
    [{ zarrFormat: 2 }, '0'],
  ] as const) {
    const array = await create(point, options);
    expect(array.dimensions).toBe(0);
    await array.writeRegion([], [], Uint16Array.of(7));
    expect([...filesBelow(array.path).keys()]).toContain(key);
    const opened = await ChunkedArray.open(array.path);
    expect(opened.metadata).toEqual(array.metadata);
    expect([...(await opened.readRegion([], []))]).toEqual([7]);
    expect([...(await opened.readRoi(opened.roi)).data]).toEqual([7]);
  }
});

describe('the folders around a new array', () => {
  const made = async (path: string, zarrFormat: 2 | 3) => {
    const array = await ChunkedArray.create(join(folder.path, path), METADATA, { zarrFormat });
    return [...filesBelow(join(folder.path, path.split('/')[0])).keys()].filter((file) => !array.path.endsWith(file));
  };

  test('are groups up to the one that ends in .zarr, and no further', async () => {
    expect(await made('deep/store.zarr/raw/s', 3)).toEqual([
      'store.zarr/raw/s/zarr.json',
      'store.zarr/raw/zarr.json',
      'store.zarr/zarr.json',
    ]);
    expect(await made('old.zarr/raw', 2)).toEqual(['.zgroup', 'raw/.zarray', 'raw/.zattrs']);
    expect(await made('plain/raw', 3)).toEqual(['raw/zarr.json']);
    expect(JSON.parse(readFileSync(join(folder.path, 'deep/store.zarr/zarr.json'), 'utf8'))).toEqual({
      zarr_format: 3,
      node_type: 'group',
      attributes: {},
    });
  });

  test('stay what they are where they are something', async () => {
    mkdirSync(join(folder.path, 'kept.zarr'));
    writeFileSync(join(folder.path, 'kept.zarr/.zgroup'), '{"zarr_format": 2}');
    expect(await made('kept.zarr/raw', 3)).toEqual(['.zgroup', 'raw/zarr.json']);
  });
});
