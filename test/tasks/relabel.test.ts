import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { messageOf } from '../../lib/errors.js';
import { writeLut } from '../../lib/graph/lut.js';
import { TaskBench } from '../support/task-bench.js';

const shape = [9, 10, 11];
const fragments = BigUint64Array.from({ length: 990 }, (_, voxel) => {
  const id = (voxel * 7919) % 13;
  return id === 0 ? 0n : (1n << 40n) * BigInt(id);
});
const id = (number: number) => (1n << 40n) * BigInt(number);
// 11 and 12 are missing; sizes are those of the graph, whatever the array holds
const lut = {
  fragments: BigUint64Array.from({ length: 10 }, (_, row) => id(row + 1)),
  segments: BigUint64Array.from({ length: 10 }, (_, row) => id(1 + Math.floor(row / 3) * 3)),
  sizes: BigUint64Array.from({ length: 10 }, (_, row) => [64n, 63n, 1000n, 5n][Math.floor(row / 3)]),
};

let bench: TaskBench;
beforeEach(async () => {
  bench = new TaskBench();
  await bench.write('fragments', { data: fragments, shape, offset: [80, -8, 0] });
  await writeLut(join(bench.folder, 'segments.lut'), lut);
});
afterEach(() => bench.remove());

const run = (options: Record<string, unknown> = {}) =>
  bench.run({
    segments: {
      type: 'relabel',
      fragments: 'fragments',
      segments: 'segments',
      lut: 'segments.lut',
      blockSize: [4, 4, 16],
      ...options,
    },
  });

/** What the task should write. */
function expected(missing: 'keep' | 'background', minimum = 0n): bigint[] {
  return [...fragments].map((fragment) => {
    const row = lut.fragments.indexOf(fragment);
    if (row < 0) return missing === 'keep' ? fragment : 0n;
    return lut.sizes[row] < minimum ? 0n : lut.segments[row];
  });
}

test.each<[string, Record<string, unknown>, bigint[]]>([
  ['ids that are not in the LUT stay', {}, expected('keep')],
  ['missing: background', { missing: 'background' }, expected('background')],
  ['minSegmentSize', { minSegmentSize: 64 }, expected('keep', 64n)],
  ['minSegmentSize and missing', { minSegmentSize: 65, missing: 'background' }, expected('background', 65n)],
  ['one block', { blockSize: [16, 16, 16] }, expected('keep')],
])('%s', async (_name, options, wanted) => {
  await run(options);
  expect([...(await bench.read('segments'))]).toEqual(wanted);
  const { metadata } = await bench.open('segments');
  expect(metadata).toMatchObject({ shape, dataType: 'uint64', units: ['nm', 'nm', 'nm'] });
  expect(metadata.offset.values).toEqual([80, -8, 0]);
});

test('missing: error names the id', async () => {
  const error = await run({ missing: 'error' }).catch((thrown: unknown) => thrown);
  expect(messageOf(error)).toMatch(new RegExp(`${id(11)}|${id(12)}`));
});

test('a roi', async () => {
  await run({ roi: { offset: [96, 0, 16], shape: [56, 64, 64] } });
  const { metadata } = await bench.open('segments');
  expect(metadata.shape).toEqual([7, 8, 8]);
  expect(metadata.offset.values).toEqual([96, 0, 16]);
  const whole = expected('keep');
  const part = Array.from({ length: 7 * 8 * 8 }, (_, at) => {
    const [z, y, x] = [Math.floor(at / 64) + 2, (Math.floor(at / 8) % 8) + 1, (at % 8) + 2];
    return whole[(z * 10 + y) * 11 + x];
  });
  expect([...(await bench.read('segments'))]).toEqual(part);
});

test('fragments that are no uint64 are refused', async () => {
  await bench.write('bytes', { data: new Uint8Array(990), shape });
  const error = await run({ fragments: 'bytes' }).catch((thrown: unknown) => thrown);
  expect(messageOf(error)).toContain('expected uint64 labels, found uint8');
});
