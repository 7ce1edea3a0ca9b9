import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { codeOf } from '../../lib/errors.js';
import { ChunkedArray } from '../../lib/storage/chunked-array.js';
import { bytesOf } from '../../lib/storage/data-type.js';
import { openImage } from '../../lib/storage/image-group.js';
import { readOmeroWindows } from '../../lib/storage/omero-windows.js';
import { openStore } from '../../lib/storage/open-store.js';
import { RemoteArray } from '../../lib/storage/remote-array.js';
import { documentsOf } from '../../lib/storage/store-documents.js';
import type { Volume } from '../../lib/storage/volume.js';
import { openVolume } from '../../lib/storage/volume-source.js';
import { goldens, readJson } from '../support/goldens.js';
import { type FolderServer, serveFolder } from '../support/http-server.js';
import { temporaryFolder, unpackStores } from '../support/stores.js';

interface Entry {
  readonly name: string;
  readonly path: string;
  readonly levels?: { readonly path: string }[];
  readonly ome?: boolean;
}

const manifest = readJson<{ good: Entry[]; damaged: Entry[] }>(join(goldens, 'storage', 'manifest.json.gz'));
const folder = temporaryFolder();
let server: FolderServer;
beforeAll(async () => {
  unpackStores(folder.path);
  server = await serveFolder(folder.path);
});
afterAll(async () => {
  await server.close();
  folder.remove();
});

const all = (volume: Volume) =>
  volume.readRegion(
    volume.shape.map(() => 0),
    volume.shape,
  );

async function outcome(open: () => Promise<Volume>): Promise<{ volume?: Volume; bytes?: Uint8Array; error?: unknown }> {
  try {
    const volume = await open();
    return { volume, bytes: bytesOf(await all(volume)) };
  } catch (error) {
    return { error };
  }
}

/** Whether an array reads, or fails, over HTTP as it does from the folder. */
async function expectSame(path: string): Promise<unknown> {
  const local = await outcome(() => ChunkedArray.open(join(folder.path, path)));
  const remote = await outcome(() => openStore(`${server.address}/${path}`));
  expect(codeOf(remote.error)).toBe(codeOf(local.error));
  if (local.error !== undefined) {
    // The place may be the image around the array.
    expect(String(remote.error)).toContain(`${server.address}/${path.replace(/\/s\d$/, '')}`);
    expect(String(remote.error)).not.toContain(folder.path);
    return remote.error;
  }
  expect(remote.volume?.path).toBe(`${server.address}/${path}`);
  expect({ ...remote.volume?.metadata }).toEqual({ ...local.volume?.metadata });
  expect(remote.volume?.fillValue).toEqual(local.volume?.fillValue);
  expect(Buffer.compare(remote.bytes as Uint8Array, local.bytes as Uint8Array)).toBe(0);
  return undefined;
}

describe('good arrays read over HTTP as from a folder', () => {
  const paths = manifest.good.flatMap(({ path, levels }) => levels?.map((level) => `${path}/${level.path}`) ?? [path]);

  test('the list is whole', () => expect(paths.length).toBe(213));

  test.each(paths)('%s', async (path) => {
    await expectSame(path);
  });

  test('the image itself names its levels', async () => {
    await expect(openStore(`${server.address}/good/ome-0.5-em`)).rejects.toMatchObject({
      code: 'ERR_ARRAY_MISSING',
      message: expect.stringContaining('s0, s1, s2'),
    });
  });
});

describe('images', () => {
  const images = manifest.good.filter(({ levels }) => levels !== undefined).map(({ path }) => path);

  test.each(images)('%s has the same levels and windows over HTTP', async (path) => {
    const address = `${server.address}/${path}`;
    expect(await readOmeroWindows(address)).toEqual(
      JSON.parse(
        JSON.stringify(await readOmeroWindows(join(folder.path, path))).replaceAll(folder.path, server.address),
      ),
    );
    const image = await openImage(address, await documentsOf(address));
    const { levels } = await openImage(join(folder.path, path));
    expect(image.levels).toEqual(levels);
    const finest = await openVolume({ store: address, level: levels[0].path });
    const byVoxelSize = await openVolume({ store: address, level: finest.metadata.voxelSize.values });
    expect(byVoxelSize.path).toBe(`${address}/${levels[0].path}`);
    expect(await all(byVoxelSize)).toEqual(await all(await ChunkedArray.open(join(folder.path, path, levels[0].path))));
    await expect(
      openVolume({ store: address, level: finest.metadata.voxelSize.values.map(() => 99) }),
    ).rejects.toMatchObject({ code: 'ERR_ARRAY_MISSING', message: expect.stringContaining(levels[0].path) });
  });

  test('a level that is none is told with those that are', async () => {
    await expect(openVolume({ store: `${server.address}/good/ome-0.5-em`, level: 's9' })).rejects.toMatchObject({
      code: 'ERR_ARRAY_MISSING',
      message: expect.stringContaining('s0, s1, s2'),
    });
  });

  test('operations see remote arrays', async () => {
    const store = 'good/funlib-affs';
    const operations = [{ type: 'flip' as const, axes: [1] }];
    const remote = await openVolume({ store: `${server.address}/${store}`, operations });
    const local = await openVolume({ store: join(folder.path, store), operations });
    expect(await all(remote)).toEqual(await all(local));
  });
});

describe('damaged arrays are the same named errors over HTTP', () => {
  // That a folder is in the place of a chunk cannot be seen from afar.
  const damaged = manifest.damaged.filter(({ ome, name }) => !ome && name !== 'v3-chunk-is-a-folder');

  test.each(damaged.map((entry) => [entry.name, entry.path]))('%s', async (_, path) => {
    const error = await expectSame(path);
    if (codeOf(error) !== 'ERR_CHUNK_CORRUPT') return;
    expect((error as { details: object }).details).toMatchObject({
      path: `${server.address}/${path}`,
      chunk: expect.stringMatching(/^(c[/.])?[0-9]+([./][0-9]+)*$/),
    });
  });
});

describe('shards are read in parts', () => {
  const shards = manifest.good
    .filter(({ name }) => name.includes('shard') && !name.includes('gzip'))
    .map(({ path }) => path);

  test.each(['no-suffixes', 'none'] as const)('by a server that has ranges: %s', async (ranges) => {
    server.ranges = ranges;
    try {
      for (const path of shards) await expectSame(path);
    } finally {
      server.ranges = 'all';
    }
  });

  test('the index once, and then only the inner chunks that are needed', async () => {
    const path = 'good/v3-shard-end';
    const array = await RemoteArray.open(`${server.address}/${path}`);
    expect(array.metadata.shardShape).toBeDefined();
    server.requests.length = 0;
    const begin = array.shape.map(() => 0);
    const end = array.metadata.chunkShape;
    await array.readRegion(begin, end);
    const seen = server.requests.map(({ range }) => range);
    expect(seen).toHaveLength(2);
    expect(seen[0]).toMatch(/^bytes=-\d+$/);
    expect(seen[1]).toMatch(/^bytes=\d+-\d+$/);
    await array.readRegion(begin, end);
    expect(server.requests).toHaveLength(2);
  });
});

test('any region of any of them, through a cache of any size', async () => {
  const paths = [
    'v3-shard-nested',
    'v3-shard-inner-transpose',
    'v3-shard-then-zstd',
    'v3-shard-missing-inner',
    'funlib-affs',
  ];
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...paths),
      fc.array(fc.tuple(fc.nat(1000), fc.nat(1000)), { minLength: 6, maxLength: 6 }),
      fc.constantFrom(0, 500, 2 ** 20),
      async (name, corners, cacheBytes) => {
        const local = await ChunkedArray.open(join(folder.path, 'good', name));
        const remote = await RemoteArray.open(`${server.address}/good/${name}`, { cacheBytes, concurrency: 3 });
        const ends = local.shape.map((extent, axis) => corners[axis].map((corner) => corner % (extent + 1)));
        const begin = ends.map((pair) => Math.min(...pair));
        const end = ends.map((pair) => Math.max(...pair));
        const expected = await local.readRegion(begin, end);
        const [first, second] = await Promise.all([remote.readRegion(begin, end), remote.readRegion(begin, end)]);
        expect(first).toEqual(expected);
        expect(second).toEqual(expected);
        expect(await remote.readRegion(begin, end)).toEqual(expected);
        expect(remote.cachedBytes).toBeLessThanOrEqual(cacheBytes);
      },
    ),
    { numRuns: 60 },
  );
});
