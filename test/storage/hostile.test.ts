import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { codeOf, messageOf } from '../../lib/errors.js';
import { Coordinate } from '../../lib/geometry/coordinate.js';
import { ChunkedArray } from '../../lib/storage/chunked-array.js';
import { parseJson } from '../../lib/storage/exact-json.js';
import { openImage } from '../../lib/storage/image-group.js';
import { temporaryFolder } from '../support/stores.js';

const folder = temporaryFolder();
afterAll(folder.remove);

const OUTSIDE = join(folder.path, 'outside');
let count = 0;
/** Shape [4, 4] in four raw chunks c/0/0 to c/1/1, all voxels 1. */
let array: ChunkedArray;

function newArray(path: string): Promise<ChunkedArray> {
  const metadata = {
    shape: [4, 4],
    chunkShape: [2, 2],
    dataType: 'uint8' as const,
    channelAxes: 0,
    offset: new Coordinate([0, 0]),
    voxelSize: new Coordinate([1, 1]),
    units: ['', ''],
    axisNames: ['y', 'x'],
    attributes: {},
  };
  return ChunkedArray.create(path, metadata, { compressor: { name: 'none' } });
}

beforeEach(async () => {
  rmSync(OUTSIDE, { recursive: true, force: true });
  mkdirSync(join(OUTSIDE, '0'), { recursive: true });
  writeFileSync(join(OUTSIDE, '0', '0'), 'abcd');
  count += 1;
  array = await newArray(join(folder.path, `array-${count}`));
  await array.writeRegion([0, 0], [4, 4], new Uint8Array(16).fill(1));
});

async function refusal(action: Promise<unknown>): Promise<[string | undefined, string]> {
  try {
    await action;
  } catch (error) {
    return [codeOf(error), messageOf(error)];
  }
  return [undefined, 'nothing was refused'];
}

const readAll = () => array.readRegion([0, 0], [4, 4]);
const inArray = (...names: string[]) => join(array.path, ...names);
const outsideFiles = () => readdirSync(OUTSIDE, { recursive: true, encoding: 'utf8' }).sort();

describe('links in place of chunks', () => {
  test.each([
    ['an absolute one', join(OUTSIDE, '0', '0')],
    ['a relative one', '../../../outside/0/0'],
  ])('out of the array, %s, is refused', async (_, target) => {
    rmSync(inArray('c', '0', '0'));
    symlinkSync(target, inArray('c', '0', '0'));
    const [code, message] = await refusal(readAll());
    expect(code).toBe('ERR_CHUNK_CORRUPT');
    expect(message).toContain(`chunk c/0/0 of ${array.path} is damaged: a link leads out of the array's folder`);
    // Another chunk is not touched by it, and writing the whole chunk replaces the link.
    expect([...(await array.readRegion([2, 2], [4, 4]))]).toEqual([1, 1, 1, 1]);
    await array.writeRegion([0, 0], [2, 2], new Uint8Array(4).fill(2));
    expect([...(await array.readRegion([0, 0], [2, 2]))]).toEqual([2, 2, 2, 2]);
    expect(readFileSync(join(OUTSIDE, '0', '0'), 'utf8')).toBe('abcd');
  });

  test.each(['0/0', '1/1'])('a folder that leads out, for chunk %s there or not, is refused', async (chunk) => {
    rmSync(inArray('c'), { recursive: true });
    symlinkSync(OUTSIDE, inArray('c'));
    const [y, x] = chunk.split('/').map((index) => 2 * Number(index));
    expect((await refusal(array.readRegion([y, x], [y + 2, x + 2])))[0]).toBe('ERR_CHUNK_CORRUPT');
  });

  test.each([
    ['content', 5],
    ['the fill value', 0],
  ])('a folder that leads out: writing %s changes nothing there', async (_, value) => {
    rmSync(inArray('c'), { recursive: true });
    symlinkSync(OUTSIDE, inArray('c'));
    const [code, message] = await refusal(array.writeRegion([0, 0], [4, 4], new Uint8Array(16).fill(value)));
    expect(code).toBe('ERR_IO');
    expect(message).toContain("a link leads out of the array's folder");
    expect(outsideFiles()).toEqual(['0', '0/0']);
    expect(readFileSync(join(OUTSIDE, '0', '0'), 'utf8')).toBe('abcd');
  });

  test.each(['/nowhere/at/all', 'nowhere', '0', '../../../outside/missing'])(
    'one that leads to %s is no fill value',
    async (to) => {
      rmSync(inArray('c', '0', '0'));
      symlinkSync(to, inArray('c', '0', to === '0' ? 'self' : '0'));
      if (to === '0') renameSync(inArray('c', '0', 'self'), inArray('c', '0', '0'));
      expect((await refusal(readAll()))[0]).toBe('ERR_CHUNK_CORRUPT');
    },
  );

  test('a folder that leads nowhere is no fill value', async () => {
    rmSync(inArray('c', '0'), { recursive: true });
    symlinkSync('nowhere', inArray('c', '0'));
    expect((await refusal(readAll()))[0]).toBe('ERR_CHUNK_CORRUPT');
  });

  test('those that stay inside are followed, and so is the path of the array', async () => {
    renameSync(inArray('c', '0', '0'), inArray('moved'));
    symlinkSync('../../moved', inArray('c', '0', '0'));
    renameSync(inArray('c', '1'), inArray('other'));
    symlinkSync(inArray('other'), inArray('c', '1'));
    const link = join(folder.path, `link-${count}`);
    symlinkSync(array.path, link);
    const linked = await ChunkedArray.open(link);
    expect([...(await linked.readRegion([0, 0], [4, 4]))]).toEqual(new Array(16).fill(1));
    await linked.writeRegion([2, 0], [4, 4], new Uint8Array(8).fill(3));
    expect([...(await readAll())]).toEqual([...new Array(8).fill(1), ...new Array(8).fill(3)]);
  });
});

test('shards of two voxels, more than are at work at once', async () => {
  const sharded = await ChunkedArray.create(join(folder.path, `shards-${count}`), {
    ...array.metadata,
    shape: [5000, 2],
    chunkShape: [1, 1],
    shardShape: [1, 2],
  });
  const rows = [0, 4095, 4096, 4999];
  for (const row of rows)
    await sharded.writeRegion([row, 1], [row + 1, 2], Uint8Array.of((row % 7) + 1), { durable: false });
  const expected = new Uint8Array(10_000);
  for (const row of rows) expected[2 * row + 1] = (row % 7) + 1;
  expect(Buffer.compare((await sharded.readRegion([0, 0], [5000, 2])) as Uint8Array, expected)).toBe(0);
});

describe('what is no file', () => {
  test('pipes in place of chunks are refused without waiting', async () => {
    rmSync(inArray('c', '0', '0'));
    execFileSync('mkfifo', [inArray('c', '0', '0')]);
    const [code, message] = await refusal(readAll());
    expect([code, message.includes('not a regular file')]).toEqual(['ERR_CHUNK_CORRUPT', true]);
  });

  test.each(['zarr.json', '.zattrs'])('pipes, folders and links in place of %s', async (name) => {
    const group = join(folder.path, `v2-${count}`);
    if (name === '.zattrs') {
      mkdirSync(group);
      const zarray = {
        zarr_format: 2,
        shape: [1],
        chunks: [1],
        dtype: '|u1',
        compressor: null,
        fill_value: 0,
        order: 'C',
      };
      writeFileSync(join(group, '.zarray'), JSON.stringify(zarray));
      writeFileSync(join(group, '.zattrs'), '{}');
    }
    const path = name === '.zattrs' ? group : array.path;
    await ChunkedArray.open(path);
    const file = join(path, name);
    renameSync(file, join(OUTSIDE, name));
    const attempts: [string, () => void][] = [
      ['a pipe', () => execFileSync('mkfifo', [file])],
      ['a folder', () => mkdirSync(file)],
      ['a link out', () => symlinkSync(join(OUTSIDE, name), file)],
      ['a relative link out', () => symlinkSync(`../outside/${name}`, file)],
      ['a link to nowhere', () => symlinkSync('nowhere', file)],
      ['a link to a device', () => symlinkSync('/dev/zero', file)],
    ];
    for (const [what, place] of attempts) {
      place();
      expect([what, (await refusal(ChunkedArray.open(path)))[0]]).toEqual([what, 'ERR_METADATA']);
      rmSync(file, { recursive: true });
    }
    renameSync(join(OUTSIDE, name), inArray('elsewhere.json'));
    if (name === '.zattrs') return;
    symlinkSync('elsewhere.json', file);
    expect((await ChunkedArray.open(path)).shape).toEqual([4, 4]);
  });

  test('levels of an image that are links out of it', async () => {
    const image = join(folder.path, `image-${count}`);
    mkdirSync(image);
    const level = (path: string) => ({ path, coordinateTransformations: [{ type: 'scale', scale: [1, 1] }] });
    const write = (paths: string[]) => {
      const multiscales = [{ axes: [{ name: 'y' }, { name: 'x' }], datasets: paths.map(level) }];
      const text = { zarr_format: 3, node_type: 'group', attributes: { ome: { version: '0.5', multiscales } } };
      writeFileSync(join(image, 'zarr.json'), JSON.stringify(text));
    };
    await newArray(join(image, 'inside'));
    symlinkSync('inside', join(image, 's0'));
    write(['s0']);
    expect((await openImage(image)).levels.length).toBe(1);
    symlinkSync(array.path, join(image, 's1'));
    write(['s0', 's1']);
    const [code, message] = await refusal(openImage(image));
    expect([code, message.includes('no links out of it')]).toEqual(['ERR_METADATA', true]);
    write(['s0', 's2']);
    expect((await refusal(openImage(image)))[0]).toBe('ERR_ARRAY_MISSING');
    write(new Array<string>(101).fill('s0'));
    expect((await refusal(openImage(image)))[0]).toBe('ERR_LIMIT');
  });
});

describe('absurd metadata is refused before it takes memory or time', () => {
  const metadata = () => JSON.parse(readFileSync(inArray('zarr.json'), 'utf8')) as Record<string, unknown>;
  async function refusedWith(change: Record<string, unknown>): Promise<[string | undefined, string]> {
    writeFileSync(inArray('zarr.json'), JSON.stringify({ ...metadata(), ...change }));
    return refusal(ChunkedArray.open(array.path));
  }

  test('a metadata file of more than 64 MiB', async () => {
    truncateSync(inArray('zarr.json'), 2 ** 26 + 1);
    expect((await refusal(ChunkedArray.open(array.path)))[0]).toBe('ERR_LIMIT');
  });

  test('more codecs than 16, which would each enlarge the buffers', async () => {
    const gzip = { name: 'gzip', configuration: { level: 1 } };
    const chain = (count: number) => ({ codecs: [{ name: 'bytes' }, ...new Array(count).fill(gzip)] });
    expect((await refusedWith(chain(15)))[0]).toBe(undefined);
    const [code, message] = await refusedWith(chain(16));
    expect([code, message.includes('codecs: expected at most 16 codecs')]).toEqual(['ERR_LIMIT', true]);
  });

  test('documents of millions of values, integers of thousands of digits', () => {
    const list = (count: number) => `[${'0,'.repeat(count - 1)}0]`;
    expect((parseJson(list(2 ** 21 - 1), 'x') as unknown[]).length).toBe(2 ** 21 - 1);
    const code = (text: string) => {
      try {
        parseJson(text, 'x');
      } catch (error) {
        return codeOf(error);
      }
      return undefined;
    };
    expect(code(list(2 ** 21))).toBe('ERR_LIMIT');
    expect(code('9'.repeat(1000))).toBe(undefined);
    expect(code('9'.repeat(1001))).toBe('ERR_METADATA');
  });

  test('a fill value in hexadecimal of another length', async () => {
    const [code, message] = await refusedWith({ data_type: 'float32', fill_value: `0x${'0'.repeat(100_000)}` });
    expect([code, message.length < 1000]).toEqual(['ERR_METADATA', true]);
  });
});
