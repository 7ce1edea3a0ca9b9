import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import type { ErrorCode } from '../../lib/errors.js';
import { Coordinate } from '../../lib/geometry/coordinate.js';
import { Roi } from '../../lib/geometry/roi.js';
import { loadAddon } from '../../lib/native/addon.js';
import { ChunkedArray } from '../../lib/storage/chunked-array.js';
import type { ArrayMetadata } from '../../lib/storage/metadata.js';
import { noise } from '../support/noise.js';
import { filesBelow, temporaryFolder } from '../support/stores.js';

const folder = temporaryFolder();
afterAll(folder.remove);
let arrays = 0;
const newPath = () => join(folder.path, 'deep', `array-${arrays++}`);

const METADATA: ArrayMetadata = {
  shape: [2, 6, 8],
  chunkShape: [2, 4, 4],
  dataType: 'uint8',
  channelAxes: 1,
  offset: new Coordinate([120, -80]),
  voxelSize: new Coordinate([40, 4]),
  units: ['nm', 'nm'],
  axisNames: ['c^', 'y', 'x'],
  attributes: { neighborhood: [[0, 1]], source: { name: 'x', id: 2n ** 60n } },
};

async function refusal(action: () => Promise<unknown>): Promise<{ code?: ErrorCode; message: string }> {
  try {
    await action();
  } catch (error) {
    return error as { code?: ErrorCode; message: string };
  }
  throw new Error('expected a refusal');
}

describe('creating and opening', () => {
  test('what was created is opened again, with folders above it', async () => {
    const path = newPath();
    const created = await ChunkedArray.create(path, METADATA, { fillValue: 9 });
    const opened = await ChunkedArray.open(path);
    for (const array of [created, opened]) {
      expect(array.metadata).toEqual(METADATA);
      expect(array.fillValue).toBe(9);
      expect(array.dimensions).toBe(3);
      expect(array.roi.equals(new Roi([120, -80], [240, 32]))).toBe(true);
      expect(array.format.codecs).toEqual([{ name: 'zstd', level: 1, checksum: true }]);
    }
    expect([...filesBelow(path).keys()]).toEqual(['zarr.json']);
    expect(JSON.parse(readFileSync(join(path, 'zarr.json'), 'utf8'))).toMatchObject({
      fill_value: 9,
      dimension_names: ['c', 'y', 'x'],
      attributes: { axis_names: ['c^', 'y', 'x'], types: ['channel', 'space', 'space'] },
    });
  });

  test('extensions of zarr v3 that are named and no more', async () => {
    const path = newPath();
    const shards = { chunkShape: [1, 2, 2], shardShape: [2, 6, 8] };
    const created = await ChunkedArray.create(path, { ...METADATA, ...shards }, { checksum: true });
    const data = noise(1, 96);
    await created.writeRegion([0, 0, 0], [2, 6, 8], data);
    const file = join(path, 'zarr.json');
    const names = /\{\s*"name":\s*("(?:bytes|crc32c)")\s*\}/g;
    const text = readFileSync(file, 'utf8');
    expect(text.match(names)).toHaveLength(3);
    const { data_type: name, ...rest } = JSON.parse(text.replace(names, '$1')) as Record<string, unknown>;
    writeFileSync(file, JSON.stringify({ ...rest, data_type: { name }, chunk_key_encoding: 'default' }));
    const opened = await ChunkedArray.open(path);
    expect(opened.format).toEqual(created.format);
    expect(await opened.readRegion([0, 0, 0], [2, 6, 8])).toEqual(data);
    writeFileSync(file, JSON.stringify({ ...rest, data_type: { name }, codecs: ['bytes', 'nonsense'] }));
    const { message } = await refusal(() => ChunkedArray.open(path));
    expect(message).toContain('codecs[1].name: expected the codec');
  });

  test('zeros in a v2 array without a fill value, whose missing chunks are anything to zarr-python 2, are stored', async () => {
    const { path } = await ChunkedArray.create(newPath(), METADATA, { zarrFormat: 2 });
    const file = join(path, '.zarray');
    writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), fill_value: null }));
    const array = await ChunkedArray.open(path);
    expect(array.fillValue).toBe(0);
    await array.writeRegion([0, 0, 0], [2, 4, 4], new Uint8Array(32));
    expect([...filesBelow(path).keys()]).toEqual(['.zarray', '.zattrs', '0/0/0']);
    expect(await array.readRegion([0, 0, 0], [2, 6, 8])).toEqual(new Uint8Array(96));
  });

  test('an array that exists is only replaced when asked for, and then leaves no chunk', async () => {
    const path = newPath();
    const first = await ChunkedArray.create(path, METADATA);
    await first.writeRegion([0, 0, 0], [2, 6, 8], new Uint8Array(96).fill(3));
    writeFileSync(join(path, 'notes.txt'), 'mine');
    expect((await refusal(() => ChunkedArray.create(path, METADATA))).code).toBe('ERR_ARRAY_EXISTS');
    expect((await first.readRegion([0, 0, 0], [1, 1, 1]))[0]).toBe(3);
    const second = await ChunkedArray.create(path, { ...METADATA, dataType: 'float32' }, { overwrite: true });
    expect([...(await second.readRegion([0, 0, 0], [2, 6, 8]))]).toEqual(new Array(96).fill(0));
    expect([...filesBelow(path).keys()]).toEqual(['notes.txt', 'zarr.json']);
  });

  test('chunks without metadata are not taken over', async () => {
    const path = newPath();
    mkdirSync(join(path, 'c', '0'), { recursive: true });
    expect((await refusal(() => ChunkedArray.create(path, METADATA))).code).toBe('ERR_ARRAY_EXISTS');
  });

  test('a group is never replaced', async () => {
    const path = newPath();
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, 'zarr.json'), '{"zarr_format": 3, "node_type": "group"}');
    const inner = await ChunkedArray.create(join(path, 'inner'), METADATA);
    const { code, message } = await refusal(() => ChunkedArray.create(path, METADATA, { overwrite: true }));
    expect([code, message]).toEqual(['ERR_ARRAY_EXISTS', `${path}: a zarr group is there already`]);
    expect(existsSync(join(inner.path, 'zarr.json'))).toBe(true);
    expect((await refusal(() => ChunkedArray.open(path))).message).toContain('it is a zarr group');
  });

  test.each<[string, Partial<ArrayMetadata>, ErrorCode]>([
    ['no physical axis', { channelAxes: 3 }, 'ERR_ARGUMENT'],
    ['a missing chunk extent', { chunkShape: [4, 4] }, 'ERR_ARGUMENT'],
    ['a chunk of nothing', { chunkShape: [2, 0, 4] }, 'ERR_METADATA'],
    ['a negative extent', { shape: [2, -6, 8] }, 'ERR_METADATA'],
    ['a chunk of 2^31 bytes', { chunkShape: [2, 2 ** 15, 2 ** 15] }, 'ERR_LIMIT'],
    ['an offset with too many entries', { offset: new Coordinate([1, 2, 3]) }, 'ERR_ARGUMENT'],
    ['a voxel size of 0', { voxelSize: new Coordinate([40, 0]) }, 'ERR_ARGUMENT'],
    ['a channel name without ^', { axisNames: ['c', 'y', 'x'] }, 'ERR_ARGUMENT'],
    ['a reserved attribute', { attributes: { voxel_size: [1] } }, 'ERR_ARGUMENT'],
    ['an attribute that is no JSON', { attributes: { x: Number.NaN } }, 'ERR_ARGUMENT'],
    ['an unknown type', { dataType: 'toString' as 'uint8' }, 'ERR_ARGUMENT'],
  ])('%s is refused and nothing is written', async (_, change, code) => {
    const path = newPath();
    expect((await refusal(() => ChunkedArray.create(path, { ...METADATA, ...change }))).code).toBe(code);
    expect(existsSync(path)).toBe(false);
  });

  test.each([
    [256, 'uint8'],
    [1.5, 'int16'],
    [-1n, 'uint64'],
    [2n ** 63n, 'int64'],
    [Number.NaN, 'int8'],
  ] as const)('a fill value of %s is refused for %s', async (fillValue, dataType) => {
    const { code } = await refusal(() => ChunkedArray.create(newPath(), { ...METADATA, dataType }, { fillValue }));
    expect(code).toBe('ERR_METADATA');
  });

  test('what is missing is named', async () => {
    const nothing = await refusal(() => ChunkedArray.open(join(folder.path, 'nothing')));
    expect([nothing.code, nothing.message]).toEqual([
      'ERR_ARRAY_MISSING',
      `${join(folder.path, 'nothing')}: expected a zarr array, but nothing is there`,
    ]);
    expect((await refusal(() => ChunkedArray.open(folder.path))).message).toContain('neither zarr.json nor .zarray');
    expect((await refusal(() => ChunkedArray.open('https://x/y'))).code).toBe('ERR_UNSUPPORTED');
    expect((await refusal(() => ChunkedArray.open(''))).code).toBe('ERR_ARGUMENT');
  });
});

describe('regions', () => {
  test('one that leaves the array or does not fit the data is refused', async () => {
    const array = await ChunkedArray.create(newPath(), METADATA);
    for (const [begin, end] of [
      [
        [0, 0, 0],
        [2, 7, 8],
      ],
      [
        [0, -1, 0],
        [2, 6, 8],
      ],
      [
        [0, 4, 0],
        [2, 3, 8],
      ],
      [
        [0, 0],
        [2, 6],
      ],
      [
        [0, 0.5, 0],
        [2, 6, 8],
      ],
    ]) {
      expect((await refusal(() => array.readRegion(begin, end))).code).toBe('ERR_ARGUMENT');
    }
    const short = await refusal(() => array.writeRegion([0, 0, 0], [2, 6, 8], new Uint8Array(95)));
    expect(short.message).toBe('data: expected 96 elements (shape [2,6,8]), found 95');
    const wrong = await refusal(() => array.writeRegion([0, 0, 0], [2, 6, 8], new Int8Array(96)));
    expect(wrong.message).toBe('data: expected a Uint8Array (uint8), found Int8Array');
    expect((await refusal(() => array.readRegion([0, 0, 0], [1, 1, 1], { threads: 0 }))).code).toBe('ERR_ARGUMENT');
  });

  test('a region of more memory than there can be is refused without allocating it', async () => {
    const metadata = { ...METADATA, shape: [2, 2 ** 40, 2 ** 40] };
    const array = await ChunkedArray.create(newPath(), metadata);
    expect((await refusal(() => array.readRegion([0, 0, 0], metadata.shape))).code).toBe('ERR_LIMIT');
    // The far end of a huge array is read and written as any other.
    const end = metadata.shape;
    const begin = [0, 2 ** 40 - 1, 2 ** 40 - 3];
    await array.writeRegion(begin, end, Uint8Array.of(1, 2, 3, 4, 5, 6));
    expect([...(await array.readRegion(begin, end))]).toEqual([1, 2, 3, 4, 5, 6]);
    expect([...filesBelow(array.path).keys()]).toEqual(['c/0/274877906943/274877906943', 'zarr.json']);
  });

  test('a Roi off the voxel grid is refused', async () => {
    const array = await ChunkedArray.create(newPath(), METADATA);
    expect((await refusal(() => array.readRoi(new Roi([121, -80], [40, 4])))).code).toBe('ERR_GEOMETRY');
    expect((await refusal(() => array.readRoi(new Roi([120], [40])))).code).toBe('ERR_GEOMETRY');
  });

  test('memory that is given is used', async () => {
    const array = await ChunkedArray.create(newPath(), METADATA, { fillValue: 5 });
    const into = new Uint8Array(100).subarray(2, 98);
    expect(await array.readRegion([0, 0, 0], [2, 6, 8], { into })).toBe(into);
    expect([...new Uint8Array(into.buffer)]).toEqual([0, 0, ...new Array(96).fill(5), 0, 0]);
    expect((await refusal(() => array.readRegion([0, 0, 0], [2, 6, 7], { into }))).code).toBe('ERR_ARGUMENT');
  });

  test('the result and the files are the same with any number of threads', async () => {
    const data = noise(1, 96);
    const stores = [];
    for (const threads of [1, 2, 7]) {
      const array = await ChunkedArray.create(newPath(), METADATA);
      await array.writeRegion([0, 0, 0], [2, 6, 8], data, { threads });
      expect(await array.readRegion([0, 0, 0], [2, 6, 8], { threads })).toEqual(data);
      stores.push(filesBelow(array.path));
    }
    expect(stores[1]).toEqual(stores[0]);
    expect(stores[2]).toEqual(stores[0]);
  });

  test('a chunk that becomes all fill loses its file', async () => {
    const array = await ChunkedArray.create(newPath(), METADATA, { fillValue: 7 });
    await array.writeRegion([0, 0, 0], [1, 1, 1], Uint8Array.of(1));
    expect(filesBelow(array.path).size).toBe(2);
    await array.writeRegion([0, 0, 0], [1, 1, 1], Uint8Array.of(7));
    expect([...filesBelow(array.path).keys()]).toEqual(['zarr.json']);
  });

  test('an aborted call is cancelled and writes nothing', async () => {
    const array = await ChunkedArray.create(newPath(), METADATA);
    const signal = AbortSignal.abort();
    const data = new Uint8Array(96).fill(1);
    for (const action of [
      () => array.readRegion([0, 0, 0], [2, 6, 8], { signal }),
      () => array.writeRegion([0, 0, 0], [2, 6, 8], data, { signal }),
    ]) {
      expect((await refusal(action)).code).toBe('ERR_CANCELLED');
    }
    expect([...filesBelow(array.path).keys()]).toEqual(['zarr.json']);
  });
});

describe('the native boundary', () => {
  const good = {
    path: '/nowhere',
    shape: [6, 8],
    layout: { chunkShape: [4, 4], order: [0, 1], swap: false, codecs: [] },
    itemSize: 2,
    float16: false,
    keyPrefix: 'c',
    keySeparator: '/',
    fill: new Uint8Array(2),
    begin: [0, 0],
    end: [2, 2],
    data: new Uint8Array(8),
    dataBegin: [0, 0],
    dataShape: [2, 2],
    threads: 1,
  };

  const layout = (change: Record<string, unknown>) => ({ layout: { ...good.layout, ...change } });
  const shard = (inner: Record<string, unknown>) => layout({ shard: { inner: { ...good.layout, ...inner } } });

  test('a call that fits passes', async () => {
    expect(await loadAddon().readRegion(good)).toBe(1);
    expect(await loadAddon().readRegion({ ...good, ...shard({ chunkShape: [2, 1] }) })).toBe(2);
    const halves = { ...good, float16: true, data: new Float32Array(4) };
    expect(await loadAddon().readRegion(halves)).toBe(1);
  });

  test.each<[string, Record<string, unknown>]>([
    ['data that is too short', { data: new Uint8Array(6) }],
    ['a box that does not hold the region', { dataBegin: [1, 0] }],
    ['a box that is too small', { dataShape: [2, 1], data: new Uint8Array(4) }],
    ['a region beyond the array', { end: [2, 9], dataShape: [2, 9], data: new Uint8Array(36) }],
    ['an end before its begin', { begin: [2, 2], end: [0, 0] }],
    ['an order that is no permutation', layout({ order: [0, 0] })],
    ['an order out of range', layout({ order: [0, 2] })],
    ['an item of 3 bytes', { itemSize: 3 }],
    ['a short fill', { fill: new Uint8Array(1) }],
    ['a chunk of nothing', layout({ chunkShape: [0, 4] })],
    ['too few axes', { begin: [0] }],
    ['a key that leads elsewhere', { keyPrefix: '../x' }],
    ['a separator that leads elsewhere', { keySeparator: '/../' }],
    ['a shape whose product overflows', { dataShape: [2 ** 40, 2 ** 40] }],
    ['codecs that are none', layout({ codecs: [1] })],
    ['no layout', { layout: 1 }],
    ['a shard without inner chunks', layout({ shard: {} })],
    ['inner chunks that do not divide the shard', shard({ chunkShape: [3, 4] })],
    ['inner chunks of nothing', shard({ chunkShape: [0, 4] })],
    ['inner chunks of other dimensions', shard({ chunkShape: [4] })],
    ['half precision in 4 bytes', { float16: true, itemSize: 4, fill: new Uint8Array(4) }],
    ['half precision in memory of 2 bytes', { float16: true }],
  ])('%s is an error, not a crash', async (_, change) => {
    const { code } = await refusal(async () => loadAddon().readRegion({ ...good, ...change }));
    expect(['ERR_ARGUMENT', 'ERR_LIMIT']).toContain(code);
  });
});
