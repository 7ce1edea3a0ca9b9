import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { storedText } from '../../lib/cli/array-text.js';
import { ScanProgress, scanText } from '../../lib/cli/scan-progress.js';
import { ChunkedArray } from '../../lib/storage/chunked-array.js';
import { metadataOf } from '../support/small-volume.js';
import { unpackStores } from '../support/stores.js';
import { ToyPipeline } from '../support/toy-pipeline.js';

class FakeStream {
  text = '';
  constructor(readonly isTTY: boolean) {}
  write(text: string): boolean {
    this.text += text;
    return true;
  }
}

const toy = new ToyPipeline();
beforeAll(async () => {
  unpackStores(toy.folder);
  // 8 chunks, of which two are damaged
  const array = await ChunkedArray.create(join(toy.folder, 'labels'), metadataOf({ attributes: { note: 'a\nb' } }), {
    compressor: { name: 'gzip', level: 5 },
  });
  await array.writeRegion([0, 0, 0], [48, 48, 48], new BigUint64Array(48 ** 3).fill(7n));
  for (const key of ['c/0/1/0', 'c/1/1/1']) truncateSync(join(array.path, key), 30);
  writeFileSync(join(array.path, 'c/0/0/9'), '');
});
afterAll(() => toy.remove());

test.each(['info', 'verify'])('%s says that an address is no local folder', async (command) => {
  const { status, error } = await toy.inProcess(command, 's3://bucket/labels.zarr');
  expect([status, error]).toEqual([
    2,
    `blockwright: ERR_UNSUPPORTED: s3://bucket/labels.zarr: ${command} looks into local folders alone; copy and pipelines read remote stores\n`,
  ]);
  expect((await toy.inProcess(command, 'https://user:secret@host/x')).error).not.toContain('secret');
});

test('verify reads arrays that are links too', async () => {
  const links = join(toy.folder, 'links');
  mkdirSync(links);
  symlinkSync('../labels', join(links, 'labels'));
  const { status, out } = await toy.inProcess('verify', 'FOLDER/links', '--quiet');
  expect(status).toBe(1);
  expect(out).toContain('damaged: c/0/1/0 of labels');
  expect((await toy.inProcess('info', 'FOLDER/links')).out).toMatch(/^labels +uint64/m);
});

describe('info', () => {
  test('of an array', async () => {
    const { status, out, error } = await toy.inProcess('info', 'FOLDER/labels');
    expect({ status, error }).toEqual({ status: 0, error: '' });
    expect(out.replace(/on disk +\S+ \S+ of/, 'on disk     SIZE of')).toBe(`FOLDER/labels: zarr v3 array
  shape       48 x 48 x 48 (z, y, x)
  data type   uint64
  chunks      24 x 24 x 24, 108 KiB each
  codecs      gzip level 5
  fill value  0
  chunk keys  c/0/0/0, ...
  voxel size  8, 8, 8 nm
  offset      0, 0, 0 nm
  world box   [0, 0, 0] to [384, 384, 384]
  on disk     SIZE of 864 KiB, in 8 of 8 chunk files, 100 %
  attributes  note: "a\\nb"
`);
  });

  test('of an array as JSON: what --json has is data', async () => {
    const { out } = await toy.inProcess('info', 'FOLDER/good/v3-fill-4-uint64', '--json');
    expect(JSON.parse(out)).toMatchObject({
      kind: 'array',
      path: 'FOLDER/good/v3-fill-4-uint64',
      zarrFormat: 3,
      dataType: 'uint64',
      fillValue: '18446744073709551615',
      stored: { complete: true },
    });
    const { out: second } = await toy.inProcess('info', 'FOLDER/good/funlib-affs', '--json');
    expect(JSON.parse(second)).toMatchObject({
      shape: [3, 6, 7, 5],
      channelAxes: 1,
      offset: [120, -80, 400],
      voxelSize: [40, 4, 4],
      begin: [120, -80, 400],
      end: [360, -52, 420],
      units: ['nm', 'nm', 'nm'],
      codecs: [{ name: 'zstd', level: 0 }],
      attributes: {
        neighborhood: [
          [1, 0, 0],
          [0, 1, 0],
          [0, 0, 1],
        ],
      },
      stored: { files: 6, possible: 6 },
    });
  });

  test('says at least where not all was counted', () => {
    const stored = { files: 20_000, possible: 1e9, bytes: 2 ** 30, complete: false };
    expect(storedText({ bytes: 2 ** 50, stored }, 'chunk')).toBe(
      'at least 1.0 GiB of 1.0 PiB, in at least 20,000 of 1,000,000,000 chunk files, at least 0.002 %',
    );
  });

  test('of an image: its levels', async () => {
    const { status, out } = await toy.inProcess('info', 'FOLDER/good/ome-0.5-em');
    expect(status).toBe(0);
    expect(out).toContain('FOLDER/good/ome-0.5-em: zarr v3 group, OME-Zarr image\n');
    expect(out).toContain('  s1     80, 8, 8     100, 2, -10\n');
    expect(out).toMatch(/^s1 +uint8 +4 x 6 x 7 +4 x 8 x 8 +- +80, 8, 8 +100, 2, -10 +\d+ B +100 %$/m);
  });

  test('of a folder: what is below, also what cannot be read', async () => {
    const { status, out } = await toy.inProcess('info', 'FOLDER/damaged', '--json');
    expect(status).toBe(0);
    const { arrays } = JSON.parse(out) as { arrays: { kind: string; path: string; message?: string }[] };
    expect(arrays.length).toBeGreaterThan(150);
    const bad = arrays.find(({ path }) => path.endsWith('/v3-shape-negative'));
    expect(bad).toMatchObject({ kind: 'unreadable' });
    expect(bad?.message).toContain('shape: expected whole numbers');
  });

  test.each([
    ['FOLDER/none', 'ERR_ARRAY_MISSING: FOLDER/none: expected a zarr array, but nothing is there'],
    ['FOLDER/file.npy', 'ERR_ARRAY_MISSING: FOLDER/file.npy: expected a zarr array, but a file is there'],
    ['FOLDER/damaged/v3-chunk-zero', 'ERR_METADATA: FOLDER/damaged/v3-chunk-zero/zarr.json: '],
  ])('of %s is refused', async (path, message) => {
    writeFileSync(join(toy.folder, 'file.npy'), '');
    const { status, out, error } = await toy.inProcess('info', path);
    expect({ status, out }).toEqual({ status: 2, out: '' });
    expect(error).toContain(`blockwright: ${message}`);
  });
});

describe('verify', () => {
  test('lists what is damaged, and exits with 1', async () => {
    const { status, out, error } = await toy.inProcess('verify', 'FOLDER/labels');
    expect({ status, error }).toEqual({ status: 1, error: '' });
    const lines = out.trimEnd().split('\n');
    expect(lines.slice(0, -1).sort()).toEqual([
      'beyond-grid: c/0/0/9: a chunk outside the shape of the array',
      'damaged: c/0/1/0: gzip: bad data or checksum (voxels [0, 24, 0] to [24, 48, 24])',
      'damaged: c/1/1/1: gzip: bad data or checksum (voxels [24, 24, 24] to [48, 48, 48])',
    ]);
    expect(lines.at(-1)).toMatch(
      /^bad: 2 damaged chunks: 8 chunk files of 1 array read, 648 KiB of voxels in .* s; beside them 1 chunk beyond the array$/,
    );
  });

  test('--json: a line a finding, array, result', async () => {
    const { status, out } = await toy.inProcess('verify', 'FOLDER/labels', '--json', '--threads', '1');
    expect(status).toBe(1);
    const lines = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string; kind?: string; key?: string });
    expect(
      lines
        .filter(({ type }) => type === 'finding')
        .map(({ kind, key }) => `${kind} ${key}`)
        .sort(),
    ).toEqual(['beyond-grid c/0/0/9', 'damaged c/0/1/0', 'damaged c/1/1/1']);
    expect(lines.at(-2)).toMatchObject({ type: 'array', array: 'FOLDER/labels', damaged: 2, files: 8 });
    expect(lines.at(-1)).toMatchObject({ type: 'result', good: false, arrays: 1, damaged: 2, beyondGrid: 1 });
  });

  test('of a folder, names the array of each finding', async () => {
    const { out } = await toy.inProcess('verify', 'FOLDER', '--quiet');
    expect(out).toContain(
      'damaged: c/0/1/0 of labels: gzip: bad data or checksum (voxels [0, 24, 0] to [24, 48, 24])\n',
    );
    expect(out).toContain('damaged: c/0/0/0 of damaged/v3-gzip-bad-crc: gzip: bad data or checksum');
    expect(out).toContain('unreadable: FOLDER/damaged/v3-chunk-zero/zarr.json: chunk_grid.configuration.chunk_shape: ');
  });

  test('what is good exits with 0, what cannot be opened with 2', async () => {
    const good = await toy.inProcess('verify', 'FOLDER/good/ome-0.4-em', '--quiet');
    expect(good.status).toBe(0);
    expect(good.out).toMatch(/^good: 10 chunk files of 3 arrays read/);
    const missing = await toy.inProcess('verify', 'FOLDER/none');
    expect({ status: missing.status, out: missing.out }).toEqual({ status: 2, out: '' });
    expect(missing.error).toContain('ERR_ARRAY_MISSING');
  });

  describe('progress', () => {
    const states = (stream: FakeStream, options: { json?: boolean; terminal?: string }) => {
      jest.useFakeTimers();
      try {
        const progress = new ScanProgress(stream, scanText, { terminal: 'xterm', ...options });
        for (const files of [1, 2]) {
          progress.update({ files, expected: 4, bytes: 0, damaged: 0 });
          jest.advanceTimersByTime(5000);
        }
        progress.around(() => stream.write('FOUND\n'));
        progress.stop();
        return stream.text;
      } finally {
        jest.useRealTimers();
      }
    };

    test('is one line in a terminal, gone before others are written, and at the end', () => {
      const text = states(new FakeStream(true), {}).replaceAll('\r\u001b[K', '<CLEAR>');
      expect(text).toMatch(/<CLEAR>2 of 4 chunk files \(50 %\), [^\n]* left<CLEAR>FOUND\n$/);
      expect(text.split('\n').length).toBe(2);
    });

    test.each([
      [false, 'xterm'],
      [true, 'dumb'],
    ])('is plain lines elsewhere', (isTTY, terminal) => {
      expect(states(new FakeStream(isTTY), { terminal })).toBe(
        '1 of 4 chunk files (25 %), 12/min, 0 B/s, 15 s left\n2 of 4 chunk files (50 %), 12/min, 0 B/s, 10 s left\nFOUND\n',
      );
    });

    test('is JSON on request', () => {
      const lines = states(new FakeStream(true), { json: true }).split('\n');
      expect(JSON.parse(lines[0])).toEqual({
        type: 'progress',
        seconds: 1,
        files: 1,
        expected: 4,
        bytes: 0,
        damaged: 0,
      });
    });
  });

  test('progress says how far it is', () => {
    expect(scanText({ files: 10, expected: undefined, bytes: 2 ** 20, damaged: 0 }, 2)).toBe(
      '10 chunk files, 5.0/s, 512 KiB/s',
    );
    expect(scanText({ files: 1234, expected: 4096, bytes: 2 ** 30, damaged: 2 }, 10)).toBe(
      '1,234 of 4,096 chunk files (30 %), 123/s, 102 MiB/s, 23 s left, 2 damaged',
    );
  });
});
