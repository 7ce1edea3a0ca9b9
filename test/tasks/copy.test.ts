import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { codeOf, messageOf } from '../../lib/errors.js';
import { Coordinate } from '../../lib/geometry/coordinate.js';
import { pipeline } from '../../lib/pipeline/pipeline.js';
import { planPipeline } from '../../lib/pipeline/plan.js';
import { runSerially } from '../../lib/pipeline/run-serially.js';
import { ChunkedArray } from '../../lib/storage/chunked-array.js';
import type { CreateOptions } from '../../lib/storage/create-array.js';
import { bytesOf, type DataType, factsOf, type TypedArray } from '../../lib/storage/data-type.js';
import { openImage } from '../../lib/storage/image-group.js';
import type { ArrayMetadata } from '../../lib/storage/metadata.js';
import { copyBlockSize, copyPieceShape } from '../../lib/tasks/copy-block-size.js';
import { goldens, parseNpy, readJson } from '../support/goldens.js';
import { PlainArray } from '../support/plain-array.js';
import { filesBelow, temporaryFolder, unpackStores } from '../support/stores.js';

const folder = temporaryFolder();
afterAll(folder.remove);
let stores = 0;

function metadataOf(more: Partial<ArrayMetadata> = {}): ArrayMetadata {
  const channelAxes = more.channelAxes ?? 0;
  const physical = (more.shape?.length ?? 3) - channelAxes;
  return {
    shape: [20, 17, 23],
    chunkShape: [5, 8, 7],
    dataType: 'uint16',
    channelAxes,
    offset: new Coordinate([-40, 80, 12].slice(0, physical)),
    voxelSize: new Coordinate([40, 4, 4].slice(0, physical)),
    units: ['nm', 'nm', 'nm'].slice(0, physical),
    axisNames: [
      ...Array.from({ length: channelAxes }, (_, axis) => `c${axis}^`),
      ...['z', 'y', 'x'].slice(0, physical),
    ],
    attributes: { neighborhood: [[1, 0, 0]], note: 'kept', large: 2n ** 60n },
    ...more,
  };
}

interface Good {
  readonly name: string;
  readonly path: string;
  readonly expected: string;
  readonly shape: number[];
  readonly levels?: readonly unknown[];
}

interface Source {
  readonly array: ChunkedArray;
  readonly plain: PlainArray;
}

/** An array with some voxels in some chunks, the others never written. */
async function makeSource(metadata: ArrayMetadata, options: CreateOptions = {}): Promise<Source> {
  const array = await ChunkedArray.create(join(folder.path, `source-${stores++}`), metadata, options);
  const { array: TypedArrayOfType, bytes, kind } = factsOf(metadata.dataType);
  const plain = new PlainArray(metadata.shape, array.fillValue);
  const begin = metadata.shape.map((extent) => Math.floor(extent / 4));
  const end = metadata.shape.map((extent) => Math.ceil((3 * extent) / 4));
  const data = new TypedArrayOfType(begin.reduce((product, first, axis) => product * (end[axis] - first), 1));
  for (let voxel = 0; voxel < data.length; voxel++) {
    const value = kind === 'boolean' ? voxel % 2 : (voxel * 7919) % 120;
    data[voxel] = bytes === 8 && kind !== 'float' ? BigInt(value) * 2n ** 50n : value;
  }
  plain.write(begin, end, data);
  await array.writeRegion(begin, end, data, { durable: false });
  return { array, plain };
}

async function copy(source: ChunkedArray, options: Record<string, unknown> = {}, level = ''): Promise<ChunkedArray> {
  const target = join(folder.path, `target-${stores++}`);
  const made = await pipeline({
    name: 'copy',
    runDirectory: join(folder.path, `run-${stores++}`),
    arrays: { source: { store: source.path }, target: { store: target } },
    tasks: { copy: { type: 'copy', source: 'source', target: 'target', ...options } },
  });
  await runSerially(await planPipeline(made));
  return ChunkedArray.open(join(target, level));
}

const all = async (array: ChunkedArray): Promise<TypedArray> =>
  array.readRegion(
    array.shape.map(() => 0),
    array.shape,
  );
const chunkFiles = ({ path }: ChunkedArray) => [...filesBelow(path).keys()].filter((name) => name !== 'zarr.json');

describe('copy', () => {
  test('without options: equal voxels, place, attributes, chunks, and no chunk that the source has not', async () => {
    const { array, plain } = await makeSource(metadataOf(), { compressor: { name: 'none' } });
    const target = await copy(array);
    expect([...(await all(target))]).toEqual(plain.voxels);
    expect(target.metadata).toEqual(array.metadata);
    expect(chunkFiles(target).sort()).toEqual(chunkFiles(array).sort());
    expect(chunkFiles(target).length).toBeLessThan(4 * 3 * 4);
    expect(target.format.codecs).toEqual([{ name: 'zstd', level: 1, checksum: true }]);
    expect(readdirSync(target.path).sort()).toEqual(['c', 'zarr.json']);
  });

  test('every array of other software, as v3 and as v2', async () => {
    const { path: stores } = folder;
    unpackStores(stores);
    const manifest = readJson<{ good: Good[] }>(join(goldens, 'storage', 'manifest.json.gz'));
    const arrays = manifest.good.filter(({ levels }) => levels === undefined);
    let copied = 0;
    for (const [number, { name, path, expected, shape }] of arrays.entries()) {
      const source = await ChunkedArray.open(join(stores, path)).catch(() => undefined);
      if (source === undefined) continue; // refused by name: goldens.test.ts
      const zarrFormat = number % 2 === 0 ? 3 : 2;
      const target = await copy(source, { zarrFormat });
      const npy = parseNpy(new Uint8Array(readFileSync(join(stores, expected))));
      const bytes = bytesOf(await all(target));
      const same =
        source.metadata.dataType === 'float16' ? bytesOf(await all(source)) : bytesOf(npy.data as TypedArray);
      expect([name, Buffer.compare(bytes, same)]).toEqual([name, 0]);
      const { shardShape, ...metadata } = source.metadata;
      const shards = zarrFormat === 2 || shardShape === undefined ? {} : { shardShape };
      expect([name, target.metadata, target.shape]).toEqual([name, { ...metadata, ...shards }, shape]);
      expect(target.format.zarrFormat).toBe(zarrFormat);
      copied += 1;
    }
    expect(copied).toBe(190);
  });

  test('into shards, out of them, and to other shards', async () => {
    const { array, plain } = await makeSource(metadataOf());
    const sharded = await copy(array, { chunkShape: [4, 4, 4], shardShape: [8, 8, 12] });
    expect([sharded.metadata.chunkShape, sharded.metadata.shardShape]).toEqual([
      [4, 4, 4],
      [8, 8, 12],
    ]);
    expect([...(await all(sharded))]).toEqual(plain.voxels);
    const same = await copy(sharded);
    expect(same.metadata).toEqual(sharded.metadata);
    expect([...filesBelow(same.path)]).toEqual([...filesBelow(sharded.path)]);
    const other = await copy(sharded, { chunkShape: [2, 8, 3], shardShape: [4, 16, 6], blockSize: [8, 16, 12] });
    expect([...(await all(other))]).toEqual(plain.voxels);
    const out = await copy(other, { chunkShape: [5, 5, 5] });
    expect(out.metadata.shardShape).toBeUndefined();
    expect([...(await all(out))]).toEqual(plain.voxels);
    const v2 = await copy(other, { zarrFormat: 2, compressor: { name: 'lz4' } });
    expect(v2.format.codecs).toEqual([{ name: 'lz4', acceleration: 1 }]);
    expect([...(await all(v2))]).toEqual(plain.voxels);
    const back = await copy(v2, { chunkShape: [5, 8, 7] });
    expect(back.metadata).toEqual(array.metadata);
  });

  test.each(['0.4', '0.5'])('into an OME-Zarr %s image of one level', async (ome) => {
    const { array, plain } = await makeSource(
      metadataOf({ shape: [2, 20, 17, 23], chunkShape: [1, 5, 8, 7], channelAxes: 1 }),
    );
    const target = await copy(
      array,
      { ome, chunkShape: [6, 6, 6], roi: { offset: [0, 80, 12], shape: [400, 68, 92] } },
      's0',
    );
    expect(target.format.zarrFormat).toBe(ome === '0.4' ? 2 : 3);
    expect([...(await all(target))]).toEqual(plain.read([0, 1, 0, 0], [2, 11, 17, 23]));
    const image = await openImage(dirname(target.path));
    expect(image.axes).toEqual([
      { name: 'c0', type: 'channel', unit: '' },
      ...['z', 'y', 'x'].map((name) => ({ name, type: 'space', unit: 'nanometer' })),
    ]);
    const [level] = image.levels;
    expect(level.path).toBe('s0');
    expect(level.scale.map((value) => value.toNumber())).toEqual([1, 40, 4, 4]);
    expect(level.translation.map((value) => value.toNumber())).toEqual([0, 0, 80, 12]);
  });

  test('a part of the world moves the offset', async () => {
    const { array, plain } = await makeSource(metadataOf());
    const roi = { offset: [-40 + 40 * 3, 80 + 4 * 2, 12 + 4 * 5], shape: [40 * 11, 4 * 9, 4 * 100] };
    const target = await copy(array, { roi, chunkShape: [4, 4, 4] });
    expect((await copy(array, { roi: { ...roi, shape: [400, 12, 400] } })).metadata.chunkShape).toEqual([5, 3, 7]);
    expect(target.shape).toEqual([11, 9, 18]);
    expect(target.metadata.offset.values).toEqual(roi.offset);
    expect([...(await all(target))]).toEqual(plain.read([3, 2, 5], [14, 11, 23]));
    expect(target.metadata.voxelSize.values).toEqual([40, 4, 4]);
  });

  test('channels come along, many of them in turns', async () => {
    const metadata = metadataOf({ shape: [3, 2, 6, 7, 8], chunkShape: [2, 1, 3, 4, 5], channelAxes: 2 });
    const { array, plain } = await makeSource(metadata);
    const target = await copy(array, { chunkShape: [4, 4, 4], blockSize: [4, 4, 8] });
    expect(target.metadata.chunkShape).toEqual([2, 1, 4, 4, 4]);
    expect([...(await all(target))]).toEqual(plain.voxels);
    const wholeChunks = await copy(array, { chunkShape: [3, 2, 4, 4, 4] });
    expect(wholeChunks.metadata.chunkShape).toEqual([3, 2, 4, 4, 4]);
    expect([...(await all(wholeChunks))]).toEqual(plain.voxels);
  });

  test("the fill value is the source's, or another", async () => {
    const metadata = metadataOf({ dataType: 'float32' });
    const { array, plain } = await makeSource(metadata, { fillValue: Number.NaN });
    const same = await copy(array);
    expect(same.fillValue).toBeNaN();
    expect([...(await all(same))]).toEqual(plain.voxels);
    expect(chunkFiles(same).length).toBe(chunkFiles(array).length);
    const other = await copy(array, { fillValue: '-Infinity' });
    expect(other.fillValue).toBe(Number.NEGATIVE_INFINITY);
    expect([...(await all(other))]).toEqual(plain.voxels);
    expect(chunkFiles(other).length).toBe(4 * 3 * 4);
    const { array: labels } = await makeSource(metadataOf({ dataType: 'uint64' }));
    expect((await copy(labels, { fillValue: '18446744073709551615' })).fillValue).toBe(2n ** 64n - 1n);
  });

  test.each([
    [{ name: 'none' }, []],
    [{ name: 'gzip', level: 5 }, [{ name: 'gzip', level: 5 }]],
    [{ name: 'zstd', level: 7, checksum: false }, [{ name: 'zstd', level: 7, checksum: false }]],
    [
      { name: 'blosc', compressor: 'lz4', level: 5, shuffle: 'bits' },
      [{ name: 'blosc', compressor: 'lz4', level: 5, shuffle: 2, typeSize: 2, blockSize: 0 }],
    ],
  ])('compressor %j', async (compressor, codecs) => {
    const { array, plain } = await makeSource(metadataOf());
    const target = await copy(array, { compressor });
    expect(target.format.codecs).toEqual(codecs);
    expect([...(await all(target))]).toEqual(plain.voxels);
  });

  test('any chunks, blocks of whole chunks and parts: every voxel', async () => {
    const extent = fc.integer({ min: 1, max: 9 });
    const shapes = fc.tuple(extent, extent, extent);
    const cases = fc.record({
      shape: fc.tuple(extent, extent, extent),
      chunkShape: shapes,
      targetChunk: shapes,
      chunksInBlock: fc.tuple(...[1, 2, 3].map(() => fc.integer({ min: 1, max: 3 }))),
      dataType: fc.constantFrom<DataType>('bool', 'uint8', 'int16', 'uint32', 'uint64', 'int64', 'float32', 'float64'),
      begin: fc.tuple(fc.nat(8), fc.nat(8), fc.nat(8)),
    });
    await fc.assert(
      fc.asyncProperty(cases, async ({ shape, chunkShape, targetChunk, chunksInBlock, dataType, begin }) => {
        const metadata = metadataOf({ shape, chunkShape, dataType });
        const { array, plain } = await makeSource(metadata);
        const from = begin.map((first, axis) => first % shape[axis]);
        const offset = metadata.offset.add(metadata.voxelSize.multiply(from)).values;
        const whole = metadata.voxelSize.multiply(shape).values;
        const blockSize = targetChunk.map(
          (extent, axis) => Math.min(extent, shape[axis] - from[axis]) * chunksInBlock[axis],
        );
        const target = await copy(array, { chunkShape: targetChunk, blockSize, roi: { offset, shape: whole } });
        expect([...(await all(target))]).toEqual(plain.read(from, shape));
      }),
      { numRuns: 40, seed: 4 },
    );
  });

  test.each([
    [{ chunkShape: [4, 4] }, 'chunkShape', 'expected 3 numbers, found [4, 4]'],
    [{ chunkShape: [4, 4, 4], shardShape: [8, 6, 8] }, 'shardShape', 'expected a multiple of the chunk'],
    [{ shardShape: [10, 8, 14], zarrFormat: 2 }, 'shardShape', 'expected none in zarr v2'],
    [{ compressor: { name: 'lz4' } }, 'compressor', 'in zarr v3, found lz4'],
    [{ shardShape: [10, 8, 14], blockSize: [5, 8, 7] }, 'copy', 'shard'],
    [{ ome: '0.4', zarrFormat: 3 }, 'zarrFormat', 'expected 2 for OME-Zarr 0.4, found 3'],
    [{ fillValue: -1 }, 'fillValue', 'expected a value of uint16, found -1'],
    [{ fillValue: 'NaN' }, 'fillValue', 'expected a value of uint16, found NaN'],
    [{ blockSize: [7, 7, 7] }, 'copy', 'would write into the same chunk'],
    [{ compressor: { name: 'lzma' } }, 'compressor', "'zstd'"],
  ])('%j is refused', async (options, key, text) => {
    const { array } = await makeSource(metadataOf());
    const error = await copy(array, options).catch((thrown: unknown) => thrown);
    expect(codeOf(error)).toMatch(/^ERR_(?:PLAN|CONFIG|CHUNK_SHARED)$/);
    expect(messageOf(error)).toContain(key);
    expect(messageOf(error)).toContain(text);
  });
});

describe('copies in a pipeline', () => {
  test('follow each other, and read through operations', async () => {
    const { array, plain } = await makeSource(metadataOf({ dataType: 'int16' }), { fillValue: -3 });
    const store = (name: string) => join(folder.path, `chain-${name}`);
    const made = await pipeline({
      name: 'chain',
      runDirectory: store('run'),
      arrays: {
        source: { store: array.path },
        middle: { store: store('middle') },
        // 2 v: the fill value is computed with the voxels
        doubled: { store: array.path, operations: [{ type: 'scale-shift', scale: 2 }] },
        end: { store: store('end') },
        twice: { store: store('twice') },
      },
      tasks: {
        end: { type: 'copy', source: 'middle', target: 'end', chunkShape: [4, 4, 4] },
        middle: { type: 'copy', source: 'source', target: 'middle', chunkShape: [8, 8, 8] },
        twice: { type: 'copy', source: 'doubled', target: 'twice' },
      },
    });
    await runSerially(await planPipeline(made));
    const [end, twice] = await Promise.all(['end', 'twice'].map((name) => ChunkedArray.open(store(name))));
    expect([end.fillValue, twice.fillValue, twice.metadata.dataType]).toEqual([-3, -6, 'float32']);
    expect([...(await all(end))]).toEqual(plain.voxels);
    expect([...(await all(twice))]).toEqual(plain.voxels.map((value) => 2 * Number(value)));
    expect(chunkFiles(twice).length).toBe(chunkFiles(array).length);
  });
});

describe('block sizes of copies', () => {
  const source = (more: Partial<ArrayMetadata>) => metadataOf({ dataType: 'uint8', ...more });
  const sizeOf = (block: readonly number[], voxel = 1) => block.reduce((product, extent) => product * extent, voxel);

  test('are about 64 MiB of whole chunks', () => {
    const large = source({ shape: [4096, 4096, 4096], chunkShape: [64, 64, 64] });
    const block = copyBlockSize(large, [64, 64, 64]);
    expect(sizeOf(block)).toBe(64 * 2 ** 20);
    expect(block.every((extent) => extent % 64 === 0)).toBe(true);
    expect(copyBlockSize(large, [1000, 1000, 64])).toEqual([1000, 1000, 64]);
    expect(sizeOf(copyBlockSize(large, [100, 100, 50]))).toBeLessThanOrEqual(64 * 2 ** 20);
  });

  test('grow over source chunks that are larger, up to 256 MiB', () => {
    const slices = source({ shape: [1000, 8192, 8192], chunkShape: [1, 8192, 8192] });
    const block = copyBlockSize(slices, [64, 64, 64]);
    expect(sizeOf(block)).toBe(256 * 2 ** 20);
    expect(block[0]).toBe(64);
    const whole = source({ shape: [256, 256, 256], chunkShape: [256, 256, 256] });
    expect(copyBlockSize(whole, [64, 64, 64])).toEqual([256, 256, 256]);
  });

  test('leave small arrays in several blocks, and none larger than the array needs', () => {
    const small = source({ shape: [250, 250, 250], chunkShape: [64, 64, 64] });
    const block = copyBlockSize(small, [64, 64, 64]);
    expect(block.reduce((count, extent) => count * Math.ceil(250 / extent), 1)).toBeGreaterThanOrEqual(8);
    expect(copyBlockSize(source({ shape: [10, 10, 10] }), [64, 64, 64])).toEqual([64, 64, 64]);
    const roi = { offset: [-40, 80, 12], shape: [40 * 128, 4 * 128, 4 * 128] };
    const large = source({ shape: [4096, 4096, 4096], chunkShape: [32, 32, 32] });
    expect(copyBlockSize(large, [32, 32, 32], roi)).toEqual([64, 64, 32]);
  });

  test('count channels', () => {
    const many = source({ shape: [10, 4096, 4096, 4096], chunkShape: [10, 64, 64, 64], channelAxes: 1 });
    expect(sizeOf(copyBlockSize(many, [10, 64, 64, 64]), 10)).toBeLessThanOrEqual(64 * 2 ** 20);
  });

  test('are cut into pieces of at most 256 MiB: whole files, or whole inner chunks of large shards', () => {
    const blocks = (more: Partial<ArrayMetadata>, extents: number[]) => copyPieceShape(source(more), extents);
    expect(blocks({ chunkShape: [64, 64, 64] }, [128, 128, 128])).toEqual([128, 128, 128]);
    const shards = { chunkShape: [64, 64, 64], shardShape: [1024, 1024, 1024] };
    expect(blocks(shards, [1024, 1024, 1024])).toEqual([256, 1024, 1024]);
    expect(blocks(shards, [1024, 100, 100])).toEqual([1024, 1024, 1024]);
    const channels = { shape: [64, 512, 512, 512], channelAxes: 1 };
    expect(blocks({ ...channels, chunkShape: [1, 64, 64, 64] }, [64, 256, 256, 256])).toEqual([16, 256, 256, 256]);
    expect(blocks({ ...channels, chunkShape: [64, 256, 256, 512] }, [64, 256, 256, 512])).toEqual([64, 256, 256, 512]);
  });
});
