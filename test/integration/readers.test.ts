import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import * as zarr from 'zarrita';
import { RunFolder } from '../../lib/coordinator/run-folder.js';
import { firstDifference } from '../support/label-arrays.js';
import { filesBelow } from '../support/stores.js';
import { runUndisturbed } from './disturbed-run.js';
import { makeSegmentation, type Segmentation } from './segmentation.js';

const size = [40, 36, 30];

let folder = '';
let segmentation: Segmentation;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'blockwright-readers-'));
  segmentation = await makeSegmentation(folder, { size, blockSize: [16, 16, 16], context: [4, 4, 4] });
  await runUndisturbed(segmentation, 2);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What an independent reader finds in a folder. */
async function read(path: string) {
  const files = filesBelow(path);
  const store = { get: async (key: string) => files.get(key.slice(1)) };
  const array = await zarr.open.v3(zarr.root(store), { kind: 'array' });
  const { data } = await zarr.get(array);
  return {
    shape: array.shape,
    dataType: array.dtype,
    attributes: array.attrs,
    data: data as unknown as ArrayLike<number | bigint>,
  };
}

describe('an independent reader opens', () => {
  test.each(['affinities', 'fragments', 'segments', 'lut'])(
    'the done record of %s: every block is done',
    async (task) => {
      const record = await read(new RunFolder(segmentation.runDirectory).doneRecord(task));
      expect(record).toMatchObject({ shape: task === 'lut' ? [1, 1, 1] : [3, 3, 2], dataType: 'uint8' });
      expect(record.attributes).toMatchObject({ states: { pending: 0, done: 1, skipped: 2, failed: 3, orphaned: 4 } });
      expect(Array.from(record.data)).toEqual(new Array(task === 'lut' ? 1 : 18).fill(1));
    },
  );

  test('the affinities', async () => {
    const found = await read(join(folder, 'fib25.zarr/affinities'));
    expect(found).toMatchObject({ shape: [9, ...size], dataType: 'uint8' });
    expect(found.attributes).toMatchObject({
      voxel_size: [8, 8, 8],
      units: ['nm', 'nm', 'nm'],
      axis_names: ['c^', 'z', 'y', 'x'],
      types: ['channel', 'space', 'space', 'space'],
    });
    expect(found.attributes.neighborhood).toHaveLength(9);
  });

  test('fragments, LUT and segments, and finds the segments in the fragments through the LUT', async () => {
    const [fragments, segments] = await Promise.all(
      ['fragments', 'segments'].map((name) => read(join(folder, 'fib25.zarr', name))),
    );
    for (const found of [fragments, segments]) {
      expect(found).toMatchObject({ shape: size, dataType: 'uint64' });
      expect(found.attributes).toMatchObject({ offset: [0, 0, 0], voxel_size: [8, 8, 8], axis_names: ['z', 'y', 'x'] });
    }
    const [from, to, voxels] = await Promise.all(
      ['fragments', 'segments', 'sizes'].map((name) => read(join(folder, 'segments.lut', name))),
    );
    const rows = Array.from(from.data, (id, row) => [BigInt(id), row] as const);
    const rowOf = new Map(rows);
    const expected = Array.from(fragments.data, (id) => {
      const row = rowOf.get(BigInt(id));
      // what the example's minSegmentSize asks for
      return row === undefined || voxels.data[row] < 64 ? 0n : BigInt(to.data[row]);
    });
    expect(firstDifference(segments.data, expected)).toBe(-1);
    expect(new Set(expected).size).toBeGreaterThan(2);
  });
});
