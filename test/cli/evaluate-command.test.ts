import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { evaluationProgressText } from '../../lib/cli/evaluation-text.js';
import { main } from '../../lib/cli/main.js';
import { writeLut } from '../../lib/graph/lut.js';
import { openArray } from '../../lib/storage/open-store.js';
import { TaskBench } from '../support/task-bench.js';

const SHAPE = [4, 6];
const bench = new TaskBench();

beforeAll(async () => {
  const id = 2n ** 64n - 1n;
  // the labels 7 and 8 are merged by `id`, 9 is split, 0 is no label
  const segments = [1n, 1n, id, id, id, id].flatMap((one) => [one, one, one, one]);
  const labels = [9, 0, 7, 7, 7, 8].flatMap((one) => [one, one, one, one]);
  labels[0] = 0;
  segments[1] = 3n;
  const place = { shape: SHAPE, offset: [80, 0] };
  await bench.write('segments', { data: BigUint64Array.from(segments), ...place });
  await bench.write('labels', { data: Uint8Array.from(labels), ...place });
  await bench.write('mask', { data: Uint8Array.from(labels, (one) => (one === 8 ? 0 : 1)), ...place });
  await bench.write('coarse', { data: Uint8Array.from(labels), shape: SHAPE, voxelSize: [16, 16] });
  await writeLut(join(bench.folder, 'joined.lut'), {
    fragments: BigUint64Array.of(1n, 3n),
    segments: BigUint64Array.of(1n, 1n),
    sizes: BigUint64Array.of(8n, 8n),
  });
});
afterAll(() => bench.remove());

async function evaluate(...args: string[]) {
  let out = '';
  let error = '';
  const status = await main(['evaluate', ...args.map((one) => one.replace('FOLDER', bench.folder))], {
    out: (text) => {
      out += `${text}\n`;
    },
    error: (text) => {
      error += `${text}\n`;
    },
    progress: { write: () => undefined },
  });
  return { status, out, error };
}

const ARRAYS = ['FOLDER/data.zarr/segments', 'FOLDER/data.zarr/labels'];

describe('evaluate', () => {
  test('a table of scores, then where the errors are', async () => {
    const { status, out } = await evaluate(...ARRAYS);
    expect(status).toBe(0);
    expect(out).toBe(`compared: 4 x 6 voxels of 8, 8 nm at [80, 0]
19 voxels with truth above 0, 3 segments (without background), 3 of the truth (without background)

VOI split           0.1450 bits  segments of the truth in pieces
VOI merge           0.6832 bits  segments over several of the truth
VOI                 0.8282 bits
adapted Rand error  0.2326       precision 0.6322, recall 0.9763

worst merges, by what they add to VOI merge:
             segment    bits  voxels  truth  voxels  a place to look at, nm
18446744073709551615  0.6832      16      7      12  [96, 16]
                                          8       4  [104, 32]

worst splits, by what they add to VOI split:
truth    bits  voxels  segment  voxels  a place to look at, nm
    9  0.1450       3        1       2  [80, 24]
                             3       1  [80, 8]
`);
  });

  test('as JSON: ids beyond 2^53 as text', async () => {
    const { status, out } = await evaluate(...ARRAYS, '--json', '--worst', '1');
    expect(status).toBe(0);
    const found = JSON.parse(out);
    expect(found).toMatchObject({
      voxels: 19,
      segments: 3,
      truthSegments: 3,
      voxelSize: [8, 8],
      worstMerges: [
        {
          segment: '18446744073709551615',
          partners: 2,
          truth: [
            { id: '7', voxels: 12 },
            { id: '8', voxels: 4 },
          ],
        },
      ],
      worstSplits: [{ truth: '9', partners: 2 }],
    });
  });

  test('a LUT joins, a mask and a Roi leave out, background can count', async () => {
    const scores = async (...options: string[]) => JSON.parse((await evaluate(...ARRAYS, '--json', ...options)).out);
    expect(await scores('--lut', 'FOLDER/joined.lut')).toMatchObject({ voiSplit: 0, worstSplits: [] });
    expect(await scores('--mask', 'FOLDER/data.zarr/mask')).toMatchObject({ voxels: 15, voiMerge: 0 });
    expect(await scores('--roi', '80,0:8,48')).toMatchObject({ voxels: 3, roi: { offset: [80, 0], shape: [8, 48] } });
    expect(await scores('--truth-background')).toMatchObject({
      ...{ voxels: 24, truthSegments: 4 },
      background: { segments: false, truthSegments: true },
    });
    // the other way round it is the segmentation that has background, and no truth is 0
    const turned = await evaluate(...[...ARRAYS].reverse());
    expect(turned.out).toContain('4 segments (one is background 0), 3 of the truth (without background)');
    expect((await scores('--distinct-pairs')).adaptedRandError).not.toBe((await scores()).adaptedRandError);
  });

  test('a .npy file lies where the other array does, if it has its shape', async () => {
    const path = join(bench.folder, 'segments.npy');
    const stored = await openArray(join(bench.folder, 'data.zarr/segments'));
    const data = (await stored.readRegion([0, 0], SHAPE)) as BigUint64Array;
    // Fortran order, big endian
    const bytes = Buffer.alloc(8 * data.length);
    for (let y = 0; y < SHAPE[0]; y++) {
      for (let x = 0; x < SHAPE[1]; x++) bytes.writeBigUInt64BE(data[y * SHAPE[1] + x], 8 * (x * SHAPE[0] + y));
    }
    const header = "{'descr': '>u8', 'fortran_order': True, 'shape': (4, 6), }".padEnd(117);
    writeFileSync(
      path,
      Buffer.concat([Buffer.from('\x93NUMPY\x01\0v\0', 'latin1'), Buffer.from(`${header}\n`), bytes]),
    );
    expect((await evaluate(path, ARRAYS[1])).out).toBe((await evaluate(...ARRAYS)).out);
    expect((await evaluate(path, path)).out).toContain('compared: 4 x 6 voxels of 1, 1 at [0, 0]');
  });

  test('what cannot be compared is refused', async () => {
    expect(await evaluate(ARRAYS[0], 'FOLDER/data.zarr/coarse')).toMatchObject({
      status: 2,
      error: expect.stringContaining('truth: expected the voxel size of the segmentation, [8, 8], found [16, 16]'),
    });
    expect(await evaluate(ARRAYS[0], 'FOLDER/data.zarr/nothing')).toMatchObject({ status: 2 });
    expect(await evaluate(...ARRAYS, '--worst', '-1')).toMatchObject({
      status: 2,
      error: expect.stringContaining('--worst: expected a whole number of at least 0'),
    });
  });
});

test('the line of progress', () => {
  expect(evaluationProgressText({ voxels: 12_345_678, expected: 15_625_000, pairs: 4711 }, 2)).toBe(
    '12,345,678 of 15,625,000 voxels (79 %), 6.2 M voxels/s, 0.5 s left, 4,711 pairs of labels',
  );
});
