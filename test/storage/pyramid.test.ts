import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { codeOf, messageOf } from '../../lib/errors.js';
import { Coordinate } from '../../lib/geometry/coordinate.js';
import { ChunkedArray } from '../../lib/storage/chunked-array.js';
import { imageAxes, longUnit, whyNoImage } from '../../lib/storage/image-axes.js';
import { openImage } from '../../lib/storage/image-group.js';
import { type Pyramid, writePyramid } from '../../lib/storage/pyramid.js';
import { openVolume } from '../../lib/storage/volume-source.js';
import type { World } from '../../lib/storage/world.js';
import { filesBelow, temporaryFolder, unpackStores } from '../support/stores.js';

const folder = temporaryFolder();
beforeAll(() => unpackStores(folder.path));
afterAll(folder.remove);
let stores = 0;
let group = '';
beforeEach(() => {
  group = join(folder.path, `pyramid-${stores++}.ome.zarr`);
});

const world: World = {
  channelAxes: 1,
  offset: new Coordinate([80, 0, -12]),
  voxelSize: new Coordinate([40, 4, 4]),
  units: ['nm', 'nm', 'nm'],
  axisNames: ['c^', 'z', 'y', 'x'],
};
const levels = [
  { path: 's1', factors: [2, 2, 2] },
  { path: 's2', factors: [4, 4, 4] },
];
const pyramid: Pyramid = { version: '0.5', method: 'mean', centred: true, world, base: 's0', levels, extends: false };

const read = (path: string) => JSON.parse(readFileSync(join(group, path), 'utf8'));
function write(path: string, content: unknown): void {
  mkdirSync(group, { recursive: true });
  writeFileSync(join(group, path), JSON.stringify(content));
}
const refusal = async (action: Promise<unknown>) => {
  const error = await action.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return `${codeOf(error)} ${messageOf(error)}`;
};

const axes = ['c', 'z', 'y', 'x'].map((name) =>
  name === 'c' ? { name, type: 'channel' } : { name, type: 'space', unit: 'nanometer' },
);
const dataset = (path: string, scale: number[], translation: number[]) => ({
  path,
  coordinateTransformations: [
    { type: 'scale', scale },
    { type: 'translation', translation },
  ],
});
// As the golden images have it.
const datasets = [
  dataset('s0', [1, 40, 4, 4], [0, 80, 0, -12]),
  dataset('s1', [1, 80, 8, 8], [0, 100, 2, -10]),
  dataset('s2', [1, 160, 16, 16], [0, 140, 6, -6]),
];

describe('a new group', () => {
  test('of OME-Zarr 0.5', async () => {
    await writePyramid(group, pyramid);
    const multiscales = [{ name: group.split('/').at(-1)?.split('.')[0], axes, datasets, type: 'mean' }];
    expect(read('zarr.json')).toEqual({
      zarr_format: 3,
      node_type: 'group',
      attributes: { ome: { version: '0.5', multiscales } },
    });
  });

  test('of OME-Zarr 0.4', async () => {
    await writePyramid(group, { ...pyramid, version: '0.4', method: 'stride', centred: false });
    expect(read('.zgroup')).toEqual({ zarr_format: 2 });
    const { multiscales } = read('.zattrs');
    expect(multiscales).toMatchObject([{ version: '0.4', axes, type: 'stride' }]);
    expect(multiscales[0].datasets[2]).toEqual(dataset('s2', [1, 160, 16, 16], [0, 80, 0, -12]));
    expect(existsSync(join(group, 'zarr.json'))).toBe(false);
  });

  test('decimals are exact', async () => {
    const fine = { ...world, voxelSize: new Coordinate([1, 3, 7]), offset: new Coordinate([0, 0, 0]) };
    await writePyramid(group, { ...pyramid, world: fine });
    const [, s1, s2] = read('zarr.json').attributes.ome.multiscales[0].datasets;
    expect(s1.coordinateTransformations[1].translation).toEqual([0, 0.5, 1.5, 3.5]);
    expect(s2.coordinateTransformations[1].translation).toEqual([0, 1.5, 4.5, 10.5]);
  });
});

describe('a group that is there', () => {
  const base = { zarr_format: 3, node_type: 'group' };

  test('keeps its other attributes, and loses the consolidated copy', async () => {
    const omero = { channels: [{ window: { start: 0, end: 9, min: 0, max: 255 } }] };
    const other = { axes, datasets: [dataset('other', [1, 1, 1, 1], [0, 0, 0, 0])] };
    const attributes = { mine: [1, { two: 3 }], ome: { version: '0.5', omero, multiscales: [other] } };
    write('zarr.json', { ...base, attributes, consolidated_metadata: { kind: 'inline', metadata: {} } });
    await writePyramid(group, pyramid);
    await writePyramid(group, { ...pyramid, method: 'mode' }); // replaces what it wrote, not the other
    const content = read('zarr.json');
    expect(content).not.toHaveProperty('consolidated_metadata');
    expect(content.attributes).toMatchObject({
      mine: [1, { two: 3 }],
      ome: { omero, multiscales: [other, { type: 'mode', datasets }] },
    });
    expect(content.attributes.ome.multiscales).toHaveLength(2);
  });

  test('of zarr v2 loses its .zmetadata', async () => {
    write('.zgroup', { zarr_format: 2 });
    write('.zmetadata', { metadata: {} });
    write('.zattrs', { mine: 1 });
    await writePyramid(group, { ...pyramid, version: '0.4' });
    expect(existsSync(join(group, '.zmetadata'))).toBe(false);
    expect(read('.zattrs')).toMatchObject({ mine: 1, multiscales: [{ datasets }] });
  });

  test('levels that are added keep what the image says of the others, in its own units', async () => {
    const own = [
      { name: 'y', type: 'space', unit: 'micrometer' },
      { name: 'x', type: 'space', unit: 'micrometer' },
    ];
    const first = { path: '0', coordinateTransformations: [{ type: 'scale', scale: [0.3, 0.1] }], note: 'kept' };
    const coarse = dataset('9', [300, 100], [0, 0]);
    const multiscale = {
      name: 'mine',
      axes: own,
      datasets: [first, coarse],
      coordinateTransformations: [{ type: 'scale', scale: [2, 2] }],
    };
    write('zarr.json', { ...base, attributes: { ome: { version: '0.5', multiscales: [multiscale] } } });
    const flat: World = {
      channelAxes: 0,
      offset: new Coordinate([0, 0]),
      voxelSize: new Coordinate([600, 200]),
      units: ['nanometer', 'nanometer'],
      axisNames: ['y', 'x'],
    };
    const more = { ...pyramid, world: flat, base: '0', levels: [{ path: '1', factors: [2, 4] }], extends: true };
    await writePyramid(group, more);
    const expected = { ...multiscale, datasets: [first, dataset('1', [0.6, 0.4], [0.15, 0.15]), coarse] };
    expect(read('zarr.json').attributes.ome.multiscales).toEqual([expected]);
    const before = filesBelow(group);
    await writePyramid(group, more);
    expect(filesBelow(group)).toEqual(before);
  });

  test('of the other format, an array, or damaged metadata is refused and stays', async () => {
    write('.zgroup', { zarr_format: 2 });
    expect(await refusal(writePyramid(group, pyramid))).toMatch(
      /^ERR_ARRAY_EXISTS .*a zarr v2 group is there, and OME-Zarr 0\.5 is zarr v3/,
    );
    write('zarr.json', { ...base, node_type: 'array' });
    expect(await refusal(writePyramid(group, pyramid))).toMatch(/^ERR_ARRAY_EXISTS .*an array is there/);
    write('zarr.json', { ...base, attributes: { ome: { version: '0.5', multiscales: [{ datasets: 'none' }] } } });
    const before = filesBelow(group);
    expect(await refusal(writePyramid(group, pyramid))).toMatch(/^ERR_METADATA /);
    expect(filesBelow(group)).toEqual(before);
  });
});

describe('axes and units', () => {
  test.each([
    ['nm', 'nanometer'],
    ['um', 'micrometer'],
    ['µm', 'micrometer'],
    ['microns', 'micrometer'],
    ['nanometres', 'nanometer'],
    ['s', 'second'],
    ['seconds', 'second'],
    ['Å', 'angstrom'],
    ['', ''],
    ['smoot', 'smoot'],
    ['constructor', 'constructor'],
  ])('%s is %s', (short, long) => expect(longUnit(short)).toBe(long));

  test('time is told by its unit or name', () => {
    const types = (axisNames: string[], channelAxes: number, units: string[]) =>
      imageAxes({ ...world, axisNames, channelAxes, units }).map(({ type }) => type);
    expect(types(['c^', 'z', 'y', 'x'], 1, ['', '', ''])).toEqual(['channel', 'space', 'space', 'space']);
    expect(types(['t^', 'c^', 'y', 'x'], 2, ['', ''])).toEqual(['time', 'channel', 'space', 'space']);
    expect(types(['frame', 'y', 'x'], 0, ['ms', 'nm', 'nm'])).toEqual(['time', 'space', 'space']);
  });

  test.each<[string, string, boolean]>([
    ['y x', 'space space', true],
    ['t c z y x', 'time channel space space space', true],
    ['c t y x', 'channel time space space', false],
    ['x', 'space', false],
    ['w z y x', 'space space space space', false],
    ['a b y x', 'channel channel space space', false],
    ['x x', 'space space', false],
  ])('OME-Zarr has images of %s as %s: %p', (names, types, right) => {
    const kinds = types.split(' ');
    const list = names.split(' ').map((name, axis) => ({ name, type: kinds[axis], unit: '' }));
    expect(whyNoImage(list) === undefined).toBe(right);
  });
});

describe('a level of an image', () => {
  const image = () => join(folder.path, 'good/ome-0.5-em');

  test.each<[string, string | number[], string]>([
    ['by its path', 's1', 's1'],
    ['by its voxel size', [160, 16, 16], 's2'],
  ])('is opened %s', async (_, level, path) => {
    const volume = await openVolume({ store: image(), level });
    expect(volume.path).toBe(join(image(), path));
    expect(volume.metadata).toEqual((await ChunkedArray.open(join(image(), path))).metadata);
  });

  test('voxel sizes are those of the world, whatever unit the image has', async () => {
    const volume = await openVolume({ store: join(folder.path, 'good/ome-0.4-czyx'), level: [1000, 500, 500] });
    expect(volume.path).toMatch(/ome-0\.4-czyx\/s1$/);
  });

  test.each<[string, string | number[], RegExp]>([
    ['no such path', 's7', /^ERR_ARRAY_MISSING .*nothing is there; the image .*ome-0\.5-em has the levels s0, s1, s2$/],
    [
      'no such voxel size',
      [16, 16, 16],
      /^ERR_ARRAY_MISSING .*expected a level with the voxel size \[16, 16, 16\], found s0 \[40, 4, 4\], s1 \[80, 8, 8\], s2 \[160, 16, 16\]$/,
    ],
    ['other axes', [16, 16], /^ERR_ARRAY_MISSING .*expected a level with the voxel size \[16, 16\], found/],
    ['a path out of it', '../ome-0.4-em/s0', /^ERR_ARGUMENT level: expected a path inside/],
  ])('%s', async (_, level, message) => {
    expect(await refusal(openVolume({ store: image(), level }))).toMatch(message);
  });

  test('no level: none is guessed, those that there are are named', async () => {
    expect(await refusal(openVolume({ store: image() }))).toMatch(
      /^ERR_ARRAY_MISSING .*it is an image with the levels s0, s1, s2 \(name one: .*\/s0, or `level: s0` beside the store\)$/,
    );
    const array = join(folder.path, 'good/v3-raw');
    expect(await refusal(openVolume({ store: array, level: [1, 1, 1] }))).toMatch(
      /^ERR_ARRAY_MISSING .*no OME-Zarr image is here$/,
    );
  });

  test('what we write is read again', async () => {
    await writePyramid(group, { ...pyramid, world: { ...world, channelAxes: 0, axisNames: ['z', 'y', 'x'] } });
    for (const [path, size] of [
      ['s0', 8],
      ['s1', 4],
      ['s2', 2],
    ] as const) {
      await ChunkedArray.create(join(group, path), {
        ...world,
        channelAxes: 0,
        axisNames: ['z', 'y', 'x'],
        voxelSize: world.voxelSize.multiply(8 / size),
        shape: [size, size, size],
        chunkShape: [2, 2, 2],
        dataType: 'uint8',
        attributes: {},
      });
    }
    const found = await openImage(group);
    expect(found.levels.map(({ translation }) => translation.map((value) => value.toNumber()))).toEqual([
      [80, 0, -12],
      [100, 2, -10],
      [140, 6, -6],
    ]);
    expect((await openVolume({ store: group, level: [80, 8, 8] })).path).toBe(join(group, 's1'));
  });
});
