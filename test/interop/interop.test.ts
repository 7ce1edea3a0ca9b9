import { createHash } from 'node:crypto';
import { cpSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Coordinate } from '../../lib/geometry/coordinate.js';
import { pipeline, type TaskInput } from '../../lib/pipeline/pipeline.js';
import { planPipeline } from '../../lib/pipeline/plan.js';
import { runSerially } from '../../lib/pipeline/run-serially.js';
import { ChunkedArray } from '../../lib/storage/chunked-array.js';
import type { CreateOptions } from '../../lib/storage/create-array.js';
import { bytesOf, factsOf } from '../../lib/storage/data-type.js';
import { type Hierarchy, listHierarchy } from '../../lib/storage/hierarchy.js';
import type { ArrayMetadata, DataType, TypedArray } from '../../lib/storage/metadata.js';
import { CONVERTED_TYPES } from '../../lib/storage/operations/operation.js';
import { seededRandom } from '../support/seeded-random.js';
import { temporaryFolder } from '../support/stores.js';
import { readStores, whyNoReaders } from './environment.js';

/** An array that was written, and what a reader must find. */
interface Case {
  readonly name: string;
  readonly path: string;
  readonly zarrFormat: 2 | 3;
  readonly metadata: ArrayMetadata;
  readonly sha256: string;
}

interface Found {
  readonly shape: number[];
  readonly dtype: string;
  readonly sha256: string;
}

const folder = temporaryFolder();
afterAll(folder.remove);
const random = seededRandom(11);

const TYPES: readonly DataType[] = CONVERTED_TYPES;

/** Values of the whole range of a type; of floats also those that are no numbers. */
function values(dataType: DataType, count: number): TypedArray {
  const { array: Values, bytes, kind } = factsOf(dataType);
  const result = new Values(count);
  if (kind === 'boolean') for (let i = 0; i < count; i++) result[i] = random() < 0.5 ? 1 : 0;
  else if (kind === 'float') {
    for (let i = 0; i < count; i++)
      result[i] = [Number.NaN, Number.POSITIVE_INFINITY, -0, Math.fround(random() * 1e6)][i % 4];
  } else {
    const raw = bytesOf(result);
    for (let i = 0; i < count * bytes; i++) raw[i] = random() * 256;
  }
  return result;
}

const BASE: ArrayMetadata = {
  shape: [11, 13, 9],
  chunkShape: [4, 8, 8],
  dataType: 'uint16',
  channelAxes: 0,
  offset: new Coordinate([80, 0, -12]),
  voxelSize: new Coordinate([40, 4, 4]),
  units: ['nm', 'nm', 'nm'],
  axisNames: ['z', 'y', 'x'],
  attributes: {},
};

async function write(
  name: string,
  more: Partial<ArrayMetadata>,
  options: CreateOptions = {},
  data?: TypedArray,
): Promise<Case> {
  const metadata = { ...BASE, ...more };
  const path = join(folder.path, name);
  const array = await ChunkedArray.create(path, metadata, options);
  const content =
    data ??
    values(
      metadata.dataType,
      metadata.shape.reduce((a, b) => a * b, 1),
    );
  await array.writeRegion(
    metadata.shape.map(() => 0),
    metadata.shape,
    content,
    { durable: false },
  );
  const sha256 = createHash('sha256').update(bytesOf(content)).digest('hex');
  return { name, path, zarrFormat: options.zarrFormat ?? 3, metadata, sha256 };
}

/** An array of which only the first chunk is written: the rest is the fill value. */
async function writeHole(
  name: string,
  dataType: DataType,
  fillValue: number | bigint,
  zarrFormat: 2 | 3,
): Promise<Case> {
  const metadata: ArrayMetadata = {
    ...BASE,
    dataType,
    shape: [6, 5],
    chunkShape: [4, 4],
    offset: new Coordinate([0, 0]),
    voxelSize: new Coordinate([1, 1]),
    units: ['', ''],
    axisNames: ['y', 'x'],
  };
  const path = join(folder.path, name);
  const array = await ChunkedArray.create(path, metadata, { fillValue, zarrFormat });
  await array.writeRegion([0, 0], [4, 4], values(dataType, 16), { durable: false });
  const sha256 = createHash('sha256')
    .update(bytesOf(await array.readRegion([0, 0], [6, 5])))
    .digest('hex');
  return { name, path, zarrFormat, metadata, sha256 };
}

async function writeCases(): Promise<Case[]> {
  const cases: Case[] = [];
  for (const zarrFormat of [3, 2] as const) {
    const add = async (name: string, more: Partial<ArrayMetadata>, options: CreateOptions = {}) =>
      cases.push(await write(`v${zarrFormat}-${name}`, more, { ...options, zarrFormat }));
    for (const dataType of TYPES) await add(dataType, { dataType });
    await add('none', {}, { compressor: { name: 'none' } });
    await add('gzip', {}, { compressor: { name: 'gzip', level: 5 } });
    await add('zstd-9', {}, { compressor: { name: 'zstd', level: 9, checksum: false } });
    for (const shuffle of ['none', 'bytes', 'bits'] as const) {
      await add(
        `blosc-${shuffle}`,
        { dataType: 'float32' },
        { compressor: { name: 'blosc', compressor: 'zstd', shuffle } },
      );
    }
    const channels = {
      shape: [2, 5, 6, 7],
      chunkShape: [1, 5, 6, 4],
      channelAxes: 1,
      axisNames: ['c^', 'z', 'y', 'x'],
    };
    await add('channels', {
      ...channels,
      attributes: {
        neighborhood: [
          [1, 0, 0],
          [0, 1, 0],
        ],
      },
    });
    for (const [dataType, fill] of [
      ['float64', Number.NaN],
      ['float32', Number.NEGATIVE_INFINITY],
      ['uint64', 2n ** 64n - 1n],
      ['int64', -(2n ** 63n)],
      ['int8', -128],
      ['bool', 1],
    ] as const) {
      cases.push(await writeHole(`v${zarrFormat}-fill-${dataType}`, dataType, fill, zarrFormat));
    }
  }
  cases.push(await write('v3-crc32c', {}, { checksum: true }));
  cases.push(await write('v3-sharded', { chunkShape: [2, 4, 4], shardShape: [4, 8, 8], dataType: 'uint64' }));
  cases.push(
    await write(
      'v3-sharded-holes',
      { chunkShape: [2, 4, 4], shardShape: [8, 16, 16] },
      {},
      new Uint16Array(11 * 13 * 9).fill(7, 500, 600),
    ),
  );
  cases.push(
    await write(
      'v3-float16',
      { dataType: 'float16' },
      {},
      Float32Array.from({ length: 11 * 13 * 9 }, (_, i) => i / 8),
    ),
  );
  return cases;
}

interface ImageCase {
  readonly name: string;
  readonly path: string;
  readonly zarrFormat: 2 | 3;
  readonly version: string;
  readonly method: string;
  /** Over all axes, of the levels after the first. */
  readonly factors: number[][];
  readonly axes: (string | null)[][];
  readonly scale: number[][];
  readonly translation: number[][];
}

const FACTORS = [
  [1, 2, 2],
  [2, 3, 2],
];

async function writeImages(): Promise<ImageCase[]> {
  const sources: [string, string, Partial<ArrayMetadata>, object][] = [
    ['mean', 'mean', { dataType: 'uint8' }, {}],
    ['float', 'mean', { dataType: 'float32' }, {}],
    ['mode', 'mode', { dataType: 'uint64' }, {}],
    ['stride', 'stride', { dataType: 'int16' }, {}],
    [
      'channels',
      'mean',
      { shape: [2, 11, 13, 9], chunkShape: [1, 8, 8, 8], channelAxes: 1, axisNames: ['c^', 'z', 'y', 'x'] },
      {},
    ],
  ];
  const images: ImageCase[] = [];
  for (const [name, method, more] of sources) {
    const metadata = { ...BASE, ...more };
    const count = metadata.shape.reduce((a, b) => a * b, 1);
    const data =
      metadata.dataType === 'uint64'
        ? BigUint64Array.from({ length: count }, () => BigInt(Math.floor(random() * 3)) << 61n)
        : metadata.dataType === 'float32'
          ? Float32Array.from({ length: count }, () => Math.floor(random() * 64))
          : values(metadata.dataType, count);
    await write(`source-${name}`, more, {}, data);
    for (const version of ['0.5', '0.4'] as const) {
      const store = `image-${name}-${version}.zarr`;
      const levels: TaskInput = {
        type: 'downsample',
        source: 'raw',
        target: 'image',
        factors: FACTORS,
        method,
        version,
        blockSize: [6, 12, 12],
      };
      const arrays = { raw: { store: `source-${name}` }, image: { store } };
      await runSerially(
        await planPipeline(await pipeline({ name: 'interop', arrays, tasks: { levels } }, { folder: folder.path })),
      );
      const one = new Array<number>(metadata.channelAxes).fill(1);
      const zero = one.map(() => 0);
      const shift = method === 'stride' ? 0 : 0.5;
      const [first, second] = [FACTORS[0], FACTORS[0].map((factor, axis) => factor * FACTORS[1][axis])];
      const all = [[1, 1, 1], first, second];
      images.push({
        name: store,
        path: join(folder.path, store),
        zarrFormat: version === '0.4' ? 2 : 3,
        version,
        method,
        factors: [first, second].map((factors) => [...one, ...factors]),
        axes: metadata.axisNames.map((axis) => (axis === 'c^' ? ['c', 'channel', null] : [axis, 'space', 'nanometer'])),
        scale: all.map((factors) => [...one, ...factors.map((factor, axis) => factor * BASE.voxelSize.at(axis))]),
        translation: all.map((factors) => [
          ...zero,
          ...factors.map((factor, axis) => BASE.offset.at(axis) + (factor - 1) * shift * BASE.voxelSize.at(axis)),
        ]),
      });
    }
  }
  return images;
}

/** float16 is float32 in memory, so its bytes are others than those in the file. */
const comparable = (cases: readonly Case[]) => cases.filter(({ metadata }) => metadata.dataType !== 'float16');

const reason = whyNoReaders();
const suite = reason === undefined ? describe : describe.skip;

suite(`what we write is what others read${reason === undefined ? '' : ` (${reason})`}`, () => {
  let cases: Case[] = [];
  let images: ImageCase[] = [];
  beforeAll(async () => {
    cases = await writeCases();
    images = await writeImages();
  });

  function expectContent(found: Record<string, Found & { error?: string }>, list: readonly Case[]): void {
    const expected = list.map(({ name, metadata, sha256 }) => [
      name,
      { shape: metadata.shape, dtype: metadata.dataType, sha256 },
    ]);
    const short = Object.entries(found).map(([name, one]) => [
      name,
      one.error ?? { shape: one.shape, dtype: one.dtype, sha256: one.sha256 },
    ]);
    expect(Object.fromEntries(short)).toEqual(Object.fromEntries(expected));
  }

  test('the list is whole', () => {
    expect([cases.length, images.length]).toEqual([52, 10]);
  });

  test('zarr-python 3: content and attributes', () => {
    const found = readStores<Found & { attributes: Record<string, unknown> }>('zarr3', 'zarr', comparable(cases));
    expectContent(found, comparable(cases));
    expect(found['v3-channels'].attributes).toMatchObject({
      neighborhood: [
        [1, 0, 0],
        [0, 1, 0],
      ],
      voxel_size: [40, 4, 4],
    });
    const half = readStores<Found>(
      'zarr3',
      'zarr',
      cases.filter(({ name }) => name === 'v3-float16'),
    );
    expect(half['v3-float16']).toMatchObject({ dtype: 'float16', shape: [11, 13, 9] });
  });

  test('zarr-python 2: content of zarr v2', () => {
    const old = cases.filter(({ zarrFormat }) => zarrFormat === 2);
    expectContent(readStores<Found>('zarr2', 'zarr', old), old);
  });

  test('tensorstore: content and dimension names', () => {
    const found = readStores<Found & { dimensionNames: string[] }>('zarr3', 'tensorstore', comparable(cases));
    expectContent(found, comparable(cases));
    expect(found['v3-channels'].dimensionNames).toEqual(['c', 'z', 'y', 'x']);
  });

  test('funlib.persistence: content and place in the world', () => {
    const list = comparable(cases);
    const found = readStores<Found & Record<string, unknown>>('zarr3', 'funlib', list);
    expectContent(found, list);
    for (const { name, metadata } of list) {
      const { offset, voxelSize, units, axisNames, channelAxes } = metadata;
      expect(found[name]).toMatchObject({
        offset: offset.values,
        voxelSize: voxelSize.values,
        units,
        axisNames,
        types: axisNames.map((_, axis) => (axis < channelAxes ? 'channel' : 'space')),
      });
    }
  });

  test('a validator of OME-Zarr: axes, levels, scales and translations', () => {
    const found = readStores<Record<string, unknown>>('zarr3', 'ome', images);
    for (const { name, version, axes, scale, translation } of images) {
      const levels = scale.map((one, level) => ({ path: `s${level}`, scale: one, translation: translation[level] }));
      expect([name, found[name]]).toEqual([name, { kind: 'Image', version, axes, levels }]);
    }
  });

  test("levels are what tensorstore's downsample makes of the finest one", async () => {
    const found = readStores<Found[]>('zarr3', 'downsample', images);
    const levels = images.flatMap(({ name, path, zarrFormat, factors }) =>
      factors.map((_, level) => ({ name: `${name} s${level + 1}`, path: join(path, `s${level + 1}`), zarrFormat })),
    );
    const ours = readStores<Found>('zarr3', 'tensorstore', levels);
    for (const { name, factors } of images) {
      for (const level of factors.keys()) {
        const { shape, dtype, sha256 } = ours[`${name} s${level + 1}`];
        expect([name, level, { shape, dtype, sha256 }]).toEqual([name, level, found[name][level]]);
      }
    }
  });

  test('consolidated metadata that zarr-python 2 and 3 write lists what there is', async () => {
    for (const [environment, version, file] of [
      ['zarr3', '0.5', 'zarr.json'],
      ['zarr2', '0.4', '.zmetadata'],
    ] as const) {
      const image = images.find((one) => one.version === version && one.name.startsWith('image-mean'));
      if (image === undefined) throw new Error('no image');
      const path = join(folder.path, `consolidated-${version}.zarr`);
      cpSync(image.path, path, { recursive: true });
      const walked = await listHierarchy(path);
      expect(readStores(environment, 'consolidate', [{ name: 'one', path }])).toEqual({ one: {} });
      expect(readFileSync(join(path, file), 'utf8')).toContain('s2');
      const short = ({ nodes, complete }: Hierarchy) => [complete, nodes.map((node) => `${node.path} ${node.kind}`)];
      expect(short(walked)).toEqual([true, [' group', 's0 array', 's1 array', 's2 array']]);
      rmSync(join(path, 's2'), { recursive: true }); // so that it can only come from the copy
      expect(short(await listHierarchy(path))).toEqual(short(walked));
    }
  });

  test('zarr-python 2 opens the levels of OME-Zarr 0.4', () => {
    const levels = images
      .filter(({ zarrFormat }) => zarrFormat === 2)
      .map(({ name, path }) => ({ name, path: join(path, 's2') }));
    const [two, three] = (['zarr2', 'zarr3'] as const).map((environment) =>
      readStores<Found>(environment, 'zarr', levels),
    );
    expect(Object.values(two).every(({ sha256 }) => sha256 !== undefined)).toBe(true);
    for (const { name } of levels) expect([name, two[name].sha256]).toEqual([name, three[name].sha256]);
  });
});
