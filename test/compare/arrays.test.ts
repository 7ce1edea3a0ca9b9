import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type ArrayComparison, type ArrayOptions, compareArrays } from '../../lib/compare/compare-arrays.js';
import { compareStores } from '../../lib/compare/compare-stores.js';
import { Coordinate } from '../../lib/geometry/coordinate.js';
import { Roi } from '../../lib/geometry/roi.js';
import { ChunkedArray } from '../../lib/storage/chunked-array.js';
import type { ArrayMetadata, TypedArray } from '../../lib/storage/metadata.js';
import { openArray } from '../../lib/storage/open-store.js';
import { goldens, readJson } from '../support/goldens.js';
import { serveFolder } from '../support/http-server.js';
import { metadataOf } from '../support/small-volume.js';
import { temporaryFolder, unpackStores } from '../support/stores.js';

const folder = temporaryFolder();
beforeAll(() => unpackStores(folder.path));
afterAll(folder.remove);

let serial = 0;
/** A new array with these voxels. */
async function arrayOf(data: TypedArray, more: Partial<ArrayMetadata>): Promise<ChunkedArray> {
  const array = await ChunkedArray.create(join(folder.path, `array-${serial++}`), metadataOf(more));
  await array.writeRegion(
    array.shape.map(() => 0),
    array.shape,
    data,
    { durable: false },
  );
  return array;
}

const SHAPE = [20, 30, 40];
const COUNT = 20 * 30 * 40;
const placed = { shape: SHAPE, chunkShape: [8, 8, 8], offset: new Coordinate([80, 0, -8]) };
const at = (z: number, y: number, x: number) => (z * 30 + y) * 40 + x;
const ramp = () => Float32Array.from({ length: COUNT }, (_, index) => index % 251);

test('every golden array equals what its writer saved as .npy', async () => {
  interface Good {
    readonly name: string;
    readonly path: string;
    readonly expected: string;
    readonly dtype: string;
    readonly optional?: boolean;
    readonly levels?: readonly { readonly path: string; readonly expected: string }[];
  }
  const { good } = readJson<{ good: Good[] }>(join(goldens, 'storage', 'manifest.json.gz'));
  // refused: an offset beyond 2^53, half units, what the manifest says may be, float16 in .npy
  const refused = /^funlib-large-offset$|-no-units$/;
  const whole = good.filter(
    ({ name, optional, dtype }) => optional !== true && dtype !== 'float16' && !refused.test(name),
  );
  const pairs = whole.flatMap(({ path, expected, levels }) =>
    levels === undefined ? [[path, expected]] : levels.map((level) => [join(path, level.path), level.expected]),
  );
  expect(pairs.length).toBeGreaterThan(190);
  for (const [path, expected] of pairs) {
    const result = await compareStores(join(folder.path, path), join(folder.path, expected), { byIndex: true });
    expect([path, result.equal]).toEqual([path, true]);
  }
});

describe('values', () => {
  test('differences are counted and located, in voxels and in the world', async () => {
    const changed = ramp();
    changed[at(3, 4, 5)] += 1;
    changed[at(3, 4, 6)] -= 7;
    changed[at(17, 29, 0)] = Number.NaN;
    const [a, b] = [
      await arrayOf(ramp(), { ...placed, dataType: 'float32' }),
      await arrayOf(changed, { ...placed, dataType: 'float32' }),
    ];
    const result = await compareArrays(a, b, { blockShape: [8, 8, 8] });
    expect(result).toMatchObject({ equal: false, sense: 'exact', metadata: [] });
    expect(result.compared).toMatchObject({ voxels: COUNT, outside: [0, 0] });
    expect(result.values).toMatchObject({
      unequal: 3,
      different: 3,
      notNumbers: 1,
      largest: {
        difference: 7,
        index: [3, 4, 6],
        world: [104, 32, 40],
        a: ramp()[at(3, 4, 6)],
        b: changed[at(3, 4, 6)],
      },
      first: [{ index: [3, 4, 5] }, { index: [3, 4, 6] }, { index: [17, 29, 0], b: Number.NaN }],
      box: { begin: [3, 4, 0], end: [18, 30, 7] },
      blocks: 60,
      differentBlocks: 2,
      worstBlocks: [
        { begin: [0, 0, 0], end: [8, 8, 8], different: 2 },
        { begin: [16, 24, 0], end: [20, 30, 8], different: 1 },
      ],
      worstPlane: { axis: 0, index: 3, different: 2 },
    });
    const close = await compareArrays(a, b, { tolerance: 1, limit: 1 });
    expect(close).toMatchObject({ equal: false, sense: 'tolerance' });
    expect(close.values).toMatchObject({ unequal: 3, different: 2, first: [{ index: [3, 4, 6] }] });
    expect(await compareArrays(a, b, { roi: new Roi([80, 0, -8], [16, 240, 320]) })).toMatchObject({ equal: true });
    const near = await compareArrays(a, b, { tolerance: 7, roi: new Roi([80, 0, -8], [80, 240, 320]) });
    expect(near).toMatchObject({ equal: true, values: { unequal: 2, different: 0, box: undefined } });
  });

  test('NaN equals NaN; types may differ', async () => {
    const odd = ramp();
    odd[7] = Number.NaN;
    const a = await arrayOf(odd, { ...placed, dataType: 'float32' });
    const b = await arrayOf(Float64Array.from(odd), { ...placed, chunkShape: [20, 5, 40], dataType: 'float64' });
    expect(await compareArrays(a, b)).toMatchObject({
      equal: true,
      metadata: [
        { what: 'data type', a: 'float32', b: 'float64' },
        { what: 'chunks', a: '8, 8, 8', b: '20, 5, 40' },
      ],
    });
    const labels = await arrayOf(
      Uint8Array.from({ length: COUNT }, (_, i) => i % 5),
      { ...placed, dataType: 'uint8' },
    );
    const wide = await arrayOf(
      BigUint64Array.from({ length: COUNT }, (_, i) => BigInt(i % 5)),
      { ...placed, dataType: 'uint64' },
    );
    expect(await compareArrays(labels, wide)).toMatchObject({ equal: true });
  });

  test('what is found does not depend on chunks, blocks and places', async () => {
    const part = fc.integer({ min: 1, max: 6 });
    await fc.assert(
      fc.asyncProperty(
        fc.tuple(part, part, part),
        fc.tuple(part, part, part),
        fc.tuple(fc.integer({ min: -2, max: 2 }), fc.integer({ min: -2, max: 2 }), fc.integer({ min: 0, max: 2 })),
        fc.option(fc.tuple(part, part, part), { nil: undefined }),
        fc.uint8Array({ minLength: 216, maxLength: 216, max: 2 }),
        async (chunkA, chunkB, shift, blockShape, values) => {
          const shape = [5, 4, 6];
          const data = values.slice(0, 120);
          const other = values.slice(96, 216);
          const a = await arrayOf(data, { shape, chunkShape: chunkA, dataType: 'uint8' });
          const offset = new Coordinate(shift.map((voxels) => 8 * voxels));
          const b = await arrayOf(other, { shape, chunkShape: chunkB, dataType: 'uint8', offset });
          const result = await compareArrays(a, b, { limit: 1000, blockShape });
          const expected: number[][] = [];
          let common = 0;
          for (let z = 0; z < 5; z++)
            for (let y = 0; y < 4; y++)
              for (let x = 0; x < 6; x++) {
                const [oz, oy, ox] = [z - shift[0], y - shift[1], x - shift[2]];
                if (oz < 0 || oz >= 5 || oy < 0 || oy >= 4 || ox < 0 || ox >= 6) continue;
                common++;
                if (data[(z * 4 + y) * 6 + x] !== other[(oz * 4 + oy) * 6 + ox]) expected.push([z, y, x]);
              }
          expect(result.compared.voxels).toBe(common);
          expect(result.compared.outside).toEqual([120 - common, 120 - common]);
          expect(result.values?.different).toBe(expected.length);
          const found = result.values!.first.map(({ index }) => index as number[]);
          expect(found.sort((p, q) => p[0] - q[0] || p[1] - q[1] || p[2] - q[2])).toEqual(expected);
          expect(result.equal).toBe(expected.length === 0 && common === 120);
        },
      ),
      { numRuns: 40 },
    );
  });
});

describe('places', () => {
  const small = { shape: [4, 4, 4], chunkShape: [4, 4, 4], dataType: 'uint8' } as const;
  const zeros = () => new Uint8Array(64);

  test('voxels that one alone has count, unless only the overlap is asked for', async () => {
    const a = await arrayOf(zeros(), small);
    const b = await arrayOf(zeros(), { ...small, offset: new Coordinate([8, 0, 0]) });
    const result = await compareArrays(a, b);
    expect(result).toMatchObject({
      equal: false,
      compared: { voxels: 48, outside: [16, 16] },
      values: { different: 0 },
    });
    expect(result.compared.roi.toString()).toBe('[8:32, 0:32, 0:32] (24, 32, 32)');
    expect(result.metadata).toEqual([{ what: 'offset', a: '0, 0, 0', b: '8, 0, 0' }]);
    expect(await compareArrays(a, b, { overlap: true })).toMatchObject({ equal: true });
    // a part that both have whole
    expect(await compareArrays(a, b, { roi: new Roi([8, 0, 0], [8, 32, 32]) })).toMatchObject({ equal: true });
    // a part that A has and B has not
    const cut = await compareArrays(a, b, { roi: new Roi([0, 0, 0], [16, 32, 32]) });
    expect(cut).toMatchObject({ equal: false, compared: { voxels: 16, outside: [16, 0] } });
    expect((await compareArrays(a, b, { byIndex: true })).compared).toMatchObject({
      voxels: 64,
      byIndex: 'as was asked for',
    });
  });

  test('arrays of one shape without one voxel size are compared by index', async () => {
    const a = await arrayOf(zeros(), small);
    const b = await arrayOf(zeros(), { ...small, voxelSize: new Coordinate([1, 1, 1]) });
    const result = await compareArrays(a, b);
    expect(result).toMatchObject({
      equal: true,
      compared: { byIndex: 'voxel sizes [8, 8, 8] and [1, 1, 1], but one shape' },
    });
  });

  const refused = async (a: ChunkedArray, b: ChunkedArray, options?: ArrayOptions) => {
    const error = await compareArrays(a, b, options).catch(
      (reason: unknown) => reason as { code: string; message: string },
    );
    expect(error).toMatchObject({ code: 'ERR_ARGUMENT' });
    return (error as { message: string }).message;
  };

  test('what cannot be compared is refused', async () => {
    const a = await arrayOf(zeros(), small);
    const flat = { shape: [8, 8], chunkShape: [8, 8], dataType: 'uint8', offset: new Coordinate([0, 0]) } as const;
    const two = { voxelSize: new Coordinate([8, 8]), units: ['nm', 'nm'], axisNames: ['y', 'x'] };
    expect(await refused(a, await arrayOf(zeros(), { ...flat, ...two }))).toContain('expected as many axes');
    const coarse = { shape: [4, 4, 2], chunkShape: [4, 4, 2], voxelSize: new Coordinate([8, 8, 16]) };
    expect(await refused(a, await arrayOf(new Uint8Array(32), { ...small, ...coarse }))).toContain(
      'expected voxels of one size, found voxel sizes [8, 8, 8] and [8, 8, 16]; --by-index',
    );
    const between = await arrayOf(zeros(), { ...small, offset: new Coordinate([4, 0, 0]) });
    expect(await refused(a, between)).toContain('expected offsets that differ by whole voxels');
    const far = await arrayOf(zeros(), { ...small, offset: new Coordinate([320, 0, 0]) });
    expect(await refused(a, far)).toContain('expected arrays that overlap');
    expect(await refused(a, a, { roi: new Roi([0], [8]) })).toContain('roi: expected 3 axes');
    expect(await refused(a, a, { roi: new Roi([800, 0, 0], [8, 8, 8]) })).toContain('expected arrays that overlap');
  });

  test('an array on a server is read there', async () => {
    const server = await serveFolder(folder.path);
    try {
      const data = zeros().map((_, index) => index);
      const a = await arrayOf(data, small);
      const b = `${server.address}/${a.path.slice(folder.path.length + 1)}`;
      expect(await compareStores(a.path, b)).toMatchObject({ kind: 'arrays', equal: true, b });
    } finally {
      await server.close();
    }
  });
});

describe('.npy files', () => {
  const npy = (name: string, header: string, data: Uint8Array, version = 1) => {
    const text = Buffer.from(header.padEnd(118 - (version > 1 ? 2 : 0)));
    const length =
      version === 1 ? Buffer.from(Uint16Array.of(text.length).buffer) : Buffer.from(Uint32Array.of(text.length).buffer);
    const path = join(folder.path, name);
    writeFileSync(
      path,
      Buffer.concat([Buffer.from(`\x93NUMPY`, 'latin1'), Buffer.from([version, 0]), length, text, data]),
    );
    return path;
  };
  const header = (more = '') => `{'descr': '<i2', 'fortran_order': False, 'shape': (3, 4, 5), ${more}}`;
  const values = Int16Array.from({ length: 60 }, (_, index) => index - 30);

  /** As numpy writes the values: Fortran order has the first axis fastest, '>' the high byte first. */
  const stored = (fortran: boolean, big: boolean) => {
    const bytes = Buffer.alloc(120);
    for (let z = 0; z < 3; z++)
      for (let y = 0; y < 4; y++)
        for (let x = 0; x < 5; x++) {
          const place = 2 * (fortran ? (x * 4 + y) * 3 + z : (z * 4 + y) * 5 + x);
          const value = values[(z * 4 + y) * 5 + x];
          if (big) bytes.writeInt16BE(value, place);
          else bytes.writeInt16LE(value, place);
        }
    return bytes;
  };

  test.each([
    [1, false, false],
    [2, false, true],
    [3, true, false],
    [1, true, true],
  ])(
    'version %i, Fortran order %s, big endian %s: regions are read as of a plain array',
    async (version, fortran, big) => {
      const text = header()
        .replace('False', fortran ? 'True' : 'False')
        .replace('<i2', big ? '>i2' : '<i2');
      const volume = await openArray(npy('a.npy', text, stored(fortran, big), version));
      for (const [begin, end] of [
        [
          [0, 0, 0],
          [3, 4, 5],
        ],
        [
          [1, 0, 0],
          [3, 4, 5],
        ],
        [
          [1, 1, 0],
          [2, 3, 5],
        ],
        [
          [0, 1, 2],
          [3, 3, 4],
        ],
        [
          [2, 2, 2],
          [2, 2, 2],
        ],
      ]) {
        const expected: number[] = [];
        for (let z = begin[0]; z < end[0]; z++)
          for (let y = begin[1]; y < end[1]; y++)
            for (let x = begin[2]; x < end[2]; x++) expected.push(values[(z * 4 + y) * 5 + x]);
        expect([...((await volume.readRegion(begin, end)) as Int16Array)]).toEqual(expected);
      }
      const { data } = await volume.readRoi(new Roi([-1, 0, 4], [2, 1, 2]), { fill: 7 });
      expect([...(data as Int16Array)]).toEqual([7, 7, values[4], 7]);
    },
  );

  test.each([
    ['half precision', header().replace('<i2', '<f2'), 120, 'ERR_UNSUPPORTED'],
    ['structured', header().replace("'<i2'", "[('a', '<i2')]"), 120, 'ERR_UNSUPPORTED'],
    ['a cut file', header(), 119, 'ERR_CHUNK_CORRUPT'],
    ['no shape', "{'descr': '<i2', 'fortran_order': False}", 120, 'ERR_METADATA'],
  ])('%s is refused', async (_, text, bytes, code) => {
    await expect(openArray(npy('bad.npy', text, new Uint8Array(bytes)))).rejects.toMatchObject({ code });
  });

  test('a read that fails waits for its other reads', async () => {
    const path = npy('shortened.npy', header(), new Uint8Array(values.buffer));
    const volume = await openArray(path);
    truncateSync(path, 128);
    let looks = 0;
    // cancelled where five of its runs are being read, all of which fail
    const signal = {
      get aborted() {
        return ++looks > 5;
      },
    };
    await expect(
      volume.readRegion([0, 0, 1], [3, 4, 5], { signal: signal as unknown as AbortSignal }),
    ).rejects.toMatchObject({ code: 'ERR_CANCELLED' });
    // a rejection that nobody handles, Jest counts as a failure of this test
    await new Promise(setImmediate);
    expect(looks).toBe(6);
    // without a signal the first that fails is told
    await expect(volume.readRegion([0, 0, 1], [3, 4, 5])).rejects.toMatchObject({ code: 'ERR_CHUNK_CORRUPT' });
  });

  test('other files are no .npy', async () => {
    const path = join(folder.path, 'other.npy');
    for (const content of ['', 'text that is no array', '\x93NUMPY\x09\0abcd', '\x93NUMPY\x01\0\xff\xff']) {
      writeFileSync(path, Buffer.from(content, 'latin1'));
      await expect(openArray(path)).rejects.toMatchObject({ code: 'ERR_METADATA' });
    }
  });
});

test('a comparison is cancelled', async () => {
  const a = await arrayOf(ramp(), { ...placed, dataType: 'float32' });
  await expect(compareArrays(a, a, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ERR_CANCELLED' });
});

test('blocks are told of', async () => {
  const a = await arrayOf(ramp(), { ...placed, dataType: 'float32' });
  const seen: number[][] = [];
  const result: ArrayComparison = await compareArrays(a, a, {
    blockShape: [10, 30, 40],
    onBlock: (...state) => seen.push(state),
  });
  expect(result.equal).toBe(true);
  expect(seen).toEqual([
    [1, 2, COUNT * 4],
    [2, 2, COUNT * 8],
  ]);
});
