import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { codeOf, isBlockwrightError } from '../../lib/errors.js';
import { Coordinate } from '../../lib/geometry/coordinate.js';
import { ChunkedArray } from '../../lib/storage/chunked-array.js';
import type { CreateOptions } from '../../lib/storage/create-array.js';
import type { ArrayMetadata } from '../../lib/storage/metadata.js';
import { storedFiles, storedSize } from '../../lib/storage/stored-files.js';
import { temporaryName } from '../../lib/storage/temporary-files.js';
import { type Finding, verifyArray } from '../../lib/storage/verify-array.js';
import { type StoreFinding, type StoreVerification, verifyStore } from '../../lib/storage/verify-store.js';
import { goldens, readJson } from '../support/goldens.js';
import { noise } from '../support/noise.js';
import { temporaryFolder, unpackStores } from '../support/stores.js';

interface Good {
  readonly name: string;
  readonly path: string;
  readonly shape: number[];
  readonly levels?: readonly unknown[];
}

interface Damaged {
  readonly name: string;
  readonly path: string;
  readonly kind: string;
  readonly mustFail: boolean;
}

const manifest = readJson<{ good: Good[]; damaged: Damaged[] }>(join(goldens, 'storage', 'manifest.json.gz'));
const folder = temporaryFolder();
beforeAll(() => unpackStores(folder.path));
afterAll(folder.remove);

async function verify(
  path: string,
): Promise<{ readonly result: StoreVerification; readonly findings: StoreFinding[] }> {
  const findings: StoreFinding[] = [];
  const result = await verifyStore(path, { threads: 3, onFinding: (finding) => findings.push(finding) });
  return { result, findings };
}

/** An array of uint8 noise: 4 x 4 x 4 chunks of 8 voxels an axis. */
async function makeArray(
  name: string,
  options: CreateOptions = {},
  more: Partial<ArrayMetadata> = {},
): Promise<ChunkedArray> {
  const shape = [32, 32, 32];
  const metadata: ArrayMetadata = {
    shape,
    chunkShape: [8, 8, 8],
    dataType: 'uint8',
    channelAxes: 0,
    offset: Coordinate.filled(3, 0),
    voxelSize: Coordinate.filled(3, 1),
    units: ['', '', ''],
    axisNames: ['z', 'y', 'x'],
    attributes: {},
    ...more,
  };
  const array = await ChunkedArray.create(join(folder.path, name), metadata, options);
  await array.writeRegion([0, 0, 0], shape, noise(1, 32 ** 3), { durable: false });
  return array;
}

const damage = (array: ChunkedArray, key: string) => truncateSync(join(array.path, key), 5);
const keysOf = (findings: readonly StoreFinding[]) =>
  findings.map((finding) => `${finding.kind} ${'key' in finding ? finding.key : finding.array}`).sort();

describe('verify', () => {
  test('every store of other software is good', async () => {
    for (const { name, path, levels } of manifest.good) {
      if (levels === undefined) {
        const openable = await ChunkedArray.open(join(folder.path, path)).then(
          () => true,
          (error) => codeOf(error),
        );
        if (openable !== true) {
          // goldens.test.ts lists what is refused by name
          expect([name, openable]).toEqual([name, name === 'funlib-large-offset' ? 'ERR_METADATA' : 'ERR_UNSUPPORTED']);
          expect(['funlib-large-offset', 'v2-bz2', 'v2-lzma', 'v2-filter-delta', 'v2-filter-shuffle']).toContain(name);
          continue;
        }
      }
      const { result, findings } = await verify(join(folder.path, path));
      // The half voxel of one level without a unit cannot be placed: see goldens.test.ts.
      const unreadable = name.endsWith('no-units') ? 1 : 0;
      expect([name, result.damaged, result.unreadable]).toEqual([name, 0, unreadable]);
      expect([name, keysOf(findings).filter((finding) => !finding.startsWith('unreadable'))]).toEqual([name, []]);
      if (levels === undefined) expect(result.arrays).toBe(1);
    }
  });

  const damaged = manifest.damaged.filter(({ kind }) => kind === 'corrupt-chunk' || kind === 'corrupt-index');
  test('every damaged store names the one chunk that is damaged', async () => {
    expect(damaged.length).toBe(113);
    let named = 0;
    for (const { name, path, mustFail } of damaged) {
      const full = join(folder.path, path);
      const { result, findings } = await verify(full);
      if (!mustFail && findings.length === 0) continue;
      named += 1;
      if (name === 'v3-shard-wrong-inner-codec') {
        expect(new Set(findings.map((finding) => (finding as Finding).key)).size).toBe(8); // all: its metadata is wrong
        continue;
      }
      // What the reader of the whole array says of it, by its first damaged chunk.
      const array = await ChunkedArray.open(full);
      const error = await array
        .readRegion(
          array.shape.map(() => 0),
          array.shape,
        )
        .catch((thrown: unknown) => thrown);
      const { details } = error as { details: { chunk: string } };
      expect([name, new Set(findings.map((finding) => (finding as Finding).key))]).toEqual([
        name,
        new Set([details.chunk]),
      ]);
      expect([name, findings.every(({ kind, array: found }) => kind === 'damaged' && found === full)]).toEqual([
        name,
        true,
      ]);
      expect([name, result.damaged, result.unreadable]).toEqual([name, findings.length, 0]);
    }
    expect(named).toBeGreaterThanOrEqual(112);
  });

  test('metadata that cannot be read is an error of the whole', async () => {
    const others = manifest.damaged.filter(({ kind }) => kind === 'bad-metadata' || kind === 'unsafe-path');
    for (const { name, path } of others) {
      const outcome = await verify(join(folder.path, path)).catch((error: unknown) => error);
      // An image with a missing level has levels that can be read.
      if (!name.endsWith('missing-level')) expect([name, isBlockwrightError(outcome)]).toEqual([name, true]);
      else expect(outcome).toMatchObject({ result: { unreadable: 1, damaged: 0 } });
    }
  });

  test('all of several damaged chunks are listed, with their voxels and reasons, by any number of threads', async () => {
    const array = await makeArray('three', { compressor: { name: 'none' } });
    for (const key of ['c/0/0/0', 'c/1/2/3', 'c/3/3/3']) damage(array, key);
    for (const threads of [1, 8]) {
      const findings: Finding[] = [];
      const result = await verifyArray(array, { threads, onFinding: (finding) => findings.push(finding) });
      const reason = { kind: 'damaged', array: array.path, message: 'expected 512 bytes, found 5' };
      expect(findings.sort((a, b) => (a.key < b.key ? -1 : 1))).toEqual([
        { ...reason, key: 'c/0/0/0', voxels: { begin: [0, 0, 0], end: [8, 8, 8] } },
        { ...reason, key: 'c/1/2/3', voxels: { begin: [8, 16, 24], end: [16, 24, 32] } },
        { ...reason, key: 'c/3/3/3', voxels: { begin: [24, 24, 24], end: [32, 32, 32] } },
      ]);
      expect(result).toEqual({ files: 64, bytes: 61 * 512, damaged: 3, beyondGrid: 0, temporaries: 0, strays: 0 });
    }
  });

  test('damaged inner chunks of shards are each listed, a damaged index once', async () => {
    const array = await makeArray('shards', { compressor: { name: 'zstd' } }, { shardShape: [16, 16, 32] });
    const shard = readFileSync(join(array.path, 'c/0/0/0'));
    // noise: about 512 bytes an inner chunk, one behind the other
    for (const inner of [3, 9]) shard.fill(0, inner * 540, inner * 540 + 40);
    writeFileSync(join(array.path, 'c/0/0/0'), shard);
    const other = readFileSync(join(array.path, 'c/1/1/0'));
    other[other.length - 1] ^= 1;
    writeFileSync(join(array.path, 'c/1/1/0'), other);
    const { result, findings } = await verify(array.path);
    const inner = findings.filter((finding) => 'key' in finding && finding.key === 'c/0/0/0') as Finding[];
    expect(inner.length).toBeGreaterThanOrEqual(2);
    expect(inner.length).toBeLessThanOrEqual(4);
    for (const { message, voxels } of inner) {
      expect(message).toMatch(/^inner chunk \[\d,\d,\d\]: /);
      expect(voxels?.end.map((end, axis) => end - voxels.begin[axis])).toEqual([8, 8, 8]);
    }
    expect(findings.filter((finding) => !inner.includes(finding as Finding))).toEqual([
      {
        kind: 'damaged',
        array: array.path,
        key: 'c/1/1/0',
        message: "the checksum of the shard's index does not match",
        voxels: { begin: [16, 16, 0], end: [32, 32, 32] },
      },
    ]);
    expect(result).toMatchObject({ files: 4, damaged: inner.length + 1 });
  });

  test('files that are no chunks are told apart, and are no damage', async () => {
    const array = await makeArray('strays');
    const put = (key: string, text = 'x') => {
      mkdirSync(join(array.path, key, '..'), { recursive: true });
      writeFileSync(join(array.path, key), text);
    };
    put('c/4/0/0');
    put('c/0/0/99');
    put('c/00/0/0');
    put('c/0/0/0.bak');
    put(`c/0/1/${temporaryName()}`);
    put('c/0/1/0.f3a.partial');
    put('notes.txt');
    put('old/c/0/0/0');
    put('0.0.0');
    rmSync(join(array.path, 'c/2'), { recursive: true });
    put('c/2', 'a file');
    const { result, findings } = await verify(array.path);
    expect(keysOf(findings).map((text) => text.replace(/\.blockwright-.*/, 'TEMPORARY'))).toEqual([
      'beyond-grid c/0/0/99',
      'beyond-grid c/4/0/0',
      'damaged c/2',
      'stray 0.0.0',
      'stray c/0/0/0.bak',
      'stray c/00/',
      'stray notes.txt',
      'stray old/',
      'temporary c/0/1/TEMPORARY',
      'temporary c/0/1/0.f3a.partial',
    ]);
    expect(result).toMatchObject({ files: 48, damaged: 1, beyondGrid: 2, temporaries: 2, strays: 5, unreadable: 0 });
  });

  test('a chunk that is a link to nothing, or to a folder, is damaged', async () => {
    const array = await makeArray('links');
    rmSync(join(array.path, 'c/0/0/0'));
    symlinkSync('nowhere', join(array.path, 'c/0/0/0'));
    rmSync(join(array.path, 'c/0/0/1'));
    symlinkSync('..', join(array.path, 'c/0/0/1'));
    const { findings } = await verify(array.path);
    expect(keysOf(findings)).toEqual(['damaged c/0/0/0', 'damaged c/0/0/1']);
  });

  test.each(['.', '/'])("v2 keys with '%s'", async (separator) => {
    const name = `v2${separator === '.' ? '-dot' : '-slash'}`;
    const array = await makeArray(`${name}-source`, { compressor: { name: 'none' } });
    const path = join(folder.path, name);
    cpSync(join(array.path, 'c'), join(path, 'slash'), { recursive: true });
    for (let chunk = 0; chunk < 64; chunk++) {
      const index = [chunk >> 4, (chunk >> 2) & 3, chunk & 3];
      mkdirSync(join(path, separator === '/' ? index.slice(0, 2).join('/') : ''), { recursive: true });
      renameSync(join(path, 'slash', index.join('/')), join(path, index.join(separator)));
    }
    rmSync(join(path, 'slash'), { recursive: true });
    const zarray = { zarr_format: 2, shape: [32, 32, 32], chunks: [8, 8, 8], dtype: '|u1', order: 'C', fill_value: 0 };
    const text = JSON.stringify({ ...zarray, compressor: null, filters: null, dimension_separator: separator });
    writeFileSync(join(path, '.zarray'), text);
    writeFileSync(join(path, '.zattrs'), '{}');
    truncateSync(join(path, ['1', '2', '3'].join(separator)), 5);
    const { result, findings } = await verify(path);
    expect(keysOf(findings)).toEqual([`damaged ${['1', '2', '3'].join(separator)}`]);
    expect(result).toMatchObject({ files: 64, strays: 0 });
  });

  test('a sparse array takes as long as what is there', async () => {
    const shape = [2 ** 40, 2 ** 30];
    const array = await ChunkedArray.create(join(folder.path, 'sparse'), {
      shape,
      chunkShape: [64, 64],
      dataType: 'uint64',
      channelAxes: 0,
      offset: Coordinate.filled(2, 0),
      voxelSize: Coordinate.filled(2, 1),
      units: ['', ''],
      axisNames: ['y', 'x'],
      attributes: {},
    });
    await array.writeRegion([2 ** 39, 128], [2 ** 39 + 1, 130], BigUint64Array.of(1n, 2n));
    expect((await verify(array.path)).result).toMatchObject({ files: 1, damaged: 0, bytes: 64 * 64 * 8 });
    expect(await storedSize(array)).toMatchObject({ files: 1, complete: true });
  });

  test('a group: all arrays below, those that cannot be opened too', async () => {
    const [one] = [await makeArray('group/a/one', { compressor: { name: 'none' } }), await makeArray('group/b/two')];
    damage(one, 'c/0/0/0');
    mkdirSync(join(folder.path, 'group/broken'));
    writeFileSync(join(folder.path, 'group/broken/zarr.json'), '{"zarr_format": 3, "node_type": "array"');
    const { result, findings } = await verify(join(folder.path, 'group'));
    expect(keysOf(findings)).toEqual(['damaged c/0/0/0', `unreadable ${join(folder.path, 'group/broken')}`]);
    expect(result).toMatchObject({ arrays: 2, files: 128, damaged: 1, unreadable: 1 });
  });

  test('nothing, and an empty folder, are no stores', async () => {
    mkdirSync(join(folder.path, 'empty'));
    for (const path of ['none', 'empty']) {
      const error = await verify(join(folder.path, path)).catch((thrown: unknown) => thrown);
      expect(codeOf(error)).toBe('ERR_ARRAY_MISSING');
    }
  });

  test('progress grows up to all files; a signal ends it', async () => {
    const array = await makeArray('progress');
    const files: number[] = [];
    const last = { expected: undefined as number | undefined };
    await verifyStore(array.path, {
      threads: 2,
      onProgress: (progress) => {
        files.push(progress.files);
        last.expected = progress.expected;
      },
    });
    expect(files.at(-1)).toBe(64);
    expect(files).toEqual(files.toSorted((a, b) => a - b));
    const controller = new AbortController();
    const error = await verifyStore(array.path, {
      threads: 2,
      signal: controller.signal,
      onProgress: () => controller.abort(),
    }).catch((thrown: unknown) => thrown);
    expect(codeOf(error)).toBe('ERR_CANCELLED');
  });
});

describe('stored files', () => {
  test('are each listed once, with their place', async () => {
    const array = await makeArray('listed');
    const found: string[] = [];
    for await (const { kind, key, index } of storedFiles(array)) found.push(`${kind} ${key} ${index.join(',')}`);
    const expected = Array.from({ length: 64 }, (_, chunk) => {
      const index = [chunk >> 4, (chunk >> 2) & 3, chunk & 3];
      return `chunk c/${index.join('/')} ${index.join(',')}`;
    });
    expect(found.sort()).toEqual(expected.sort());
  });

  test('are counted with their bytes, up to a limit', async () => {
    const array = await makeArray('counted', { compressor: { name: 'none' } });
    expect(await storedSize(array)).toEqual({ files: 64, bytes: 32 ** 3, complete: true });
    expect(await storedSize(array, { limit: 64 })).toEqual({ files: 64, bytes: 32 ** 3, complete: true });
    expect(await storedSize(array, { limit: 10 })).toEqual({ files: 10, bytes: 10 * 512, complete: false });
    expect(readFileSync(join(array.path, 'c/0/0/0')).length).toBe(512);
  });
});
