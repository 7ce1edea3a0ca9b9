import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { messageOf } from '../../lib/errors.js';
import { loadPipeline } from '../../lib/pipeline/file.js';
import { planPipeline } from '../../lib/pipeline/plan.js';
import { formatProblem } from '../../lib/pipeline/problem.js';
import { runPipeline } from '../../lib/pipeline/run.js';
import { ChunkedArray } from '../../lib/storage/chunked-array.js';
import { type FolderServer, serveFolder } from '../support/http-server.js';
import { pluginPath } from '../support/plugins.js';
import { metadataOf } from '../support/small-volume.js';
import { filesBelow, temporaryFolder } from '../support/stores.js';

const folder = temporaryFolder();
const values = Uint32Array.from({ length: 20 * 30 }, (_, i) => i * i);
let server: FolderServer;
beforeAll(async () => {
  const metadata = metadataOf({ shape: [1, 20, 30], chunkShape: [1, 7, 8], dataType: 'uint32' });
  const array = await ChunkedArray.create(join(folder.path, 'remote', 'bucket', 'a b'), metadata);
  await array.writeRegion([0, 0, 0], [1, 20, 30], values);
  server = await serveFolder(join(folder.path, 'remote'));
});
afterAll(async () => {
  await server.close();
  folder.remove();
});

const file = () => join(folder.path, 'p.yaml');
const load = (input: string, output: string, more = '') => {
  const lines = [
    'name: test',
    `plugins: ['${pluginPath('toy-copy')}']`,
    'executor: {type: local, workers: 2}',
    'arrays:',
    `  in: {store: '${input}'}`,
    `  out: {store: '${output}'}`,
    'tasks:',
    '  copy: {type: toy-copy, input: in, output: out, blockSize: [8, 56, 64]}',
    more,
  ];
  writeFileSync(file(), lines.join('\n'));
  return loadPipeline(file(), { definitions: [] });
};
const plain = (text: string) => text.replaceAll(`${file()}:`, '').replaceAll(server.address, 'SERVER');

describe('an input at an address', () => {
  test('is read by worker processes', async () => {
    const result = await runPipeline(await load(`${server.address}/./bucket/a b/`, 'out.zarr'));
    expect(result).toMatchObject({ complete: true, failures: [] });
    const out = await ChunkedArray.open(join(folder.path, 'out.zarr'));
    expect(await out.readRegion([0, 0, 0], [1, 20, 30])).toEqual(values);
    expect(out.metadata.voxelSize.values).toEqual([8, 8, 8]);
    // The server of this process sent the chunks, to processes with nothing but the address.
    expect(server.requests.filter(({ path }) => path.startsWith('/bucket/a b/c/')).length).toBeGreaterThanOrEqual(12);
    expect(readdirSync(folder.path).filter((name) => name.includes(':'))).toEqual([]);
  });

  test('with keys in the environment leaves none of them in the run directory', async () => {
    process.env.AWS_SECRET_ACCESS_KEY = 'very-secret-key';
    process.env.AWS_ACCESS_KEY_ID = 'AKIAVERYSECRET';
    process.env.AWS_ENDPOINT_URL = server.address;
    try {
      const result = await runPipeline(await load('s3://bucket/a b', 'out-s3.zarr', 'runDirectory: s3.run'));
      expect(result.complete).toBe(true);
      const files = filesBelow(join(folder.path, 's3.run'));
      expect(files.size).toBeGreaterThan(3);
      for (const content of files.values())
        expect(content.toString('latin1')).not.toMatch(/very-secret-key|AKIAVERYSECRET/);
    } finally {
      delete process.env.AWS_SECRET_ACCESS_KEY;
      delete process.env.AWS_ACCESS_KEY_ID;
      delete process.env.AWS_ENDPOINT_URL;
    }
  });
});

describe('refused with file, line and key', () => {
  const refusals = async (input: string, output: string) =>
    (await planPipeline(await load(input, output, 'runDirectory: new.run'))).refusals.map(
      (one) => `${one.code} ${plain(formatProblem(one))}`,
    );

  test('an output at an address', async () => {
    expect(await refusals(`${server.address}/bucket/a b`, `${server.address}/out`)).toEqual([
      "ERR_PLAN 8:45: tasks.copy.output: the array 'out' cannot be written to SERVER/out: remote stores can only be read",
    ]);
  });

  test('an input that is not there', async () => {
    expect(await refusals(`${server.address}/nothing`, 'new.zarr')).toEqual([
      "ERR_ARRAY_MISSING 8:33: tasks.copy.input: the array 'in' is not there (SERVER/nothing: neither zarr.json nor .zarray is there) and no task writes it",
    ]);
  });

  test('an input whose server refuses it, or does not answer', async () => {
    server.fault = (_, response) => response.writeHead(401).end() !== undefined;
    expect(await refusals(`${server.address}/bucket/a b`, 'new.zarr')).toEqual([
      "ERR_IO 8:33: tasks.copy.input: the array 'in' cannot be used: reading SERVER/bucket/a%20b/zarr.json: the server answered 401 Unauthorized",
    ]);
    server.fault = undefined;
    const gone = await serveFolder(folder.path);
    await gone.close();
    expect(await refusals(`${gone.address}/a`, 'new.zarr')).toEqual([
      expect.stringMatching(/^ERR_IO 8:33: tasks.copy.input: .*reading .*zarr.json: .*ECONNREFUSED.* \(5 tries\)$/),
    ]);
  });

  test('addresses with secrets, of other schemes, and of what is no array', async () => {
    const error = await load(
      'https://me:hidden@host/a',
      'gs://host/out',
      'runDirectory: https://host/run\ngraphs: {g: {type: sqlite, path: "s3://bucket/g"}}',
    ).catch((thrown: unknown) => thrown);
    expect(plain(messageOf(error)).split('\n')).toEqual([
      '4 problems',
      '  5:15: arrays.in.store: https://host/a: an address must not hold a user or password (for s3:// they come from the environment)',
      '  6:16: arrays.out.store: gs://host/out: expected a local folder or an address that begins with https://, http:// or s3://',
      '  9:15: runDirectory: expected a local path, found an address',
      '  10:34: graphs.g.path: expected a local path, found an address',
    ]);
  });
});
