import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { ChunkedArray } from '../../lib/storage/chunked-array.js';
import { RemoteArray, type RemoteArrayOptions } from '../../lib/storage/remote-array.js';
import { type FolderServer, serveFolder } from '../support/http-server.js';
import { until } from '../support/processes.js';
import { metadataOf } from '../support/small-volume.js';
import { temporaryFolder } from '../support/stores.js';

const SHAPE = [8, 8, 8];
const CHUNK = 'a/c/0/0/0';

const folder = temporaryFolder();
const values = BigUint64Array.from({ length: 512 }, (_, i) => BigInt(i + 1) ** 3n);
let server: FolderServer;
let delays: number[] = [];

beforeAll(async () => {
  const metadata = metadataOf({ shape: SHAPE, chunkShape: [4, 4, 8] });
  const raw = await ChunkedArray.create(join(folder.path, 'a'), metadata, { compressor: { name: 'none' } });
  await raw.writeRegion([0, 0, 0], SHAPE, values);
  server = await serveFolder(folder.path);
});
beforeEach(() => {
  server.fault = undefined;
  server.requests.length = 0;
  delays = [];
});
afterAll(async () => {
  await server.close();
  folder.remove();
});

/** Waits between tries take no time, and are noted. */
const open = (options: RemoteArrayOptions = {}) =>
  RemoteArray.open(`${server.address}/a`, {
    wait: async (delay) => {
      delays.push(delay);
    },
    ...options,
  });
const whole = (array: RemoteArray, signal?: AbortSignal) =>
  array.readRegion([0, 0, 0], SHAPE, signal === undefined ? {} : { signal });
const asked = (path: string) => server.requests.filter((request) => request.path === `/${path}`).length;

describe('what passes is tried again', () => {
  test.each([408, 429, 500, 502, 503, 504])('%i, with growing delays', async (status) => {
    server.fault = ({ path }, response) => {
      if (path !== `/${CHUNK}` || asked(CHUNK) > 3) return false;
      response.writeHead(status).end('come back');
      return true;
    };
    expect(await whole(await open())).toEqual(values);
    expect(delays).toEqual([200, 400, 800]);
  });

  test('and for ever is an error with address and status', async () => {
    server.fault = ({ path }, response) => {
      if (path !== `/${CHUNK}`) return false;
      response.writeHead(503).end('<html>');
      return true;
    };
    await expect(open({ retries: 2 }).then((array) => whole(array))).rejects.toMatchObject({
      code: 'ERR_IO',
      message: `reading ${server.address}/${CHUNK}: the server answered 503 Service Unavailable (3 tries)`,
      details: { path: `${server.address}/${CHUNK}`, status: 503 },
    });
    expect(delays).toEqual([200, 400]);
  });

  test('later where the server asks for it, but not for ever', async () => {
    const after = ['7', '0', '100000'];
    server.fault = ({ path }, response) => {
      if (path !== `/${CHUNK}` || asked(CHUNK) > after.length) return false;
      response.writeHead(429, { 'Retry-After': after[asked(CHUNK) - 1] }).end();
      return true;
    };
    expect(await whole(await open())).toEqual(values);
    expect(delays).toEqual([7000, 400, 60_000]);
  });

  test.each<[string, (bytes: Buffer) => [Record<string, string | number>, Buffer]]>([
    ['a body shorter than its Content-Length', (bytes) => [{ 'Content-Length': bytes.length }, bytes.subarray(0, 100)]],
    ['a body cut in a transfer by pieces', (bytes) => [{ 'Transfer-Encoding': 'chunked' }, bytes.subarray(0, 100)]],
    ['no body at all', (bytes) => [{ 'Content-Length': bytes.length }, Buffer.alloc(0)]],
  ])('%s', async (_, make) => {
    const bytes = readFileSync(join(folder.path, CHUNK));
    server.fault = ({ path }, response) => {
      if (path !== `/${CHUNK}` || asked(CHUNK) > 2) return false;
      const [headers, body] = make(bytes);
      response.writeHead(200, headers);
      response.write(body, () => response.destroy());
      return true;
    };
    expect(await whole(await open())).toEqual(values);
    expect(delays).toEqual([200, 400]);
  });

  test('a connection that is reset', async () => {
    server.fault = ({ path }, response) => {
      if (path !== `/${CHUNK}` || asked(CHUNK) > 1) return false;
      response.socket?.resetAndDestroy();
      return true;
    };
    expect(await whole(await open())).toEqual(values);
    expect(delays).toEqual([200]);
  });

  test('no answer within the time-out, and a body that stops half-way', async () => {
    server.fault = ({ path }, response) => {
      if (path !== `/${CHUNK}` || asked(CHUNK) > 2) return false;
      if (asked(CHUNK) === 2) {
        response.writeHead(200, { 'Content-Length': 1024 });
        response.write(Buffer.alloc(100));
      }
      return true;
    };
    expect(await whole(await open({ timeout: 1 }))).toEqual(values);
    expect(asked(CHUNK)).toBeGreaterThanOrEqual(3);
    server.fault = ({ path }) => path === `/${CHUNK}`;
    await expect(open({ timeout: 1, retries: 1 }).then((array) => whole(array))).rejects.toMatchObject({
      code: 'ERR_IO',
      message: `reading ${server.address}/${CHUNK}: no whole answer within 1 s (2 tries)`,
    });
  });
});

describe('what does not pass is an error at once', () => {
  test.each([400, 401, 403, 405, 410, 451, 501])('%i', async (status) => {
    server.fault = ({ path }, response) => {
      if (path !== `/${CHUNK}`) return false;
      response.writeHead(status).end();
      return true;
    };
    await expect(open().then((array) => whole(array))).rejects.toMatchObject({
      code: 'ERR_IO',
      message: expect.stringMatching(new RegExp(`${CHUNK}: the server answered ${status}`)),
      details: { status },
    });
    expect(delays).toEqual([]);
  });

  test('a wrong length that no one can tell from a damaged chunk', async () => {
    server.fault = ({ path }, response) => {
      if (path !== `/${CHUNK}`) return false;
      response.writeHead(200, { 'Content-Length': 1000 }).end(Buffer.alloc(1000));
      return true;
    };
    const array = await open();
    await expect(whole(array)).rejects.toMatchObject({
      code: 'ERR_CHUNK_CORRUPT',
      message: expect.stringContaining('expected 1024 bytes, found 1000'),
      details: { path: `${server.address}/a`, chunk: 'c/0/0/0' },
    });
    // Damaged bytes are not remembered.
    server.fault = undefined;
    expect(await whole(array)).toEqual(values);
  });

  test('more bytes than a chunk can have, which are not read to their end', async () => {
    server.fault = ({ path }, response) => {
      if (path !== `/${CHUNK}`) return false;
      response.writeHead(200);
      const more = () => response.write(Buffer.alloc(2 ** 16), (error) => error ?? more());
      more();
      return true;
    };
    await expect(open().then((array) => whole(array))).rejects.toMatchObject({
      code: 'ERR_CHUNK_CORRUPT',
      details: { chunk: 'c/0/0/0' },
    });
  });

  test('a host that does not answer', async () => {
    const gone = await serveFolder(folder.path);
    await gone.close();
    const wait = async (delay: number) => void delays.push(delay);
    await expect(RemoteArray.open(`${gone.address}/a`, { wait })).rejects.toMatchObject({
      code: 'ERR_IO',
      message: expect.stringContaining('ECONNREFUSED'),
      details: { path: `${gone.address}/a/zarr.json`, errno: 'ECONNREFUSED' },
    });
    expect(delays).toEqual([200, 400, 800, 1600]);
  });
});

describe('missing', () => {
  test('chunks are the fill value on 404 alone', async () => {
    server.fault = ({ path }, response) => {
      if (path !== `/${CHUNK}`) return false;
      response.writeHead(404).end();
      return true;
    };
    const data = (await whole(await open())) as BigUint64Array;
    expect(data).toEqual(values.map((value, i) => (i < 256 && i % 64 < 32 ? 0n : value)));
  });

  test('chunks of an array that has gone are an error', async () => {
    const array = await open();
    server.fault = (_, response) => response.writeHead(404).end() !== undefined;
    await expect(whole(array)).rejects.toMatchObject({ code: 'ERR_ARRAY_MISSING' });
    await expect(whole(array)).rejects.toMatchObject({ code: 'ERR_ARRAY_MISSING' });
  });

  test('arrays are named as such; where asking is forbidden that is said', async () => {
    await expect(RemoteArray.open(`${server.address}/b`)).rejects.toMatchObject({
      code: 'ERR_ARRAY_MISSING',
      message: `${server.address}/b: expected a zarr array, but neither zarr.json nor .zarray is there`,
    });
    server.fault = (_, response) => response.writeHead(403).end() !== undefined;
    await expect(open()).rejects.toMatchObject({ code: 'ERR_IO', details: { status: 403 } });
  });

  test('metadata that is forbidden is none, as servers answer that let no one list', async () => {
    server.fault = ({ path }, response) =>
      path.startsWith('/a/') ? false : response.writeHead(403).end() !== undefined;
    expect(await whole(await open())).toEqual(values);
  });
});

test('redirections are followed, and their queries are not told', async () => {
  server.fault = ({ path }, response) => {
    if (!path.startsWith('/moved/')) return false;
    response.writeHead(307, { Location: `${path.replace('/moved/', '/a/')}?token=secret` }).end();
    return true;
  };
  const array = await RemoteArray.open(`${server.address}/moved`, { retries: 0 });
  expect(await whole(array)).toEqual(values);
  const moved = server.fault;
  server.fault = (request, response, count) =>
    request.path === `/${CHUNK}` ? response.writeHead(500).end() !== undefined : moved(request, response, count);
  const error = await RemoteArray.open(`${server.address}/moved`, { retries: 0 })
    .then((other) => whole(other))
    .catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'ERR_IO', details: { path: `${server.address}/moved/c/0/0/0`, status: 500 } });
  expect(inspect(error, { depth: 9 })).not.toContain('secret');
});

describe('requests', () => {
  test('of one chunk at the same time are one', async () => {
    const array = await open();
    server.requests.length = 0;
    const [first, second] = await Promise.all([whole(array), whole(array)]);
    expect(first).toEqual(values);
    expect(second).toEqual(values);
    expect(server.requests).toHaveLength(4);
  });

  test('are no more at once than allowed', async () => {
    const array = await open({ concurrency: 2 });
    let now = 0;
    let most = 0;
    server.fault = ({ path }, response) => {
      now += 1;
      most = Math.max(most, now);
      setTimeout(() => {
        now -= 1;
        response.writeHead(200).end(readFileSync(join(folder.path, path)));
      }, 20);
      return true;
    };
    expect(await whole(array)).toEqual(values);
    expect(most).toBe(2);
  });

  test('end when the caller gives up, and a later read begins anew', async () => {
    const array = await open();
    const closed = new Promise<void>((resolve) => {
      server.fault = ({ path }, response) => {
        if (path !== `/${CHUNK}`) return false;
        response.on('close', resolve);
        controller.abort();
        return true;
      };
    });
    const controller = new AbortController();
    await expect(whole(array, controller.signal)).rejects.toMatchObject({ code: 'ERR_CANCELLED' });
    await closed;
    await expect(whole(array, controller.signal)).rejects.toMatchObject({ code: 'ERR_CANCELLED' });
    server.fault = undefined;
    expect(await whole(array)).toEqual(values);
  });

  test('that someone else still waits for go on', async () => {
    const array = await open();
    const controller = new AbortController();
    server.fault = ({ path }, response) => {
      if (path !== `/${CHUNK}`) return false;
      controller.abort();
      setTimeout(() => response.writeHead(200).end(readFileSync(join(folder.path, path))), 20);
      return true;
    };
    const [first, second] = await Promise.allSettled([whole(array, controller.signal), whole(array)]);
    expect(first).toMatchObject({ status: 'rejected', reason: { code: 'ERR_CANCELLED' } });
    expect(second).toMatchObject({ status: 'fulfilled', value: values });
    expect(asked(CHUNK)).toBe(1);
  });
});

describe('shards', () => {
  const SHARD = 's/c/0/0/0';
  beforeAll(async () => {
    const metadata = metadataOf({ shape: SHAPE, chunkShape: [4, 4, 2], shardShape: [8, 8, 8] });
    const array = await ChunkedArray.create(join(folder.path, 's'), metadata, { compressor: { name: 'zstd' } });
    await array.writeRegion([0, 0, 0], SHAPE, values);
  });
  const openShards = (options: RemoteArrayOptions = {}) =>
    RemoteArray.open(`${server.address}/s`, { retries: 1, wait: async () => undefined, ...options });
  const ranges = () =>
    server.requests.filter(({ path }) => path === `/${SHARD}`).map(({ method, range }) => `${method} ${range ?? ''}`);
  const size = () => readFileSync(join(folder.path, SHARD)).length;

  test('are read by few requests: the index, and what lies together', async () => {
    expect(await whole(await openShards())).toEqual(values);
    expect(ranges()).toEqual(['GET bytes=-260', `GET bytes=0-${size() - 261}`]);
  });

  test.each([200, 400, 416, 501])("by the file's size, where suffixes are answered with %i", async (status) => {
    server.fault = ({ range }, response) => {
      if (range?.startsWith('bytes=-') !== true) return false;
      response.writeHead(status);
      // Of the whole file nothing is read that is not needed.
      const more = () => response.write(Buffer.alloc(2 ** 16), (error) => error ?? more());
      if (status === 200) more();
      else response.end();
      return true;
    };
    const array = await openShards({ cacheBytes: 0 });
    expect(await whole(array)).toEqual(values);
    const again = ['HEAD ', `GET bytes=${size() - 260}-${size() - 1}`, `GET bytes=0-${size() - 261}`];
    expect(ranges()).toEqual(['GET bytes=-260', ...again]);
    // It is not asked in vain twice.
    server.requests.length = 0;
    expect(await whole(array)).toEqual(values);
    expect(ranges()).toEqual(again);
  });

  test('where the server knows no ranges and no sizes are an error', async () => {
    server.fault = ({ path, method, range }, response) => {
      if (path !== `/${SHARD}`) return false;
      if (method === 'HEAD') response.writeHead(200, { 'Transfer-Encoding': 'chunked' }).end();
      else response.writeHead(range === undefined ? 200 : 501).end();
      return true;
    };
    await expect(openShards().then((array) => whole(array))).rejects.toMatchObject({
      code: 'ERR_IO',
      message: expect.stringContaining('neither suffix ranges nor the file'),
    });
  });

  test.each([
    ['other bytes', 'bytes 1-260/9999'],
    ['no word on which', undefined],
  ])('answered with %s are not believed', async (_, header) => {
    server.fault = ({ path }, response) => {
      if (path !== `/${SHARD}`) return false;
      response.writeHead(206, header === undefined ? {} : { 'Content-Range': header }).end(Buffer.alloc(260));
      return true;
    };
    await expect(openShards().then((array) => whole(array))).rejects.toMatchObject({
      code: 'ERR_IO',
      message: expect.stringContaining('other bytes'),
    });
  });

  test('that were cut, or are empty, or lost their index, are damaged', async () => {
    const bytes = readFileSync(join(folder.path, SHARD));
    const wrongIndex = Buffer.from(bytes).fill(7, bytes.length - 100, bytes.length - 90);
    for (const content of [bytes.subarray(0, 300), bytes.subarray(0, 100), Buffer.alloc(0), wrongIndex]) {
      writeFileSync(join(folder.path, SHARD), content);
      try {
        await expect(openShards().then((array) => whole(array))).rejects.toMatchObject({
          code: 'ERR_CHUNK_CORRUPT',
          message: expect.stringMatching(`shard c/0/0/0 of ${server.address}/s is damaged: `),
          details: { path: `${server.address}/s`, chunk: 'c/0/0/0' },
        });
      } finally {
        writeFileSync(join(folder.path, SHARD), bytes);
      }
    }
  });

  test('that fail in one place end what is under way in others', async () => {
    // With gaps, so that there are several requests.
    const metadata = metadataOf({ shape: [64, 64, 64], chunkShape: [32, 32, 32], shardShape: [64, 64, 64] });
    const path = join(folder.path, 'gaps');
    const array = await ChunkedArray.create(path, metadata, { compressor: { name: 'none' } });
    await array.writeRegion([0, 0, 0], metadata.shape, new BigUint64Array(64 ** 3).fill(5n));
    const ended: string[] = [];
    server.fault = ({ path: file, range }, response) => {
      if (file !== '/gaps/c/0/0/0' || range?.startsWith('bytes=-') === true) return false;
      // The first inner chunk fails once the last is under way, which is never answered.
      if (range?.startsWith('bytes=0-') === true) setTimeout(() => response.writeHead(403).end(), 100);
      else response.on('close', () => ended.push(range ?? ''));
      return true;
    };
    const remote = await RemoteArray.open(`${server.address}/gaps`, { retries: 0, timeout: 1000 });
    // Two inner chunks with others between them: two requests.
    await expect(remote.readRegion([0, 31, 31], [64, 32, 32])).rejects.toMatchObject({ details: { status: 403 } });
    await until('the other request was ended', () => ended.length === 1);
  });

  test('that shrink while they are open are damaged', async () => {
    const array = await openShards();
    const one = (z: number) => array.readRegion([0, 0, z], [4, 4, z + 2]);
    await one(0);
    const bytes = readFileSync(join(folder.path, SHARD));
    writeFileSync(join(folder.path, SHARD), bytes.subarray(0, 200));
    await expect(one(6)).rejects.toMatchObject({ code: 'ERR_CHUNK_CORRUPT', details: { chunk: 'c/0/0/0' } });
    writeFileSync(join(folder.path, SHARD), bytes);
    expect(await one(6)).toEqual(
      await ChunkedArray.open(join(folder.path, 's')).then((local) => local.readRegion([0, 0, 6], [4, 4, 8])),
    );
  });
});

test('the cache holds no more bytes than allowed, and what was used last', async () => {
  const array = await open({ cacheBytes: 3000, concurrency: 1 });
  const chunk = (y: number) => array.readRegion([0, y, 0], [1, y + 1, 1]);
  for (const y of [0, 4, 0]) await chunk(y);
  expect(array.cachedBytes).toBe(2 * (1024 + 256));
  await array.readRegion([4, 0, 0], [5, 1, 1]);
  expect(array.cachedBytes).toBe(2 * (1024 + 256));
  server.requests.length = 0;
  await chunk(0);
  expect(server.requests).toHaveLength(0);
  await chunk(4);
  expect(server.requests).toHaveLength(1);
  expect(array.cachedBytes).toBe(2 * (1024 + 256));
});

test('it cannot be written', async () => {
  const array = await open();
  await expect(array.writeRegion()).rejects.toMatchObject({ code: 'ERR_UNSUPPORTED' });
  await expect(array.writeRoi()).rejects.toMatchObject({ code: 'ERR_UNSUPPORTED' });
});

test.each([{ timeout: 0 }, { retries: -1 }, { concurrency: 0 }, { cacheBytes: 1.5 }])(
  '%j is refused',
  async (options) => {
    await expect(open(options)).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
  },
);
