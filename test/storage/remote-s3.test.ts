import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { ChunkedArray } from '../../lib/storage/chunked-array.js';
import { RemoteArray, type RemoteArrayOptions } from '../../lib/storage/remote-array.js';
import { serveFolder } from '../support/http-server.js';
import { type S3Server, startS3 } from '../support/s3-server.js';
import { filesBelow, temporaryFolder, unpackStores } from '../support/stores.js';

const KEYS = {
  region: 'eu-central-7',
  accessKeyId: 'AKIATESTTESTTEST',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+secret',
  sessionToken: 'token/of+a=session',
};
const ARRAYS = [
  'v3-shard-end',
  'v3-shard-start',
  'v3-shard-nested',
  'v2-zstd-checksum',
  'v3-shard-missing-shard',
  'funlib-affs',
];

const folder = temporaryFolder();
let server: S3Server;
let environment: Record<string, string> = {};

beforeAll(async () => {
  unpackStores(folder.path);
  server = await startS3(KEYS);
  const all = filesBelow(join(folder.path, 'good'));
  const files = [...all].filter(([path]) => ARRAYS.includes(path.split('/')[0]));
  await server.put('bucket', new Map(files.map(([path, bytes]) => [`some data/ä+b/${path}`, bytes])));
});
beforeEach(() => {
  environment = {
    AWS_ENDPOINT_URL_S3: server.guarded,
    AWS_ENDPOINT_URL: 'http://127.0.0.1:1/wrong',
    AWS_REGION: KEYS.region,
    AWS_DEFAULT_REGION: 'wrong',
    AWS_ACCESS_KEY_ID: KEYS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: KEYS.secretAccessKey,
    AWS_SESSION_TOKEN: KEYS.sessionToken,
  };
  server.headers.length = 0;
});
afterAll(async () => {
  await server.close();
  folder.remove();
});

const open = (name: string, options: RemoteArrayOptions = {}) =>
  RemoteArray.open(`s3://bucket/some data/ä+b/${name}`, { environment, retries: 0, ...options });

async function expectSame(name: string): Promise<void> {
  const local = await ChunkedArray.open(join(folder.path, 'good', name));
  const remote = await open(name);
  expect(remote.metadata).toEqual(local.metadata);
  const begin = local.shape.map(() => 0);
  expect(await remote.readRegion(begin, local.shape)).toEqual(await local.readRegion(begin, local.shape));
}

describe('arrays in a bucket', () => {
  test.each(ARRAYS)('%s, with signed requests', async (name) => {
    await expectSame(name);
    expect(server.headers.length).toBeGreaterThan(1);
    expect(server.headers.every(({ authorization }) => authorization !== undefined)).toBe(true);
  });

  test('anonymous where there are no keys, at the endpoint of all services', async () => {
    environment = { AWS_ENDPOINT_URL: `${server.open}/` };
    await expectSame('v3-shard-end');
  });
});

describe('refused', () => {
  test.each([
    ['AWS_SECRET_ACCESS_KEY', 'another-secret'],
    ['AWS_SESSION_TOKEN', ''],
    ['AWS_REGION', 'us-east-1'],
    ['AWS_ACCESS_KEY_ID', ''],
  ])('with a wrong %s, and no secret is told', async (name, value) => {
    environment[name] = value;
    const error = await open('v3-shard-end').catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: 'ERR_IO',
      message:
        'reading s3://bucket/some data/ä+b/v3-shard-end/zarr.json: the server answered 403 Forbidden (SignatureDoesNotMatch)',
      details: { status: 403 },
    });
    const text = inspect(error, { depth: 9, showHidden: true });
    for (const secret of ['secret', 'token', KEYS.accessKeyId, 'Signature=']) expect(text).not.toContain(secret);
  });

  test.each([
    ['AWS_SESSION_TOKEN', 'token-\nsecret'],
    ['AWS_ACCESS_KEY_ID', 'secret-\u20ac'],
    ['AWS_ENDPOINT_URL_S3', 'http://me:secret@127.0.0.1:1'],
    ['AWS_ENDPOINT_URL_S3', 'secret'],
    ['AWS_ENDPOINT_URL_S3', 'file:///secret'],
    ['AWS_ENDPOINT_URL_S3', 'https://host?secret'],
  ])('a %s that cannot be one, and it is not told', async (name, value) => {
    environment[name] = value;
    const error = await open('v3-shard-end').catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'ERR_ARGUMENT', message: expect.stringContaining(name.replace('_S3', '')) });
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('secret');
  });

  test('what is not there: a key, a bucket', async () => {
    await expect(open('nothing')).rejects.toMatchObject({ code: 'ERR_ARRAY_MISSING' });
    await expect(RemoteArray.open('s3://no-bucket/a', { environment, retries: 0 })).rejects.toMatchObject({
      code: 'ERR_IO',
      message: 'reading s3://no-bucket/a/zarr.json: the server answered 404 Not Found (NoSuchBucket)',
    });
  });

  test('an endpoint that sends elsewhere, with the region to set', async () => {
    const elsewhere = await serveFolder(folder.path);
    elsewhere.fault = (_, response) => {
      const body = '<Error><Code>PermanentRedirect</Code></Error>';
      response.writeHead(301, { Location: server.open, 'x-amz-bucket-region': 'eu-west-1' }).end(body);
      return true;
    };
    environment.AWS_ENDPOINT_URL_S3 = elsewhere.address;
    await expect(open('v3-shard-end')).rejects.toMatchObject({
      code: 'ERR_IO',
      message: expect.stringContaining('(PermanentRedirect; the bucket lies in eu-west-1, set AWS_REGION)'),
    });
    expect(elsewhere.requests).toHaveLength(1);
    await elsewhere.close();
  });
});
