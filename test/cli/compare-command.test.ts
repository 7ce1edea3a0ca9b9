import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { decode } from 'fast-png';
import { Coordinate } from '../../lib/geometry/coordinate.js';
import { writeLut } from '../../lib/graph/lut.js';
import { ChunkedArray } from '../../lib/storage/chunked-array.js';
import type { ArrayMetadata, TypedArray } from '../../lib/storage/metadata.js';
import { labelColour } from '../../lib/view/colour.js';
import { metadataOf } from '../support/small-volume.js';
import { ToyPipeline } from '../support/toy-pipeline.js';

const toy = new ToyPipeline();
const path = (name: string) => join(toy.folder, name);
const SHAPE = [6, 8, 10];
const COUNT = 480;

async function write(name: string, data: TypedArray, more: Partial<ArrayMetadata> = {}): Promise<void> {
  const array = await ChunkedArray.create(path(name), metadataOf({ shape: SHAPE, chunkShape: [3, 4, 5], ...more }));
  await array.writeRegion([0, 0, 0], SHAPE, data);
}

beforeAll(async () => {
  const labels = BigUint64Array.from({ length: COUNT }, (_, at) => BigInt(Math.floor(at / 100)));
  await write('labels', labels);
  await write(
    'renamed',
    labels.map((label) => label * 7n),
  );
  const merged = labels.map((label) => (label === 3n ? 2n : label));
  await write('merged', merged, { chunkShape: [6, 8, 10] });
  await write('moved', labels, { offset: new Coordinate([8, 0, 0]) });
  const values = Float32Array.from({ length: COUNT }, (_, at) => at / 8);
  await write('values', values, { dataType: 'float32' });
  const near = values.slice();
  near[(2 * 8 + 3) * 10 + 4] += 0.5;
  near[0] += 0.25;
  await write('near', near, { dataType: 'float32' });
  const ids = BigUint64Array.of(1n, 2n, 3n);
  await writeLut(path('a.lut'), { fragments: ids, segments: ids, sizes: ids });
  await writeLut(path('b.lut'), {
    fragments: ids.subarray(1),
    segments: BigUint64Array.of(2n, 2n),
    sizes: ids.subarray(1),
  });
});
afterAll(() => toy.remove());

const compare = (...args: string[]) => toy.inProcess('compare', ...args);

describe('arrays', () => {
  test('that are equal', async () => {
    expect(await compare('FOLDER/labels', 'FOLDER/labels')).toEqual({
      status: 0,
      error: '',
      out: 'equal: 480 voxels\nA  FOLDER/labels\nB  FOLDER/labels\ncompared in the world [0, 0, 0] to [48, 64, 80]\n',
    });
  });

  test('that differ: how many, how much, where', async () => {
    const { status, out, error } = await compare('FOLDER/values', 'FOLDER/near', '--blocks', '3,4,5');
    expect([status, error]).toEqual([1, '']);
    expect(out).toBe(`different: 2 of 480 voxels (0.42 %) differ
A  FOLDER/values
B  FOLDER/near
compared in the world [0, 0, 0] to [48, 64, 80]
largest difference 0.5: voxel [2, 3, 4], world [16, 24, 32], A 24.25, B 24.75
all of them in voxels [0, 0, 0] to [3, 4, 5]
first of them:
  voxel [0, 0, 0]  world [0, 0, 0]     A 0      B 0.25
  voxel [2, 3, 4]  world [16, 24, 32]  A 24.25  B 24.75
in 1 of 8 blocks of 3 x 4 x 5 voxels, most of them in
  voxels [0, 0, 0] to [3, 4, 5]  2
`);
  });

  test('within a tolerance', async () => {
    const { status, out } = await compare('FOLDER/values', 'FOLDER/near', '--tolerance', '0.5');
    expect(status).toBe(0);
    expect(out).toContain('equal within 0.5: 480 voxels\n');
    expect(out).toContain('within the tolerance: 2 of 480 voxels (0.42 %)\nlargest difference 0.5: voxel [2, 3, 4]');
    expect((await compare('FOLDER/values', 'FOLDER/near', '--tolerance', '0.3')).status).toBe(1);
  });

  test('as a partition', async () => {
    const exact = await compare('FOLDER/labels', 'FOLDER/renamed');
    expect(exact.status).toBe(1);
    expect(exact.out).toMatch(/labels whose ids are arbitrary are compared by --partition\n$/);
    const same = await compare('FOLDER/labels', 'FOLDER/renamed', '--partition');
    expect(same.status).toBe(0);
    expect(same.out).toContain('equal as a partition: 480 voxels\n');
    expect(same.out).toContain('labels: A 4, B 4\n');
    const { status, out } = await compare('FOLDER/labels', 'FOLDER/merged', '--partition');
    expect(status).toBe(1);
    expect(out).toBe(`different as a partition: 100 of 480 voxels (21 %) differ
A  FOLDER/labels
B  FOLDER/merged
not alike (which does not count):
          A        B
  chunks  3, 4, 5  6, 8, 10
compared in the world [0, 0, 0] to [48, 64, 80]
labels: A 4, B 3
0 labels of A meet several of B, 1 of B several of A (background 0 counts as one)
1 pair of labels break the match, most of them:
  A 3 with B 2  100 voxels  at voxel [4, 3, 0], world [32, 24, 0]  B 2 matches A 2 (100)
`);
  });

  test('at other places in the world', async () => {
    const { status, out } = await compare('FOLDER/labels', 'FOLDER/moved', '--partition', '--limit', '0');
    expect(status).toBe(1);
    expect(out).toContain('voxels that one alone has: A 80, B 80');
    expect(out).toContain('compared in the world [8, 0, 0] to [48, 64, 80]');
    const byIndex = await compare('FOLDER/labels', 'FOLDER/moved', '--by-index');
    expect(byIndex.status).toBe(0);
    expect(byIndex.out).toContain('compared by index, the first voxel with the first: as was asked for');
    const part = await compare('FOLDER/labels', 'FOLDER/merged', '--roi', '0,0,0:8,64,80');
    expect(part.out).toContain('equal: 80 voxels');
  });

  test('as JSON: large ids as text, NaN as text', async () => {
    const { status, out } = await compare('FOLDER/labels', 'FOLDER/merged', '--partition', '--json');
    expect(status).toBe(1);
    expect(JSON.parse(out)).toMatchObject({
      kind: 'arrays',
      equal: false,
      sense: 'partition',
      compared: { voxels: 480, roi: { offset: [0, 0, 0], shape: [48, 64, 80] } },
      partition: { different: 100, worst: [{ a: '3', b: '2', count: 100, index: [4, 3, 0] }] },
    });
  });

  test.each([
    ['values', 'near', []],
    ['labels', 'merged', ['--partition']],
    // nothing is listed, the picture is the same
    ['values', 'near', ['--limit', '0']],
    ['labels', 'merged', ['--partition', '--limit', '0']],
    ['labels', 'labels', []],
  ])('as a picture of %s and %s', async (a, b, options) => {
    const { error } = await compare(`FOLDER/${a}`, `FOLDER/${b}`, ...options, '--view', path(`${a}-${b}.png`));
    expect(error).toMatch(/png: A, B and their difference in voxels \[\d, 0, 0\] to \[\d, 8, 10\]\n$/);
    const { width, height, data } = decode(readFileSync(path(`${a}-${b}.png`)));
    // three planes of 10 x 8 voxels, each voxel 25 x 25 pixels, 8 between them
    expect([width, height]).toEqual([3 * 250 + 16, 200]);
    const pixel = (x: number, y: number) => [...data.slice(3 * (y * width + x), 3 * (y * width + x) + 3)].map(Number);
    const [z] = /\[(\d), 0, 0\]/.exec(error)!.slice(1).map(Number);
    if (a === 'values') {
      // two planes have one difference each: the first of them, where its voxel is bright and the others are black
      expect(z).toBe(0);
      expect(pixel(516 + 10, 10)).not.toEqual(pixel(516 + 60, 10));
      expect(pixel(516 + 60, 10)).toEqual(pixel(516 + 110, 110));
    } else if (b === 'merged') {
      expect(z).toBe(4);
      // all of this plane is the broken pair
      expect(pixel(516 + 10, 10)).toEqual([255, 60, 40]);
      expect(pixel(516 + 10, 190)).toEqual([255, 60, 40]);
    } else {
      expect(pixel(10, 10)).toEqual(pixel(258 + 10, 10));
    }
  });
});

test.each(['0', '1', '100'])(
  'labels of B have the colours of those of A that they go with, with --limit %s',
  async (limit) => {
    const [plane, shape] = [{ height: 4, width: 12 }, [1, 4, 12]];
    // as runs of voxels: 50 is mostly of 3, though 4 and 1 are with it too; of 60 as much is of 5 as of 6; 70 was background
    const runs: [number, bigint, bigint][] = [
      [2, 4n, 50n],
      [6, 3n, 50n],
      [3, 1n, 50n],
      [4, 6n, 60n],
      [4, 5n, 60n],
      [8, 0n, 70n],
      [2, 7n, 70n],
      [9, 8n, 0n],
      [10, 7n, 9n],
    ];
    for (const [name, side] of [
      [`runs-a-${limit}`, 1],
      [`runs-b-${limit}`, 2],
    ] as const) {
      const array = await ChunkedArray.create(path(name), metadataOf({ shape, chunkShape: shape }));
      const labels = runs.flatMap((run) => Array.from({ length: run[0] }, () => run[side] as bigint));
      await array.writeRegion([0, 0, 0], shape, BigUint64Array.from(labels));
    }
    const view = ['--limit', limit, '--view', path('runs.png')];
    await compare(`FOLDER/runs-a-${limit}`, `FOLDER/runs-b-${limit}`, '--partition', ...view);
    const { width, data } = decode(readFileSync(path('runs.png')));
    const factor = Math.floor((width - 16) / 3 / plane.width);
    const left = factor * plane.width + 8;
    const partners: Readonly<Record<string, bigint>> = { 50: 3n, 60: 5n, 70: 0n, 0: 0n, 9: 7n };
    const expected = runs.flatMap(([length, , b]) => Array.from({ length }, () => labelColour(partners[String(b)])));
    const found = expected.map((_, at) => {
      const y = factor * Math.floor(at / plane.width);
      const pixel = y * width + left + factor * (at % plane.width);
      return [...data.slice(3 * pixel, 3 * pixel + 3)].map(Number);
    });
    expect(found).toEqual(expected);
  },
);

test('a picture of a part is where most differs, also where no block is listed', async () => {
  // one row is drawn, and of it 1024 voxels
  const shape = [1, 1, 3000];
  const wide = { shape, chunkShape: [1, 1, 500] };
  for (const [name, last] of [
    ['wide', 0],
    ['wide-other', 1],
  ] as const) {
    const array = await ChunkedArray.create(path(name), metadataOf({ ...wide, dataType: 'uint8' }));
    await array.writeRegion([0, 0, 0], shape, new Uint8Array(3000).fill(last, 2900));
  }
  const view = ['--blocks', '1,1,500', '--view', path('wide.png')];
  for (const limit of ['0', '1']) {
    const { error } = await compare('FOLDER/wide', 'FOLDER/wide-other', ...view, '--limit', limit);
    expect(error).toContain('in voxels [0, 0, 1976] to [1, 1, 3000]');
  }
});

test('nearly all is not all', async () => {
  await write('one', new Float32Array(COUNT).fill(1), { dataType: 'float32' });
  await write(
    'most',
    Float32Array.from({ length: COUNT }, (_, at) => (at === 0 ? 1 : 2)),
    { dataType: 'float32' },
  );
  const { out } = await compare('FOLDER/one', 'FOLDER/most', '--limit', '1');
  expect(out).toContain('different: 479 of 480 voxels (99.8 %) differ');
  expect(out).not.toContain('--partition');
});

test('LUTs', async () => {
  const { status, out } = await compare('FOLDER/a.lut', 'FOLDER/b.lut');
  expect(status).toBe(1);
  expect(out).toBe(`different: 1 of 2 fragments (50 %) differ; fragments that one alone has: A 1, B 0
A  FOLDER/a.lut
B  FOLDER/b.lut
rows: A 3, B 2
in A alone: 1
first of them:
  fragment 3  A 3  B 2
`);
  const { out: text } = await compare('FOLDER/a.lut', 'FOLDER/b.lut', '--partition', '--overlap');
  expect(text).toContain('A 3 with B 2  1 fragment  at fragment 3  B 2 matches A 2 (1)');
});

test('wrong use', async () => {
  const cases: [string[], string][] = [
    [['FOLDER/labels'], 'expected: blockwright compare <a> <b>'],
    [['FOLDER/labels', 'FOLDER/nothing'], 'ERR_ARRAY_MISSING'],
    [['FOLDER/labels', 'FOLDER/a.lut'], 'ERR_ARGUMENT: expected two of a kind, found an array'],
    [['FOLDER/labels', 'FOLDER/labels', '--tolerance', '-1'], '--tolerance: expected a number of at least 0'],
    [['FOLDER/labels', 'FOLDER/labels', '--limit', '1.5'], '--limit: expected a whole number'],
    [
      ['FOLDER/labels', 'FOLDER/labels', '--partition', '--tolerance', '1'],
      '--partition, --tolerance: expected one of them, found both',
    ],
    [['FOLDER/values', 'FOLDER/values', '--partition'], 'expected labels of an integer type'],
    [['FOLDER/a.lut', 'FOLDER/b.lut', '--view', 'x.png'], '--view: expected arrays, found luts'],
    [['FOLDER/a.lut', 'FOLDER/b.lut', '--fragments', 'FOLDER/labels'], '--fragments: a value is missing'],
    [['FOLDER/labels', 'FOLDER/labels', '--fragments', 'a', 'b'], 'fragments: expected nothing'],
    [['FOLDER/labels', 'ftp://x/y'], 'ERR_UNSUPPORTED'],
  ];
  for (const [args, message] of cases) {
    const { status, error } = await compare(...args);
    expect([args, status]).toEqual([args, 2]);
    expect(error).toContain(message);
  }
});
