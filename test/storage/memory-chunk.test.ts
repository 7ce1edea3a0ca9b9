import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { ArrayFormat } from '../../lib/storage/array-format.js';
import { ChunkedArray } from '../../lib/storage/chunked-array.js';
import { decodeChunkNatively, findInnerChunksNatively } from '../../lib/storage/region-engine.js';
import { temporaryFolder, unpackStores } from '../support/stores.js';

const folder = temporaryFolder();
let nested: ArrayFormat;
beforeAll(async () => {
  unpackStores(folder.path);
  nested = (await ChunkedArray.open(join(folder.path, 'good/v3-shard-nested'))).format;
});
afterAll(folder.remove);

const regionOf = ({ shape, dataType }: ArrayFormat) => {
  expect(dataType).toBe('uint16');
  const count = shape.reduce((product, extent) => product * extent, 1);
  const begin = shape.map(() => 0);
  return { begin, end: shape, data: new Uint16Array(count), dataBegin: begin, dataShape: shape };
};

/** How many inner chunks a shard has along each axis. */
const innerGrid = ({ chunkShape, shard }: ArrayFormat) =>
  chunkShape.map((extent, axis) => extent / (shard?.inner.chunkShape[axis] ?? 1));

describe('positions that do not exist are refused', () => {
  const zeros = () => nested.shape.map(() => 0);
  const beyond = () => nested.shape.map((extent, axis) => (axis === 0 ? Math.ceil(extent / nested.chunkShape[0]) : 0));
  test.each<[string, () => { index: number[]; inner: number[][] }]>([
    ['beyond the grid', () => ({ index: beyond(), inner: [] })],
    ['far beyond it', () => ({ index: zeros().map(() => Number.MAX_SAFE_INTEGER), inner: [] })],
    ['negative', () => ({ index: zeros().map(() => -1), inner: [] })],
    ['of too few axes', () => ({ index: zeros().slice(1), inner: [] })],
    ['of too many axes', () => ({ index: [...zeros(), 0], inner: [] })],
    ['beyond the shard', () => ({ index: zeros(), inner: [innerGrid(nested)] })],
    ['in shards that are none', () => ({ index: zeros(), inner: [zeros(), zeros(), zeros()] })],
  ])('%s', async (_, make) => {
    const bytes = new Uint8Array(100);
    const region = regionOf(nested);
    await expect(decodeChunkNatively('x', nested, region, make(), bytes)).rejects.toMatchObject({
      code: 'ERR_ARGUMENT',
    });
    await expect(findInnerChunksNatively('x', nested, region, make(), bytes, 100)).rejects.toMatchObject({
      code: 'ERR_ARGUMENT',
    });
  });

  test('an array of no voxels has no chunks', async () => {
    const format = { ...nested, shape: nested.shape.map(() => 0) };
    const place = { index: nested.shape.map(() => 0), inner: [] };
    await expect(decodeChunkNatively('x', format, regionOf(format), place, undefined)).rejects.toMatchObject({
      code: 'ERR_ARGUMENT',
    });
  });

  test('a chunk of items has no inner chunks', async () => {
    const { format } = await ChunkedArray.open(join(folder.path, 'good/v3-zstd-3'));
    const place = { index: format.shape.map(() => 0), inner: [] };
    const [begin, data] = [place.index, new Uint8Array(0)];
    const region = { begin, end: begin, data, dataBegin: begin, dataShape: begin };
    await expect(findInnerChunksNatively('x', format, region, place, data, 0)).rejects.toMatchObject({
      code: 'ERR_ARGUMENT',
    });
  });
});

test('damage is named from the file to the inner chunk, whatever the bytes', async () => {
  const index = nested.shape.map(() => 0);
  const inner = innerGrid(nested).map((count) => count - 1);
  const region = regionOf(nested);
  for (const length of [0, 1, 16, 68, 300]) {
    const error = await decodeChunkNatively(
      'x',
      nested,
      region,
      { index, inner: [inner] },
      new Uint8Array(length),
    ).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: 'ERR_CHUNK_CORRUPT',
      message: expect.stringContaining(`shard c/0/0/0 of x is damaged: inner chunk [${inner}]: `),
      details: { path: 'x', chunk: 'c/0/0/0', inner: `${inner}` },
    });
  }
  expect(region.data.every((value) => value === 0)).toBe(true);
});
