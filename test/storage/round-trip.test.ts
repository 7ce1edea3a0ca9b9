import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Coordinate } from '../../lib/geometry/coordinate.js';
import { Roi } from '../../lib/geometry/roi.js';
import { ChunkedArray } from '../../lib/storage/chunked-array.js';
import type { Compressor } from '../../lib/storage/compressor.js';
import { type DataType, factsOf, type TypedArray } from '../../lib/storage/data-type.js';
import { parseJson, stringifyJson } from '../../lib/storage/exact-json.js';
import { PlainArray } from '../support/plain-array.js';
import { filesBelow, temporaryFolder } from '../support/stores.js';

const folder = temporaryFolder();
afterAll(folder.remove);
let arrays = 0;

const DATA_TYPES: DataType[] = [
  'bool',
  'uint8',
  'int8',
  'uint16',
  'int16',
  'uint32',
  'int32',
  'uint64',
  'int64',
  'float32',
  'float64',
];
const COMPRESSORS: Compressor[] = [
  { name: 'none' },
  { name: 'zstd' },
  { name: 'zstd', level: -3, checksum: true },
  { name: 'gzip', level: 6 },
  { name: 'blosc' },
  { name: 'blosc', compressor: 'zstd', shuffle: 'bits' },
  { name: 'blosc', compressor: 'blosclz', shuffle: 'none' },
];
const V2_CODES: Record<DataType, string> = {
  bool: '|b1',
  uint8: '|u1',
  int8: '|i1',
  uint16: 'u2',
  int16: 'i2',
  uint32: 'u4',
  int32: 'i4',
  uint64: 'u8',
  int64: 'i8',
  float16: 'f2',
  float32: 'f4',
  float64: 'f8',
};

/** A small value of the type; few different ones, so that chunks become all fill now and then. */
function value(dataType: DataType, number: number): number | bigint {
  const { kind, array } = factsOf(dataType);
  if (kind === 'boolean') return number % 2;
  const element = new array(1);
  const small = kind === 'unsigned' ? number : number - 1;
  if (element.BYTES_PER_ELEMENT === 8 && kind !== 'float') return number === 3 ? 2n ** 62n + 1n : BigInt(small);
  return kind === 'float' && number === 3 ? Number.NaN : small;
}

function regionData(dataType: DataType, shape: readonly number[], seed: number): TypedArray {
  const data = new (factsOf(dataType).array)(shape.reduce((a, b) => a * b, 1));
  let state = seed;
  for (let i = 0; i < data.length; i += 1) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    data[i] = value(dataType, seed % 3 === 0 ? 0 : (state >>> 16) % 4);
  }
  return data;
}

const box = (shape: readonly number[]) =>
  fc.tuple(...shape.map((extent) => fc.tuple(fc.nat(extent), fc.nat(extent)))).map((pairs) => ({
    begin: pairs.map(([a, b]) => Math.min(a, b)),
    end: pairs.map(([a, b]) => Math.max(a, b)),
  }));

const MAX_EXTENT = [40, 14, 9, 6, 4];
const arrayCase = fc
  .integer({ min: 1, max: 5 })
  .chain((dimensions) => {
    const extent = fc.integer({ min: 1, max: MAX_EXTENT[dimensions - 1] });
    const list = fc.array(extent, { minLength: dimensions, maxLength: dimensions });
    return fc.record({ shape: list, chunkShape: list });
  })
  .chain(({ shape, chunkShape }) =>
    fc.record({
      shape: fc.constant(shape),
      chunkShape: fc.constant(chunkShape),
      dataType: fc.constantFrom(...DATA_TYPES),
      fill: fc.nat(3),
      variant: fc.constantFrom('v3', 'v3 other keys, big-endian', 'v2 C', 'v2 F big-endian'),
      compressor: fc.constantFrom(...COMPRESSORS),
      checksum: fc.boolean(),
      channelAxes: fc.nat(shape.length - 1),
      writes: fc.array(fc.record({ box: box(shape), seed: fc.nat(1000), threads: fc.integer({ min: 1, max: 3 }) }), {
        maxLength: 5,
      }),
      reads: fc.array(box(shape), { maxLength: 3 }),
    }),
  );
type ArrayCase = typeof arrayCase extends fc.Arbitrary<infer Case> ? Case : never;

interface WrittenMetadata {
  chunk_key_encoding: unknown;
  fill_value: unknown;
  attributes: unknown;
  codecs: { configuration: { endian?: string } }[];
}

/** Metadata of formats that we read and write, but do not create. */
function rewriteMetadata(path: string, one: ArrayCase): void {
  const wide = factsOf(one.dataType).bytes > 1;
  // Not JSON.parse, which would round the fill value.
  const array = parseJson(String(filesBelow(path).get('zarr.json')), path) as unknown as WrittenMetadata;
  if (one.variant.startsWith('v3')) {
    array.chunk_key_encoding = { name: 'v2', configuration: { separator: '/' } };
    if (wide) array.codecs[0].configuration.endian = 'big';
    writeFileSync(join(path, 'zarr.json'), stringifyJson(array, path));
    return;
  }
  const ids: Record<Compressor['name'], unknown> = {
    none: null,
    zstd: { id: 'zstd', level: 1 },
    gzip: { id: 'zlib', level: 3 },
    zlib: { id: 'zlib', level: 3 },
    lz4: { id: 'lz4', acceleration: 1 },
    blosc: { id: 'blosc', cname: 'lz4', clevel: 5, shuffle: -1, blocksize: 0 },
  };
  const v2 = {
    zarr_format: 2,
    shape: one.shape,
    chunks: one.chunkShape,
    dtype: wide ? (one.variant === 'v2 C' ? '<' : '>') + V2_CODES[one.dataType] : V2_CODES[one.dataType],
    compressor: ids[one.compressor.name],
    fill_value: array.fill_value,
    order: one.variant === 'v2 C' ? 'C' : 'F',
    filters: null,
  };
  const twin = `${path}-v2`;
  mkdirSync(twin);
  writeFileSync(join(twin, '.zarray'), stringifyJson(v2, path));
  writeFileSync(join(twin, '.zattrs'), stringifyJson(array.attributes, path));
}

async function makeArray(one: ArrayCase): Promise<ChunkedArray> {
  const path = join(folder.path, `array-${arrays++}`);
  const physical = one.shape.length - one.channelAxes;
  const metadata = {
    shape: one.shape,
    chunkShape: one.chunkShape,
    dataType: one.dataType,
    channelAxes: one.channelAxes,
    offset: Coordinate.filled(physical, -6),
    voxelSize: Coordinate.filled(physical, 3),
    units: new Array<string>(physical).fill('nm'),
    axisNames: one.shape.map((_, axis) => (axis < one.channelAxes ? `c${axis}^` : `d${axis}`)),
    attributes: {},
  };
  const fillValue = value(one.dataType, one.fill);
  const array = await ChunkedArray.create(path, metadata, {
    compressor: one.compressor,
    checksum: one.checksum,
    fillValue,
  });
  if (one.variant === 'v3') return array;
  rewriteMetadata(path, one);
  return ChunkedArray.open(one.variant.startsWith('v2') ? `${path}-v2` : path);
}

const zeros = (shape: readonly number[]) => shape.map(() => 0);

describe('a stored array behaves as one in memory', () => {
  test('regions of any array, whatever the order of writes', async () => {
    await fc.assert(
      fc.asyncProperty(arrayCase, async (one) => {
        const array = await makeArray(one);
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
      { seed: 20261122, numRuns: 160 },
    );
  });

  test('the bytes of a store depend on its content alone', async () => {
    await fc.assert(
      fc.asyncProperty(arrayCase, async (one) => {
        const [first, second] = [await makeArray(one), await makeArray(one)];
        for (const { box: region, seed, threads } of one.writes) {
          const extent = region.begin.map((from, axis) => region.end[axis] - from);
          const data = regionData(one.dataType, extent, seed);
          await first.writeRegion(region.begin, region.end, data, { durable: false, threads });
        }
        const content = await first.readRegion(zeros(one.shape), one.shape);
        await second.writeRegion(zeros(one.shape), one.shape, content, { durable: true, threads: 1 });
        expect(filesBelow(first.path)).toEqual(filesBelow(second.path));
      }),
      { seed: 20261122, numRuns: 80 },
    );
  });

  test('boxes of the world, also beyond the array', async () => {
    await fc.assert(
      fc.asyncProperty(
        arrayCase,
        fc.array(fc.tuple(fc.integer({ min: -5, max: 12 }), fc.nat(12)), { minLength: 5, maxLength: 5 }),
        fc.nat(3),
        async (one, boxes, outside) => {
          const array = await makeArray(one);
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
      { seed: 20261122, numRuns: 80 },
    );
  });
});
