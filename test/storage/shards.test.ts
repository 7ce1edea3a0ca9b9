import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { codeOf } from '../../lib/errors.js';
import { Coordinate } from '../../lib/geometry/coordinate.js';
import { ChunkedArray } from '../../lib/storage/chunked-array.js';
import type { Compressor } from '../../lib/storage/compressor.js';
import type { CreateOptions } from '../../lib/storage/create-array.js';
import { bytesOf, type TypedArray } from '../../lib/storage/data-type.js';
import { noise } from '../support/noise.js';
import { filesBelow, temporaryFolder } from '../support/stores.js';

const folder = temporaryFolder();
afterAll(folder.remove);
let arrays = 0;

interface Cut {
  readonly shape: number[];
  readonly shard: number[];
  readonly chunk: number[];
}

function create(cut: Cut, options: CreateOptions = {}): Promise<ChunkedArray> {
  const metadata = {
    shape: cut.shape,
    chunkShape: cut.chunk,
    shardShape: cut.shard,
    dataType: 'uint8' as const,
    channelAxes: 0,
    offset: Coordinate.filled(cut.shape.length, 0),
    voxelSize: Coordinate.filled(cut.shape.length, 1),
    units: cut.shape.map(() => ''),
    axisNames: cut.shape.map((_, axis) => `d${axis}`),
    attributes: {},
  };
  return ChunkedArray.create(join(folder.path, `array-${arrays++}`), metadata, options);
}

const zeros = (array: ChunkedArray) => array.shape.map(() => 0);
const readAll = (array: ChunkedArray) => array.readRegion(zeros(array), array.shape);
const writeAll = (array: ChunkedArray, data: TypedArray, threads = 2) =>
  array.writeRegion(zeros(array), array.shape, data, { threads });
const same = (a: TypedArray, b: TypedArray) => Buffer.compare(bytesOf(a), bytesOf(b)) === 0;

interface Failure {
  readonly code?: string;
  readonly message: string;
  readonly details: Record<string, unknown>;
}

async function failure(action: Promise<unknown>): Promise<Failure> {
  try {
    await action;
  } catch (error) {
    return error as Failure;
  }
  throw new Error('expected a failure');
}

/** Offset and length of each inner chunk, from an index at the end with its checksum; undefined where there is none. */
function indexOf(file: Buffer, count: number): ([number, number] | undefined)[] {
  const begin = file.length - 16 * count - 4;
  return Array.from({ length: count }, (_, number) => {
    const [offset, length] = [0, 8].map((at) => file.readBigUInt64LE(begin + 16 * number + at));
    return offset === 2n ** 64n - 1n && length === offset ? undefined : [Number(offset), Number(length)];
  });
}

const SQUARE: Cut = { shape: [8, 8], shard: [8, 8], chunk: [2, 4] };

describe('the file of a shard', () => {
  test('holds inner chunks in C order without gaps, and no inner chunk of fill value', async () => {
    const array = await create(SQUARE);
    expect(array.metadata.shardShape).toEqual([8, 8]);
    expect((await ChunkedArray.open(array.path)).metadata).toEqual(array.metadata);
    const data = noise(1, 64);
    // Inner chunks 2 and 7 of 4 x 2: rows 2 and 3, columns 0 to 3; rows 6 and 7, columns 4 to 7.
    for (const [row, column] of [
      [2, 0],
      [3, 0],
      [6, 4],
      [7, 4],
    ])
      data.fill(0, 8 * row + column, 8 * row + column + 4);
    await writeAll(array, data);
    const file = readFileSync(join(array.path, 'c/0/0'));
    const index = indexOf(file, 8);
    expect(index.map((entry) => entry === undefined)).toEqual([false, false, true, false, false, false, false, true]);
    let end = 0;
    for (const entry of index) {
      if (entry === undefined) continue;
      expect(entry[0]).toBe(end);
      end += entry[1];
    }
    expect(file.length).toBe(end + 16 * 8 + 4);
    expect(same(await readAll(array), data)).toBe(true);
  });

  test('is removed when all of it is fill value', async () => {
    const array = await create({ ...SQUARE, shape: [8, 16] }, { fillValue: 7 });
    await writeAll(array, noise(2, 128));
    await array.writeRegion([0, 8], [8, 16], new Uint8Array(64).fill(7));
    expect([...filesBelow(array.path).keys()]).toEqual(['c/0/0', 'zarr.json']);
    await array.writeRegion([0, 0], [8, 7], new Uint8Array(56).fill(7));
    await array.writeRegion([0, 7], [8, 8], new Uint8Array(8).fill(7));
    expect([...filesBelow(array.path).keys()]).toEqual(['zarr.json']);
    expect(same(await readAll(array), new Uint8Array(128).fill(7))).toBe(true);
  });

  test.each<Compressor>([{ name: 'zstd' }, { name: 'none' }])(
    'has the same bytes for any number of threads: %j',
    async (compressor) => {
      const cut = { shape: [90, 70, 50], shard: [60, 40, 30], chunk: [6, 5, 10] };
      const data = noise(3, 90 * 70 * 50).map((byte, i) => (i % 4096 < 2048 ? byte : i >> 12));
      const stores = await Promise.all(
        [1, 2, 5, 16].map(async (threads) => {
          const array = await create(cut, { compressor });
          await writeAll(array, data, threads);
          expect(same(await array.readRegion([1, 2, 3], [89, 69, 49], { threads }), await part(array))).toBe(true);
          return filesBelow(array.path);
        }),
      );
      const [first, ...others] = stores.map((files) =>
        [...files].map(([name, bytes]) => [name, bytes.toString('base64')]),
      );
      for (const files of others) expect(files).toEqual(first);
      async function part(array: ChunkedArray): Promise<TypedArray> {
        return array.readRegion([1, 2, 3], [89, 69, 49], { threads: 1 });
      }
    },
  );
});

describe('a damaged inner chunk', () => {
  /** An array with one bit of inner chunk 5 changed, in [4, 6) x [4, 8). */
  async function damaged(): Promise<{ array: ChunkedArray; data: Uint8Array; inner: Buffer }> {
    const array = await create(SQUARE, { checksum: true });
    const data = noise(4, 64);
    await writeAll(array, data);
    const path = join(array.path, 'c/0/0');
    const file = readFileSync(path);
    const [offset, length] = indexOf(file, 8)[5]!;
    file[offset + 3] ^= 16;
    writeFileSync(path, file);
    return { array, data, inner: Buffer.from(file.subarray(offset, offset + length)) };
  }

  test('is named with its shard; regions beside it are read', async () => {
    const { array, data } = await damaged();
    const error = await failure(readAll(array));
    expect(error.code).toBe('ERR_CHUNK_CORRUPT');
    expect(error.message).toContain(`shard c/0/0 of ${array.path} is damaged: inner chunk [2,1]: crc32c`);
    expect(error.details).toMatchObject({ path: array.path, chunk: 'c/0/0', inner: '2,1' });
    expect(same(await array.readRegion([0, 0], [4, 8]), data.subarray(0, 32))).toBe(true);
    expect(same(await array.readRegion([6, 0], [8, 8]), data.subarray(48))).toBe(true);
  });

  test('stays as it is when others are written, and is replaced when it is written as a whole', async () => {
    const { array, data, inner } = await damaged();
    await array.writeRegion([0, 0], [3, 8], new Uint8Array(24).fill(9));
    const file = readFileSync(join(array.path, 'c/0/0'));
    const [offset, length] = indexOf(file, 8)[5]!;
    expect(file.subarray(offset, offset + length).equals(inner)).toBe(true);
    expect(codeOf(await failure(array.readRegion([4, 4], [5, 5])))).toBe('ERR_CHUNK_CORRUPT');
    const before = filesBelow(array.path);
    const error = await failure(array.writeRegion([4, 4], [5, 5], new Uint8Array(1)));
    expect([error.code, error.details.inner]).toEqual(['ERR_CHUNK_CORRUPT', '2,1']);
    expect(filesBelow(array.path)).toEqual(before);
    await array.writeRegion([4, 4], [6, 8], data.subarray(36, 44));
    const expected = Uint8Array.from(data);
    expected.fill(9, 0, 24);
    expected.set(data.subarray(36, 40), 36);
    expected.set(data.subarray(40, 44), 44);
    expect(same(await readAll(array), expected)).toBe(true);
  });

  test.each([
    ['beyond the shard', 1n, 10_000n, 'beyond the shard'],
    ['beyond 64 bits', 2n ** 64n - 2n, 5n, 'beyond the shard'],
    ['in the index', 100n, 500n, 'where the index lies'],
    ['half empty', 2n ** 64n - 1n, 5n, 'half of an empty entry'],
    ['without bytes', 4n, 0n, ''],
  ])('an entry %s is refused, by a read and by a write that would keep it', async (_, offset, length, reason) => {
    const array = await create({ shape: [4, 200], shard: [4, 200], chunk: [1, 200] }, { compressor: { name: 'none' } });
    const path = join(array.path, 'zarr.json');
    const metadata = JSON.parse(readFileSync(path, 'utf8')) as {
      codecs: { configuration: { index_codecs: unknown[] } }[];
    };
    metadata.codecs[0].configuration.index_codecs.length = 1;
    writeFileSync(path, JSON.stringify(metadata));
    const opened = await ChunkedArray.open(array.path);
    await writeAll(opened, noise(5, 800));
    const shard = join(array.path, 'c/0/0');
    const file = readFileSync(shard);
    expect(file.length).toBe(800 + 64);
    file.writeBigUInt64LE(offset, 800 + 32);
    file.writeBigUInt64LE(length === 500n ? 750n : length, 800 + 40);
    writeFileSync(shard, file);
    const write = () => opened.writeRegion([0, 0], [1, 200], new Uint8Array(200));
    for (const action of [() => readAll(opened), write]) {
      const error = await failure(action());
      expect([error.code, error.details.inner]).toEqual(['ERR_CHUNK_CORRUPT', '2,0']);
      expect(error.message).toContain(reason);
    }
    expect(readFileSync(shard).equals(file)).toBe(true);
    expect([...filesBelow(array.path).keys()]).toEqual(['c/0/0', 'zarr.json']);
  });
});

describe('what goes wrong while a shard is written', () => {
  const CUT: Cut = { shape: [64, 64], shard: [64, 64], chunk: [4, 4] };

  test('leaves the old shard and no temporary file, with any number of threads', async () => {
    const array = await create(CUT, { checksum: true });
    await writeAll(array, noise(6, 4096));
    const path = join(array.path, 'c/0/0');
    const file = readFileSync(path);
    // Every eighth inner chunk: several threads fail, others wait for them.
    indexOf(file, 256).forEach((entry, number) => {
      if (entry !== undefined && number % 8 === 7) file[entry[0]] ^= 1;
    });
    writeFileSync(path, file);
    for (const threads of [1, 2, 8]) {
      // Covers every inner chunk in part.
      const error = await failure(array.writeRegion([1, 1], [63, 63], noise(7, 62 * 62), { threads }));
      expect(error.code).toBe('ERR_CHUNK_CORRUPT');
      expect([...filesBelow(array.path).keys()]).toEqual(['c/0/0', 'zarr.json']);
      expect(readFileSync(path).equals(file)).toBe(true);
    }
  });

  test('a folder in its place: the system error is named', async () => {
    const array = await create(CUT);
    mkdirSync(join(array.path, 'c/0/0/x'), { recursive: true });
    const error = await failure(writeAll(array, noise(8, 4096)));
    expect([error.code, error.details.errno]).toEqual(['ERR_IO', 'EISDIR']);
    expect([...filesBelow(array.path).keys()]).toEqual(['zarr.json']);
    expect((await failure(readAll(array))).code).toBe('ERR_CHUNK_CORRUPT');
  });

  test('a cancelled write leaves no temporary file', async () => {
    const array = await create({ shape: [1024, 1024], shard: [1024, 1024], chunk: [8, 8] });
    const controller = new AbortController();
    const writing = array.writeRegion([0, 0], [1024, 1024], noise(9, 2 ** 20), {
      signal: controller.signal,
      threads: 2,
    });
    setTimeout(() => controller.abort(), 3);
    const outcome = await writing.then(
      () => undefined,
      (error: unknown) => codeOf(error),
    );
    expect([undefined, 'ERR_CANCELLED']).toContain(outcome);
    const names = [...filesBelow(array.path).keys()];
    expect(names).toEqual(outcome === undefined ? ['c/0/0', 'zarr.json'] : ['zarr.json']);
  });
});

describe('shards that are refused', () => {
  const refusals: [string, Cut, CreateOptions, string][] = [
    ['that the chunk does not divide', { shape: [8], shard: [6], chunk: [4] }, {}, 'ERR_METADATA'],
    ['of more than 2^22 chunks', { shape: [9e6], shard: [8388608], chunk: [1] }, {}, 'ERR_LIMIT'],
    ['of more than 2^40 bytes', { shape: [2e12], shard: [2 ** 41], chunk: [2 ** 30] }, {}, 'ERR_LIMIT'],
    ['in zarr v2', { shape: [8], shard: [8], chunk: [4] }, { zarrFormat: 2 }, 'ERR_ARGUMENT'],
    ['of other dimensions', { shape: [8], shard: [8, 8], chunk: [4] }, {}, 'ERR_ARGUMENT'],
  ];

  test.each(refusals)('%s', async (_, cut, options, code) => {
    expect((await failure(create(cut, options))).code).toBe(code);
  });

  test.each([
    ['inside codecs, of more than 2^31 bytes', 1, [{ name: 'gzip', configuration: { level: 1 } }], 2 ** 31],
    ['five inside each other', 5, [], 32],
  ])('%s', async (_, levels, around, extent) => {
    const array = await create({ shape: [64], shard: [64], chunk: [1] });
    const path = join(array.path, 'zarr.json');
    const metadata = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
    const index = [{ name: 'bytes', configuration: { endian: 'little' } }];
    let codecs: unknown[] = [{ name: 'bytes' }];
    for (let level = levels - 1; level >= 0; level -= 1) {
      const configuration = { chunk_shape: [extent / 2 ** (level + 1)], codecs, index_codecs: index };
      codecs = [{ name: 'sharding_indexed', configuration }, ...(level === 0 ? around : [])];
    }
    metadata.chunk_grid = { name: 'regular', configuration: { chunk_shape: [extent] } };
    writeFileSync(path, JSON.stringify({ ...metadata, codecs }));
    expect((await failure(ChunkedArray.open(array.path))).code).toBe('ERR_LIMIT');
  });

  test('an array that went away does not read as fill value', async () => {
    const array = await create(SQUARE);
    rmSync(array.path, { recursive: true });
    expect((await failure(readAll(array))).code).toBe('ERR_ARRAY_MISSING');
  });
});
