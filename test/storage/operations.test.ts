import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Coordinate } from '../../lib/geometry/coordinate.js';
import { Roi } from '../../lib/geometry/roi.js';
import { ChunkedArray } from '../../lib/storage/chunked-array.js';
import { className, type DataType, factsOf, type TypedArray } from '../../lib/storage/data-type.js';
import type { ArrayMetadata } from '../../lib/storage/metadata.js';
import { CONVERTED_TYPES, type VolumeOperation } from '../../lib/storage/operations/operation.js';
import { openVolume, type VolumeSource } from '../../lib/storage/volume-source.js';
import { applyNaively, type PlainVolume, type Value, voxelAt } from '../support/naive-operations.js';
import { temporaryFolder } from '../support/stores.js';

const folder = temporaryFolder();
afterAll(folder.remove);
let arrays = 0;

/** Values where conversions go wrong: limits of every type and their neighbours, halves, what is no number. */
const EDGES: readonly number[] = [
  0,
  -0,
  0.5,
  1.5,
  2.5,
  -0.5,
  -1.5,
  0.49999999999999994,
  127,
  127.5,
  128,
  -128,
  -128.5,
  -129,
  254.5,
  255,
  255.5,
  256,
  32767.5,
  32768,
  -32769,
  65535.5,
  65536,
  16777217,
  2147483647,
  2147483647.5,
  2147483648,
  -2147483649,
  4294967295,
  4294967295.5,
  4294967296,
  2 ** 53,
  2 ** 53 + 2,
  2 ** 63,
  -(2 ** 63),
  2 ** 63 - 1024,
  2 ** 64,
  2 ** 64 - 2048,
  1e30,
  -1e30,
  1e300,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  0.1,
  1e-40,
];
const EDGE_INTEGERS: readonly bigint[] = [
  ...[0n, 1n, 2n, -1n, 127n, 128n, -128n, -129n, 255n, 256n, 32767n, 32768n, -32769n, 65535n, 65536n],
  ...[2n ** 24n + 1n, 2n ** 31n - 1n, 2n ** 31n, -(2n ** 31n) - 1n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 53n + 1n],
  ...[2n ** 63n - 1n, 2n ** 63n, -(2n ** 63n), 2n ** 64n - 1n, 2n ** 60n + 2n ** 36n + 1n, 3n * 2n ** 39n + 1n],
];

/** An array of the type filled with edge values and random ones. */
function data(dataType: DataType, count: number, seed: number): TypedArray {
  const result = new (factsOf(dataType).array)(count);
  let state = seed >>> 0;
  for (let i = 0; i < count; i += 1) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const at = state >>> 8;
    // Assignment to a typed array wraps; what matters is that it has many different values.
    if (dataType === 'bool') result[i] = at % 2;
    else if (className(result).startsWith('Big'))
      (result as BigInt64Array)[i] = EDGE_INTEGERS[at % EDGE_INTEGERS.length];
    else if (at % 3 === 0) result[i] = (at % 2000) / 8 - 100;
    else result[i] = EDGES[at % EDGES.length];
  }
  return result;
}

function metadataOf(shape: readonly number[], dataType: DataType, channelAxes = 0): ArrayMetadata {
  const physical = shape.length - channelAxes;
  return {
    shape,
    chunkShape: shape.map((extent) => Math.max(1, Math.ceil(extent / 2))),
    dataType,
    channelAxes,
    offset: new Coordinate(new Array<number>(physical).fill(-8)),
    voxelSize: new Coordinate(new Array<number>(physical).fill(4)),
    units: new Array<string>(physical).fill('nm'),
    axisNames: shape.map((_, axis) => (axis < channelAxes ? `c${axis}^` : `d${axis}`)),
    attributes: {},
  };
}

async function store(
  metadata: ArrayMetadata,
  seed: number,
  fillValue: Value = 0,
): Promise<{ path: string; plain: PlainVolume }> {
  const path = join(folder.path, `array-${arrays++}`);
  const array = await ChunkedArray.create(path, metadata, { fillValue });
  const { shape, dataType, channelAxes } = metadata;
  const content = data(
    dataType,
    shape.reduce((a, b) => a * b, 1),
    seed,
  );
  await array.writeRegion(
    shape.map(() => 0),
    shape,
    content,
    { durable: false },
  );
  return { path, plain: { shape, dataType, channelAxes, voxels: [...content] } };
}

/** A box of a plain volume, with a value outside. */
function boxOf(plain: PlainVolume, begin: readonly number[], end: readonly number[], fill: Value): Value[] {
  const extent = begin.map((first, axis) => end[axis] - first);
  const box: PlainVolume = { ...plain, shape: extent, voxels: [] };
  const result: Value[] = [];
  const count = box.shape.reduce((a, b) => a * b, 1);
  for (let index = 0; index < count; index += 1) {
    let rest = index;
    const position = [...extent];
    for (let axis = extent.length - 1; axis >= 0; axis -= 1) {
      position[axis] = begin[axis] + (rest % extent[axis]);
      rest = Math.floor(rest / extent[axis]);
    }
    const inside = position.every((value, axis) => value >= 0 && value < plain.shape[axis]);
    result.push(inside ? voxelAt(plain, position) : fill);
  }
  return result;
}

describe('each operation on every type equals the twin', () => {
  const scalars: VolumeOperation[] = [
    { type: 'scale-shift', scale: 0.00392, shift: -3.7 },
    { type: 'scale-shift', scale: -2 },
    { type: 'scale-shift', shift: 1 },
    { type: 'normalise', range: [-10, 300] },
    { type: 'threshold', value: 0.1 },
    { type: 'threshold', value: 127 },
    { type: 'threshold', value: -0.5 },
    { type: 'threshold', value: 2 ** 63 },
    { type: 'threshold', value: -(2 ** 70) },
    { type: 'threshold', value: 2 ** 70 },
    ...CONVERTED_TYPES.map((dataType): VolumeOperation => ({ type: 'convert', dataType })),
  ];
  test.each(CONVERTED_TYPES)('%s', async (dataType) => {
    const { path, plain } = await store(metadataOf([3, 71, 13], dataType), 11);
    for (const operation of scalars) {
      if (dataType === 'bool' && operation.type !== 'convert') continue;
      const volume = await openVolume({ store: path, operations: [operation] });
      const expected = applyNaively(plain, operation);
      expect([operation, volume.metadata.dataType]).toEqual([operation, expected.dataType]);
      const read = await volume.readRegion([0, 0, 0], plain.shape);
      expect(className(read)).toBe(factsOf(expected.dataType).array.name);
      expect({ operation, voxels: [...read] }).toEqual({ operation, voxels: expected.voxels });
    }
  });
});

/** Numbers from which an operation that is allowed is made, whatever the volume has become. */
const intent = fc.record({
  kind: fc.nat(6),
  numbers: fc.array(fc.nat(1000), { minLength: 8, maxLength: 8 }),
});

function operationFor(
  { kind, numbers }: { kind: number; numbers: readonly number[] },
  { shape, channelAxes, dataType }: PlainVolume,
): VolumeOperation {
  const physical = shape.slice(channelAxes);
  if (kind === 0 && channelAxes > 0) {
    const channels = numbers.slice(1, 1 + (numbers[0] % 4)).map((one) => one % shape[0]);
    return { type: 'channels', channels: channels.length === 0 ? numbers[7] % shape[0] : channels };
  }
  if (kind === 1) {
    const begin = physical.map((extent, axis) => numbers[axis] % extent);
    const end = physical.map((extent, axis) => begin[axis] + 1 + (numbers[axis + 4] % (extent - begin[axis])));
    const variants = [{ begin, end }, { begin }, { end: end.map((_, axis) => Math.max(1, physical[axis] - 1)) }];
    return { type: 'slice', ...variants[numbers[7] % 3] };
  }
  if (kind === 2) {
    const axes = physical.flatMap((_, axis) => (numbers[axis] % 2 === 0 ? [axis] : []));
    return { type: 'flip', axes: axes.length === 0 ? [0] : axes };
  }
  if (kind === 3 && dataType !== 'bool')
    return { type: 'scale-shift', scale: numbers[0] / 64, shift: numbers[1] - 500 };
  if (kind === 4 && dataType !== 'bool') return { type: 'normalise', range: [numbers[0] - 500, numbers[0] + 1] };
  if (kind === 5 && dataType !== 'bool') return { type: 'threshold', value: numbers[0] / 4 - 100 };
  return { type: 'convert', dataType: CONVERTED_TYPES[numbers[0] % CONVERTED_TYPES.length] };
}

const lazyCase = fc.tuple(fc.integer({ min: 1, max: 3 }), fc.nat(2)).chain(([physical, channelAxes]) =>
  fc.record({
    shape: fc.tuple(
      ...Array.from({ length: channelAxes }, () => fc.integer({ min: 1, max: 4 })),
      ...Array.from({ length: physical }, () => fc.integer({ min: 1, max: 11 })),
    ) as fc.Arbitrary<number[]>,
    channelAxes: fc.constant(channelAxes),
    dataType: fc.constantFrom(...CONVERTED_TYPES),
    seed: fc.nat(1000),
    intents: fc.array(intent, { minLength: 1, maxLength: 5 }),
    windows: fc.array(fc.nat(300), { minLength: 4, maxLength: 4 }),
    boxes: fc.array(fc.array(fc.tuple(fc.nat(1000), fc.nat(1000)), { minLength: 6, maxLength: 6 }), { maxLength: 3 }),
    rois: fc.array(fc.tuple(fc.integer({ min: -4, max: 12 }), fc.nat(9)), { minLength: 6, maxLength: 6 }),
    fill: fc.nat(1),
    threads: fc.integer({ min: 1, max: 4 }),
  }),
);

test('chains of operations equal the twin, for any box, beyond the edges too', async () => {
  await fc.assert(
    fc.asyncProperty(lazyCase, async ({ shape, channelAxes, dataType, seed, intents, boxes, rois, fill, threads }) => {
      const { path, plain } = await store(metadataOf(shape, dataType, channelAxes), seed);
      const operations: VolumeOperation[] = [];
      let expected = plain;
      let taken = false;
      for (const one of intents) {
        const operation = operationFor(
          one,
          taken ? { ...expected, channelAxes: 0, shape: expected.shape.slice(expected.channelAxes) } : expected,
        );
        operations.push(operation);
        expected = applyNaively(expected, operation);
        taken ||= operation.type === 'channels' && typeof operation.channels === 'number';
      }
      const volume = await openVolume({ store: path, operations });
      expect(volume.metadata).toMatchObject({
        shape: expected.shape,
        dataType: expected.dataType,
        channelAxes: expected.channelAxes,
      });
      for (const box of boxes) {
        const begin = expected.shape.map((extent, axis) => Math.min(...box[axis]) % (extent + 1));
        const end = expected.shape.map((extent, axis) => Math.max(begin[axis], Math.max(...box[axis]) % (extent + 1)));
        const read = await volume.readRegion(begin, end, { threads });
        expect([...read]).toEqual(boxOf(expected, begin, end, 0));
      }
      const { offset, voxelSize } = volume.metadata;
      const physical = rois.slice(0, voxelSize.dimensions);
      const low = physical.map(([first]) => first);
      const high = physical.map(([first, length]) => first + length);
      const roi = Roi.between(offset.add(voxelSize.multiply(low)), offset.add(voxelSize.multiply(high)));
      const channels = expected.shape.slice(0, expected.channelAxes);
      const none = channels.map(() => 0);
      const outside = volume.metadata.dataType.endsWith('int64') ? BigInt(fill) : fill;
      const wanted = boxOf(expected, [...none, ...low], [...channels, ...high], outside);
      const read = await volume.readRoi(roi, { fill, threads });
      expect(read.shape).toEqual([...channels, ...physical.map(([, length]) => length)]);
      expect([...read.data]).toEqual(wanted);
      const into = data(volume.metadata.dataType, read.data.length, 3);
      expect((await volume.readRoi(roi, { fill, threads, into })).data).toBe(into);
      expect([...into]).toEqual(wanted);
    }),
    { seed: 20261125, numRuns: 250 },
  );
});

test('large regions have the same bytes with 1 and 4 threads, and cut into blocks', async () => {
  const shape = [2, 70, 90, 65];
  const { path } = await store(metadataOf(shape, 'uint8', 1), 5);
  for (const operations of [
    [
      { type: 'scale-shift', scale: 1 / 255 },
      { type: 'threshold', value: 0.25 },
    ],
    [
      { type: 'flip', axes: [0, 2] },
      { type: 'normalise', range: [10, 200] },
    ],
    [
      { type: 'channels', channels: [1, 0, 1] },
      { type: 'flip', axes: [2] },
    ],
    [
      { type: 'flip', axes: [0, 1, 2] },
      { type: 'channels', channels: 1 },
      { type: 'convert', dataType: 'uint64' },
    ],
  ] satisfies VolumeOperation[][]) {
    const volume = await openVolume({ store: path, operations });
    const begin = volume.shape.map(() => 0);
    const one = await volume.readRegion(begin, volume.shape, { threads: 1 });
    const four = await volume.readRegion(begin, volume.shape, { threads: 4 });
    expect(Buffer.compare(Buffer.from(one.buffer), Buffer.from(four.buffer))).toBe(0);
    const plain = { shape: volume.shape, channelAxes: 0, dataType: volume.metadata.dataType, voxels: [...one] };
    const half = volume.shape.map((extent) => Math.floor(extent / 3));
    for (const [from, to] of [
      [begin, half],
      [half, volume.shape],
    ]) {
      expect([...(await volume.readRegion(from, to))]).toEqual(boxOf(plain, from, to, 0));
    }
  }
});

describe('display windows of an image', () => {
  const image = (version: '0.4' | '0.5', omero: unknown): VolumeSource => {
    const path = join(folder.path, `image-${arrays++}`);
    const multiscales = [
      {
        axes: [...'cyx'].map((name) => ({ name, type: name === 'c' ? 'channel' : 'space' })),
        datasets: [{ path: '0', coordinateTransformations: [{ type: 'scale', scale: [1, 4, 4] }] }],
        version,
      },
    ];
    mkdirSync(path);
    if (version === '0.4') {
      writeFileSync(join(path, '.zgroup'), '{"zarr_format": 2}');
      writeFileSync(join(path, '.zattrs'), JSON.stringify({ multiscales, omero }));
    } else {
      const attributes = { ome: { version, multiscales, omero } };
      writeFileSync(join(path, 'zarr.json'), JSON.stringify({ zarr_format: 3, node_type: 'group', attributes }));
    }
    return { store: join(path, '0') };
  };
  const windows = [
    [0, 100],
    [50, 300.5],
    [-20, 20],
  ] as const;
  const omero = { channels: windows.map(([start, end]) => ({ window: { start, end, min: 0, max: 65535 } })) };

  test.each(['0.4', '0.5'] as const)(
    'are used by channel, also of chosen channels, in OME-Zarr %s',
    async (version) => {
      const source = image(version, omero);
      const metadata = metadataOf([3, 9, 7], 'int16', 1);
      const array = await ChunkedArray.create(source.store as string, metadata);
      const content = data('int16', 3 * 9 * 7, 4);
      await array.writeRegion([0, 0, 0], [3, 9, 7], content);
      const plain: PlainVolume = { shape: [3, 9, 7], dataType: 'int16', channelAxes: 1, voxels: [...content] };
      const normalise: VolumeOperation = { type: 'normalise', range: 'omero' };
      const read = async (operations: VolumeOperation[], begin: number[], end: number[]) => [
        ...(await (await openVolume({ ...source, operations })).readRegion(begin, end)),
      ];
      const all = applyNaively(plain, normalise, windows);
      expect(new Set(all.voxels).size).toBeGreaterThan(20);
      expect(await read([normalise], [0, 0, 0], [3, 9, 7])).toEqual(all.voxels);
      expect(await read([normalise], [1, 2, 0], [3, 9, 7])).toEqual(boxOf(all, [1, 2, 0], [3, 9, 7], 0));
      const chosen: VolumeOperation = { type: 'channels', channels: [2, 0] };
      const expected = applyNaively(all, chosen).voxels;
      expect(await read([chosen, normalise], [0, 0, 0], [2, 9, 7])).toEqual(expected);
      expect(await read([normalise, chosen], [0, 0, 0], [2, 9, 7])).toEqual(expected);
      const single: VolumeOperation = { type: 'channels', channels: 1 };
      const second = applyNaively(all, single).voxels;
      expect(await read([single, normalise], [0, 0], [9, 7])).toEqual(second);
      expect(await read([normalise, single], [0, 0], [9, 7])).toEqual(second);
    },
  );

  test.each([
    ['no omero', undefined, /found an image without 'omero' \(.*zarr\.json\)$/],
    [
      'a window that is empty',
      { channels: [{ window: { start: 5, end: 5 } }] },
      /window\.end: expected a number above the start, 5, found 5$/,
    ],
    ['other channels', { channels: omero.channels.slice(1) }, /expected 3 display windows, one a channel, found 2$/],
  ])('with %s are refused by name', async (_, wrong, message) => {
    const source = image('0.5', wrong);
    await ChunkedArray.create(source.store as string, metadataOf([3, 9, 7], 'int16', 1));
    const opened = openVolume({ ...source, operations: [{ type: 'normalise', range: 'omero' }] });
    await expect(opened).rejects.toMatchObject({
      code: 'ERR_ARGUMENT',
      message: expect.stringMatching(/^operations\[0\]\.range: expected /),
    });
    await expect(opened).rejects.toMatchObject({ message: expect.stringMatching(message) });
  });

  test('of an array outside an image are refused', async () => {
    const { path } = await store(metadataOf([4, 4], 'uint8'), 1);
    await expect(openVolume({ store: path, operations: [{ type: 'normalise', range: 'omero' }] })).rejects.toThrow(
      'operations[0].range: expected an OME-Zarr image with display windows, found no image around the array',
    );
  });
});

describe('stacks', () => {
  test('put channels one after the other, of volumes with operations too', async () => {
    const first = await store(metadataOf([2, 6, 5], 'uint8', 1), 1);
    const second = await store(metadataOf([3, 6, 5], 'uint8', 1), 2);
    const flip: VolumeOperation = { type: 'flip', axes: [1] };
    const threshold: VolumeOperation = { type: 'threshold', value: 100 };
    const volume = await openVolume({
      stack: [{ store: first.path, operations: [flip] }, { store: second.path }, { store: first.path }],
      operations: [threshold],
    });
    expect(volume.metadata).toMatchObject({ shape: [7, 6, 5], channelAxes: 1, dataType: 'uint8' });
    const voxels = [...applyNaively(first.plain, flip).voxels, ...second.plain.voxels, ...first.plain.voxels];
    const plain = applyNaively({ shape: [7, 6, 5], channelAxes: 1, dataType: 'uint8', voxels }, threshold);
    for (const [begin, end] of [
      [
        [0, 0, 0],
        [7, 6, 5],
      ],
      [
        [1, 2, 1],
        [6, 5, 5],
      ],
      [
        [3, 0, 0],
        [4, 6, 5],
      ],
      [
        [2, 0, 0],
        [2, 6, 5],
      ],
    ]) {
      expect([...(await volume.readRegion(begin, end))]).toEqual(boxOf(plain, begin, end, 0));
    }
    const roi = new Roi([-16, 4], [20, 24]);
    const { data: found, shape } = await volume.readRoi(roi, { fill: 7 });
    expect(shape).toEqual([7, 5, 6]);
    expect([...found]).toEqual(boxOf(plain, [0, -2, 3], [7, 3, 9], 7));
  });

  test('of volumes without channels get a channel axis', async () => {
    const parts = await Promise.all([3, 4].map((seed) => store(metadataOf([5, 4], 'float64'), seed)));
    const volume = await openVolume({ stack: parts.map(({ path }) => ({ store: path })) });
    expect(volume.metadata).toMatchObject({ shape: [2, 5, 4], channelAxes: 1, axisNames: ['c^', 'd0', 'd1'] });
    expect(volume.metadata.offset.values).toEqual([-8, -8]);
    const plain = parts.flatMap(({ plain: { voxels } }) => voxels);
    expect([...(await volume.readRegion([0, 0, 0], [2, 5, 4]))]).toEqual(plain);
    expect([...(await volume.readRegion([1, 1, 2], [2, 2, 4]))]).toEqual(plain.slice(26, 28));
  });
});

describe('what volumes promise', () => {
  test('they cannot be written', async () => {
    const { path } = await store(metadataOf([4, 4], 'uint8'), 1);
    const lazy = await openVolume({ store: path, operations: [{ type: 'flip', axes: [0] }] });
    const stack = await openVolume({ stack: [{ store: path }] });
    const roi = new Roi([-8, -8], [4, 4]);
    for (const volume of [lazy, stack]) {
      for (const write of [
        () => volume.writeRegion([0, 0], [1, 1], new Uint8Array(1)),
        () => volume.writeRoi(roi, new Uint8Array(1)),
      ]) {
        await expect(write()).rejects.toMatchObject({
          code: 'ERR_UNSUPPORTED',
          message: expect.stringContaining(path),
        });
      }
    }
  });

  test('regions outside and memory of another type are refused', async () => {
    const { path } = await store(metadataOf([4, 4], 'uint8'), 1);
    const volume = await openVolume({
      store: path,
      operations: [{ type: 'slice', end: [2, 2] }, { type: 'scale-shift' }],
    });
    await expect(volume.readRegion([0, 0], [3, 2])).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
    await expect(volume.readRegion([0, 0], [2, 2], { into: new Uint8Array(4) })).rejects.toMatchObject({
      code: 'ERR_ARGUMENT',
    });
    await expect(volume.readRoi(new Roi([1, 0], [4, 4]))).rejects.toMatchObject({ code: 'ERR_GEOMETRY' });
    const signal = AbortSignal.abort();
    await expect(volume.readRegion([0, 0], [2, 2], { signal })).rejects.toMatchObject({ code: 'ERR_CANCELLED' });
  });

  test('the fill value goes through the operations, and damage stays an error', async () => {
    const path = join(folder.path, `array-${arrays++}`);
    await ChunkedArray.create(path, metadataOf([4, 4], 'uint8'), { fillValue: 200 });
    const volume = await openVolume({
      store: path,
      operations: [
        { type: 'scale-shift', scale: 2 },
        { type: 'convert', dataType: 'int64' },
      ],
    });
    expect(volume.fillValue).toBe(400n);
    expect([...(await volume.readRegion([0, 0], [1, 2]))]).toEqual([400n, 400n]);
    mkdirSync(join(path, 'c', '0'), { recursive: true });
    writeFileSync(join(path, 'c', '0', '0'), 'x');
    await expect(volume.readRegion([0, 0], [1, 2])).rejects.toMatchObject({
      code: 'ERR_CHUNK_CORRUPT',
      message: expect.stringContaining('c/0/0'),
    });
  });
});
