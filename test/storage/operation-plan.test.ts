import { describe, expect, test } from '@jest/globals';
import { Coordinate } from '../../lib/geometry/coordinate.js';
import type { ArrayMetadata } from '../../lib/storage/metadata.js';
import type { VolumeOperation } from '../../lib/storage/operations/operation.js';
import { planOperations } from '../../lib/storage/operations/operation-plan.js';
import { stackMetadata } from '../../lib/storage/operations/stacked-volume.js';

const affinities: ArrayMetadata = {
  shape: [3, 40, 50, 60],
  chunkShape: [2, 16, 16, 16],
  shardShape: [2, 32, 32, 32],
  dataType: 'uint8',
  channelAxes: 1,
  offset: new Coordinate([100, 200, 300]),
  voxelSize: new Coordinate([40, 4, 4]),
  units: ['nm', 'nm', 'nm'],
  axisNames: ['c^', 'z', 'y', 'x'],
  attributes: {
    neighborhood: [
      [1, 0, 0],
      [0, 1, 0],
      [0, -9, 9],
    ],
    note: 'kept',
  },
};
const labels: ArrayMetadata = {
  ...affinities,
  shape: [40, 50, 60],
  chunkShape: [16, 16, 16],
  channelAxes: 0,
  axisNames: ['z', 'y', 'x'],
  dataType: 'bool',
  attributes: {},
};

const result = (...operations: VolumeOperation[]) => planOperations(affinities, operations).metadata;

describe('what operations make of the metadata', () => {
  test('nothing but shards goes without operations', () => {
    const { shardShape: _, ...rest } = affinities;
    expect(result()).toEqual(rest);
  });

  test('place: what is given, and what still fits', () => {
    expect(result({ type: 'place', voxelSize: [8, 8, 8] })).toMatchObject({
      channelAxes: 1,
      offset: new Coordinate([100, 200, 300]),
      voxelSize: new Coordinate([8, 8, 8]),
      units: ['nm', 'nm', 'nm'],
      axisNames: ['c^', 'z', 'y', 'x'],
      attributes: affinities.attributes,
    });
    const plain = { ...affinities, channelAxes: 0, axisNames: ['d0', 'd1', 'd2', 'd3'], units: ['', '', '', ''] };
    const four = { offset: new Coordinate([0, 0, 0, 0]), voxelSize: new Coordinate([1, 1, 1, 1]) };
    const placed = (place: object) =>
      planOperations({ ...plain, ...four }, [
        { type: 'place', ...place },
        { type: 'channels', channels: [1] },
      ]).metadata;
    expect(placed({ axisNames: ['c^', 'z', 'y', 'x'], units: ['um', 'nm', 'nm'] })).toMatchObject({
      shape: [1, 40, 50, 60],
      channelAxes: 1,
      offset: new Coordinate([0, 0, 0]),
      voxelSize: new Coordinate([1, 1, 1]),
      units: ['um', 'nm', 'nm'],
      axisNames: ['c^', 'z', 'y', 'x'],
    });
    // fewer entries than axes: the leading axes are channels
    expect(placed({ offset: [-8, 0, 16] })).toMatchObject({
      channelAxes: 1,
      offset: new Coordinate([-8, 0, 16]),
      axisNames: ['d0^', 'd1', 'd2', 'd3'],
    });
  });

  test('channels: shape, chunks, names, neighborhood', () => {
    expect(result({ type: 'channels', channels: [2, 0] })).toMatchObject({
      shape: [2, 40, 50, 60],
      chunkShape: [2, 16, 16, 16],
      channelAxes: 1,
      axisNames: ['c^', 'z', 'y', 'x'],
      attributes: {
        neighborhood: [
          [0, -9, 9],
          [1, 0, 0],
        ],
        note: 'kept',
      },
    });
    expect(result({ type: 'channels', channels: [1] }).chunkShape).toEqual([1, 16, 16, 16]);
    const single = result({ type: 'channels', channels: 1 });
    expect(single).toMatchObject({ shape: [40, 50, 60], chunkShape: [16, 16, 16], channelAxes: 0 });
    expect(single.axisNames).toEqual(['z', 'y', 'x']);
    expect(single.attributes).toEqual({ note: 'kept' });
  });

  test('slice: the offset moves, in world units', () => {
    const sliced = result({ type: 'slice', begin: [1, 2, 3], end: [11, 12, 60] }, { type: 'slice', begin: [1, 0, 0] });
    expect(sliced).toMatchObject({ shape: [3, 9, 10, 57], chunkShape: [2, 9, 10, 16] });
    expect(sliced.offset.values).toEqual([180, 208, 312]);
    expect(sliced.attributes).toEqual(affinities.attributes);
  });

  test('flip: the box stays, the neighborhood turns', () => {
    const flipped = result({ type: 'flip', axes: [1] });
    expect(flipped).toMatchObject({ shape: affinities.shape, offset: affinities.offset });
    expect(flipped.attributes.neighborhood).toEqual([
      [1, 0, 0],
      [0, -1, 0],
      [0, 9, 9],
    ]);
  });

  test('a flip after a slice mirrors what the slice left', () => {
    const { axes } = planOperations(affinities, [
      { type: 'slice', begin: [5, 0, 0], end: [15, 50, 60] },
      { type: 'flip', axes: [0] },
      { type: 'slice', begin: [2, 0, 0] },
    ]);
    expect(axes[0]).toEqual({ origin: 12, step: -1 });
    expect(axes[1]).toEqual({ origin: 0, step: 1 });
  });

  test.each([
    ['uint8', 'float32'],
    ['int16', 'float32'],
    ['float32', 'float32'],
    ['int32', 'float64'],
    ['uint64', 'float64'],
    ['float64', 'float64'],
  ] as const)('types: %s scaled is %s', (dataType, expected) => {
    const made = (...operations: VolumeOperation[]) =>
      planOperations({ ...affinities, dataType }, operations).metadata.dataType;
    expect(made({ type: 'scale-shift', scale: 2 })).toBe(expected);
    expect(made({ type: 'normalise', range: [0, 1] })).toBe('float32');
    expect(made({ type: 'threshold', value: 1 })).toBe('uint8');
    expect(made({ type: 'convert', dataType: 'int8' })).toBe('int8');
  });

  test('a conversion to the same type computes nothing', () => {
    expect(planOperations(affinities, [{ type: 'convert', dataType: 'uint8' }]).steps).toEqual([]);
  });
});

describe('places that an array cannot have', () => {
  test.each([
    ['nothing', {}, ': expected axisNames, voxelSize, offset or units, found none of them'],
    [
      'names of other axes',
      { axisNames: ['z', 'y', 'x'] },
      ".axisNames: expected 4 names, channels first and with a '^' at the end, the last one physical, found [z, y, x]",
    ],
    [
      'a channel behind an axis',
      { axisNames: ['z', 'c^', 'y', 'x'] },
      ".axisNames: expected 4 names, channels first and with a '^' at the end, the last one physical, found [z, c^, y, x]",
    ],
    [
      'other axes',
      { axisNames: ['c^', 'z', 'y', 'x'], voxelSize: [8, 8] },
      '.voxelSize: expected 3 whole numbers above 0, one a physical axis, found [8, 8]',
    ],
    [
      'no size',
      { voxelSize: [8, 8, 0] },
      '.voxelSize: expected 3 whole numbers above 0, one a physical axis, found [8, 8, 0]',
    ],
    ['too many', { offset: [0, 0, 0, 0, 0] }, '.offset: expected 1 to 4 entries, found [0, 0, 0, 0, 0]'],
  ])('%s', (_, place, message) => {
    expect(() => planOperations(affinities, [{ type: 'place', ...place }])).toThrow(`operations[0]${message}`);
  });
});

describe('operations that an array does not allow', () => {
  const cases: [string, ArrayMetadata, unknown, string][] = [
    [
      'no such type',
      affinities,
      { type: 'blur' },
      '.type: expected place, channels, slice, flip, scale-shift, normalise, threshold or convert, found blur',
    ],
    [
      'a channel outside',
      affinities,
      { type: 'channels', channels: [0, 3] },
      '.channels[1]: expected a channel from 0 to 2, found 3',
    ],
    [
      'a single channel outside',
      affinities,
      { type: 'channels', channels: -1 },
      '.channels: expected a channel from 0 to 2, found -1',
    ],
    [
      'no channels',
      affinities,
      { type: 'channels', channels: [] },
      '.channels: expected at least one channel, found []',
    ],
    [
      'channels of labels',
      labels,
      { type: 'channels', channels: [0] },
      ': expected an array with its first channel axis, found one without channels',
    ],
    [
      'a slice of other axes',
      affinities,
      { type: 'slice', begin: [0, 0] },
      '.begin: expected 3 whole numbers, one a physical axis, found [0, 0]',
    ],
    [
      'a slice that begins outside',
      affinities,
      { type: 'slice', begin: [0, 50, 0] },
      '.begin[1]: expected a voxel from 0 to 49, found 50',
    ],
    [
      'an empty slice',
      affinities,
      { type: 'slice', begin: [9, 0, 0], end: [9, 50, 60] },
      '.end[0]: expected a voxel above 9 and up to 40, found 9',
    ],
    [
      'a slice that ends outside',
      affinities,
      { type: 'slice', end: [40, 50, 61] },
      '.end[2]: expected a voxel above 0 and up to 60, found 61',
    ],
    [
      'an axis that is not there',
      affinities,
      { type: 'flip', axes: [0, 3] },
      '.axes[1]: expected a physical axis from 0 to 2, found 3',
    ],
    ['an axis twice', affinities, { type: 'flip', axes: [1, 1] }, '.axes[1]: expected each axis once, found 1'],
    ['no axis', affinities, { type: 'flip', axes: [] }, '.axes: expected at least one axis, found []'],
    [
      'a place that comes later',
      affinities,
      { type: 'place', offset: [0, 0, 0] },
      ': expected place before all other operations, found it as number 2',
    ],
    ['scaled bool', labels, { type: 'scale-shift' }, ': expected an array of numbers (convert it first), found bool'],
    [
      'normalised bool',
      labels,
      { type: 'normalise', range: [0, 1] },
      ': expected an array of numbers (convert it first), found bool',
    ],
    [
      'threshold of bool',
      labels,
      { type: 'threshold', value: 0 },
      ': expected an array of numbers (convert it first), found bool',
    ],
    [
      'a scale that is no number',
      affinities,
      { type: 'scale-shift', scale: Number.NaN },
      '.scale: expected a finite number, found NaN',
    ],
    ['no threshold', affinities, { type: 'threshold' }, '.value: expected a finite number, found undefined'],
    [
      'a range without width',
      affinities,
      { type: 'normalise', range: [5, 5] },
      '.range: expected omero or two numbers, the lower one first, found [5, 5]',
    ],
    [
      'no display windows',
      affinities,
      { type: 'normalise', range: 'omero' },
      '.range: expected an OME-Zarr image with display windows, found none',
    ],
    [
      'another type',
      affinities,
      { type: 'convert', dataType: 'complex' },
      '.dataType: expected bool, uint8, int8, uint16, int16, uint32, int32, uint64, int64, float32, float64, found complex',
    ],
  ];
  test.each(cases)('%s', (_, source, operation, message) => {
    const chain = [{ type: 'slice' }, operation] as VolumeOperation[];
    let thrown: unknown;
    try {
      planOperations(source, chain);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ code: 'ERR_ARGUMENT', message: `operations[1]${message}` });
    expect((thrown as { details: { path: unknown[] } }).details.path.slice(0, 2)).toEqual(['operations', 1]);
  });

  test('the type before the operation counts, not the stored one', () => {
    const threshold: VolumeOperation = { type: 'threshold', value: 0 };
    expect(() => planOperations(affinities, [{ type: 'convert', dataType: 'bool' }, threshold])).toThrow('found bool');
    expect(planOperations(labels, [{ type: 'convert', dataType: 'int8' }, threshold]).metadata.dataType).toBe('uint8');
  });

  test('a channel axis that was taken away is not selected from again', () => {
    const two = {
      ...affinities,
      shape: [2, 3, 50, 60],
      channelAxes: 2,
      offset: new Coordinate([0, 0]),
      voxelSize: new Coordinate([4, 4]),
    };
    const once: VolumeOperation = { type: 'channels', channels: 1 };
    expect(planOperations(two, [once]).metadata.shape).toEqual([3, 50, 60]);
    expect(() => planOperations(two, [once, once])).toThrow(
      'expected an array with its first channel axis, found one without it',
    );
  });
});

describe('stacks', () => {
  test('join channels and neighborhoods, and keep what all have alike', () => {
    const other = {
      ...affinities,
      shape: [1, 40, 50, 60],
      attributes: { neighborhood: [[0, 0, 3]], note: 'kept', more: 1 },
    };
    const made = stackMetadata([affinities, other]);
    expect(made).toMatchObject({ shape: [4, 40, 50, 60], channelAxes: 1, chunkShape: [2, 16, 16, 16] });
    expect(made.shardShape).toBeUndefined();
    expect(made.attributes).toEqual({
      note: 'kept',
      neighborhood: [
        [1, 0, 0],
        [0, 1, 0],
        [0, -9, 9],
        [0, 0, 3],
      ],
    });
    expect(stackMetadata([labels, labels])).toMatchObject({
      shape: [2, 40, 50, 60],
      chunkShape: [1, 16, 16, 16],
      channelAxes: 1,
      axisNames: ['c^', 'z', 'y', 'x'],
    });
  });

  test.each([
    ['another type', { dataType: 'int8' }, 'the data type bool, as the first array has, found int8'],
    ['channels', { channelAxes: 1 }, 'a number of channel axes of 0, as the first array has, found 1'],
    ['another shape', { shape: [40, 50, 61] }, 'the shape [40, 50, 60], as the first array has, found [40, 50, 61]'],
    [
      'another place',
      { offset: new Coordinate([0, 0, 0]) },
      'the offset [100, 200, 300], as the first array has, found [0, 0, 0]',
    ],
    [
      'another voxel size',
      { voxelSize: new Coordinate([1, 1, 1]) },
      'the voxel size [40, 4, 4], as the first array has, found [1, 1, 1]',
    ],
  ] as const)('of an array with %s are refused', (_, changes, message) => {
    expect(() => stackMetadata([labels, labels, { ...labels, ...changes } as ArrayMetadata])).toThrow(
      `stack[2]: expected ${message}`,
    );
  });

  test('of arrays that have no axis left for channels are refused', () => {
    const six = { ...labels, shape: [1, 1, 1, 1, 1, 1] };
    expect(() => stackMetadata([six, six])).toThrow('stack[0]: expected an array of at most 5 axes');
  });
});
