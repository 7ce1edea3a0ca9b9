import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { codeOf } from '../../lib/errors.js';
import { ChunkedArray } from '../../lib/storage/chunked-array.js';
import { Decimal } from '../../lib/storage/decimal.js';
import { temporaryFolder } from '../support/stores.js';

const folder = temporaryFolder();
afterAll(folder.remove);
let stores = 0;

const ARRAY = {
  zarr_format: 3,
  node_type: 'array',
  data_type: 'uint8',
  chunk_key_encoding: { name: 'default' },
  fill_value: 0,
  codecs: [{ name: 'bytes' }],
};

function writeJson(path: string, content: unknown): void {
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, 'zarr.json'), JSON.stringify(content));
}

function writeArray(path: string, dimensions: number, rest: object): string {
  const shape = new Array<number>(dimensions).fill(4);
  const chunk_grid = { name: 'regular', configuration: { chunk_shape: shape } };
  writeJson(path, { ...ARRAY, shape, chunk_grid, ...rest });
  return path;
}

const openArray = (dimensions: number, rest: object) =>
  ChunkedArray.open(writeArray(join(folder.path, `store-${stores++}`), dimensions, rest));

async function refusal(action: Promise<unknown>): Promise<string> {
  try {
    await action;
  } catch (error) {
    return `${codeOf(error)} ${error}`;
  }
  throw new Error('expected a refusal');
}

describe('attributes of funlib.persistence', () => {
  test('a voxel size with fewer entries than axes leaves the leading ones as channels', async () => {
    const { metadata } = await openArray(4, { attributes: { voxel_size: [40, 4, 4] } });
    expect(metadata.channelAxes).toBe(1);
    expect(metadata.axisNames).toEqual(['c0^', 'd0', 'd1', 'd2']);
    expect(metadata.offset.values).toEqual([0, 0, 0]);
  });

  test('names decide where there are no types; dimension names are a fallback', async () => {
    const named = await openArray(3, { attributes: { axis_names: ['c^', 'y', 'x'] } });
    expect(named.metadata.channelAxes).toBe(1);
    const dimensions = await openArray(3, { dimension_names: ['z', null, 'x'] });
    expect(dimensions.metadata.axisNames).toEqual(['z', 'd1', 'x']);
    const channels = await openArray(4, { dimension_names: ['c', 'z', 'y', 'x'] });
    expect(channels.metadata).toMatchObject({ channelAxes: 1, axisNames: ['c^', 'z', 'y', 'x'] });
    const said = await openArray(2, { dimension_names: ['c', 'x'], attributes: { voxel_size: [4, 8] } });
    expect(said.metadata.channelAxes).toBe(0);
    expect((await openArray(1, { dimension_names: ['c'] })).metadata.channelAxes).toBe(0);
  });

  test.each([
    ['a fraction', { offset: [0.5, 0, 0] }],
    ['a voxel size of 0', { voxel_size: [0, 1, 1] }],
    ['a text', { voxel_size: '[1, 1, 1]' }],
    ['one entry too few', { offset: [1, 2], voxel_size: [1, 1, 1] }],
    ['names for other axes', { axis_names: ['y', 'x'] }],
  ])('%s is refused with the key', async (_, attributes) => {
    expect(await refusal(openArray(3, { attributes }))).toMatch(
      /^ERR_METADATA .*zarr\.json: attributes\.(offset|voxel_size|axis_names)/,
    );
  });

  test('channels behind physical axes are refused', async () => {
    expect(await refusal(openArray(3, { attributes: { types: ['space', 'space', 'channel'] } }))).toMatch(
      /^ERR_UNSUPPORTED .*channel axes before space axes, not space, space, channel/,
    );
  });
});

describe('arrays in an OME-Zarr image', () => {
  const axis = (name: string, unit?: string) => ({ name, type: name === 'c' ? 'channel' : 'space', unit });

  function image(axes: object[], levels: [string, object[]][], attributes: object = {}): string {
    const group = join(folder.path, `store-${stores++}`);
    const datasets = levels.map(([path, coordinateTransformations]) => ({ path, coordinateTransformations }));
    const ome = { version: '0.5', multiscales: [{ axes, datasets }] };
    writeJson(group, { zarr_format: 3, node_type: 'group', attributes: { ome } });
    writeJson(join(group, 'deep'), { zarr_format: 3, node_type: 'group' });
    for (const [path] of levels) writeArray(join(group, path), axes.length, { attributes });
    return group;
  }
  const scale = (...values: number[]) => ({ type: 'scale', scale: values });
  const translation = (...values: number[]) => ({ type: 'translation', translation: values });

  test('decimal micrometers become nanometers on all space axes and levels alike', async () => {
    const axes = [axis('c'), axis('y', 'micrometer'), axis('x', 'micrometer')];
    const group = image(axes, [
      ['0', [scale(1, 1, 0.004)]],
      ['deep/1', [scale(1, 2, 0.29), translation(0, 0.1, 0.0015)]],
    ]);
    const fine = await ChunkedArray.open(join(group, '0'));
    expect(fine.metadata.units).toEqual(['picometer', 'picometer']);
    expect(fine.metadata.voxelSize.values).toEqual([1_000_000, 4_000]);
    const { metadata } = await ChunkedArray.open(join(group, 'deep/1'));
    expect(metadata.voxelSize.values).toEqual([2_000_000, 290_000]);
    expect(metadata.offset.values).toEqual([100_000, 1_500]);
    expect([metadata.channelAxes, metadata.axisNames]).toEqual([1, ['c^', 'y', 'x']]);
  });

  test('what no unit makes whole is refused', async () => {
    const unknown = image([axis('y', 'inch'), axis('x', 'inch')], [['0', [scale(0.5, 1)]]]);
    expect(await refusal(ChunkedArray.open(join(unknown, '0')))).toMatch(
      /^ERR_METADATA .*0\.5 inch for the scale of level 0, axis y/,
    );
    const fine = image([axis('y', 'nanometer'), axis('x', 'nanometer')], [['0', [scale(0.12345, 1)]]]);
    expect(await refusal(ChunkedArray.open(join(fine, '0')))).toMatch(/^ERR_METADATA .*0\.12345 nanometer/);
  });

  test("the array's own attributes go first, and a folder that is no level has the defaults", async () => {
    const axes = [axis('y', 'nanometer'), axis('x', 'nanometer')];
    const own = image(axes, [['0', [scale(8, 4)]]], { voxel_size: [3, 3] });
    expect((await ChunkedArray.open(join(own, '0'))).metadata.voxelSize.values).toEqual([3, 3]);
    const other = await ChunkedArray.open(writeArray(join(own, 'labels'), 2, {}));
    expect(other.metadata.voxelSize.values).toEqual([1, 1]);
  });

  test('another number of axes than the array has is refused', async () => {
    const group = image([axis('y'), axis('x')], [['0', [scale(8, 4)]]]);
    writeArray(join(group, '0'), 3, {});
    expect(await refusal(ChunkedArray.open(join(group, '0')))).toMatch(/^ERR_METADATA .*axes: expected 3 axes/);
  });
});

describe('Decimal', () => {
  test('is exact where floats are not', () => {
    expect(Decimal.of(0.1).plus(Decimal.of(0.2)).toNumber()).toBe(0.3);
    expect(Decimal.of(0.29).timesPowerOfTen(2).toInteger()).toBe(29);
    expect(Decimal.of(1e-7).timesPowerOfTen(7).toInteger()).toBe(1);
    expect(Decimal.of(-1.5e21).toInteger()).toBeUndefined();
    expect(Decimal.of(-2.5).times(Decimal.of(4)).toInteger()).toBe(-10);
    expect(Decimal.of(0.5).toInteger()).toBeUndefined();
  });
});
