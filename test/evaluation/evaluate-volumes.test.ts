import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type EvaluateVolumesOptions, evaluateVolumes } from '../../lib/evaluation/evaluate-volumes.js';
import type { Evaluation, Overlap } from '../../lib/evaluation/evaluation.js';
import { uint64Labels } from '../../lib/evaluation/uint64-labels.js';
import { Roi } from '../../lib/geometry/roi.js';
import { contingencyTable } from '../../lib/native/contingency-table.js';
import { segmentationScores } from '../../lib/native/segmentation-scores.js';
import type { TypedArray } from '../../lib/storage/metadata.js';
import { goldens, readJson, readNpz } from '../support/goldens.js';
import { TaskBench, type Volume } from '../support/task-bench.js';

let bench: TaskBench;
beforeAll(() => {
  bench = new TaskBench();
});
afterAll(() => bench.remove());

let serial = 0;

/** Writes both and compares them. */
async function evaluate(
  segmentation: Volume,
  truth: Volume,
  options: EvaluateVolumesOptions & { readonly mask?: Volume } = {},
): Promise<Evaluation> {
  const { mask, ...more } = options;
  const open = async (volume: Volume) => {
    const name = `labels-${serial++}`;
    await bench.write(name, volume);
    return bench.open(name);
  };
  const volumes = { segmentation: await open(segmentation), truth: await open(truth) };
  return evaluateVolumes(mask === undefined ? volumes : { ...volumes, mask: await open(mask) }, more);
}

interface Golden {
  readonly [rule: string]: Readonly<Record<string, number | null>>;
}

const index = readJson<{ readonly cases: Readonly<Record<string, Golden>> }>(join(goldens, 'evaluation/index.json'));

describe.each(Object.entries(index.cases))('%s', (name, expected) => {
  const { segmentation, truth } = readNpz(join(goldens, `evaluation/${name}.npz`));
  const volumeOf = ({ data, shape }: typeof truth): Volume => ({ data: data as TypedArray, shape });

  test.each([
    ['ignoreTruthBackground', true],
    ['allVoxels', false],
  ])("equals scikit-image's scores, %s", async (rule, ignoreTruthBackground) => {
    const found = await evaluate(volumeOf(segmentation), volumeOf(truth), {
      ignoreTruthBackground,
      distinctPairs: true,
      blockVoxels: 700,
    });
    for (const [score, value] of Object.entries(expected[rule])) {
      // without any pair scikit-image divides 0 by 0
      expect([score, found[score as keyof Evaluation]]).toEqual([
        score,
        value === null ? 1 : expect.closeTo(value, 10),
      ]);
    }
  });
});

const SHAPE = [9, 14, 21];
const count = SHAPE.reduce((product, extent) => product * extent, 1);
const HUGE = 2n ** 64n - 1n;
const segments = BigUint64Array.from(
  { length: count },
  (_, voxel) => [0n, 1n, 2n ** 63n, HUGE][((voxel >> 3) % 7) % 4],
);
const truths = Uint8Array.from({ length: count }, (_, voxel) => ((voxel >> 4) % 11) % 6);

test('scores do not depend on blocks; places are voxels of both labels; ids reach to 2^64 - 1', async () => {
  const offset = [80, -16, 400];
  const whole = await evaluate(
    { data: segments, shape: SHAPE, offset },
    { data: truths, shape: SHAPE, offset },
    { worst: 100, partners: 100 },
  );
  expect(whole).toMatchObject(
    await segmentationScores(await contingencyTable(segments, BigUint64Array.from(truths, BigInt))),
  );
  expect(whole.worstMerges.map(({ segment }) => segment)).toContain(HUGE);
  for (const [chunkShape, blockVoxels] of [
    [[4, 5, 6], 1],
    [[2, 14, 21], 700],
    [[9, 3, 21], 200],
  ] as const) {
    const found = await evaluate(
      { data: segments, shape: SHAPE, offset, chunkShape },
      { data: truths, shape: SHAPE, offset },
      { worst: 100, partners: 100, blockVoxels },
    );
    const withoutPlaces = ({ worstMerges, worstSplits, ...scores }: Evaluation) => {
      const plain = (overlaps: readonly Overlap[]) => overlaps.map(({ id, voxels }) => ({ id, voxels }));
      return {
        ...scores,
        worstMerges: worstMerges.map((one) => ({ ...one, truth: plain(one.truth) })),
        worstSplits: worstSplits.map((one) => ({ ...one, segments: plain(one.segments) })),
      };
    };
    expect(withoutPlaces(found)).toEqual(withoutPlaces(whole));
    const at = (position: readonly number[]) =>
      position.reduce((voxel, world, axis) => voxel * SHAPE[axis] + (world - offset[axis]) / 8, 0);
    for (const { segment, truth } of found.worstMerges) {
      for (const { id, position } of truth)
        expect([segments[at(position)], truths[at(position)]]).toEqual([segment, Number(id)]);
    }
    for (const { truth, segments: pieces } of found.worstSplits) {
      for (const { id, position } of pieces)
        expect([segments[at(position)], truths[at(position)]]).toEqual([id, Number(truth)]);
    }
  }
});

describe('where the arrays lie', () => {
  const row = (labels: number[], offset: number, voxelSize = 8): Volume => ({
    data: Uint16Array.from(labels),
    shape: [1, labels.length],
    offset: [0, offset],
    voxelSize: [8, voxelSize],
  });

  test('what overlaps is compared, and positions are in the world', async () => {
    const found = await evaluate(row([1, 1, 1, 2, 2], -8), row([5, 5, 6, 6, 6, 6], 8));
    expect(found).toMatchObject({ voxels: 3, roi: { offset: [0, 8], shape: [8, 24] }, segments: 2, truthSegments: 2 });
    // 1 2 2 against 5 5 6
    expect(found.worstMerges).toEqual([
      {
        segment: 2n,
        bits: expect.closeTo(2 / 3, 10),
        voxels: 2,
        partners: 2,
        truth: [
          { id: 5n, voxels: 1, position: [0, 16] },
          { id: 6n, voxels: 1, position: [0, 24] },
        ],
      },
    ]);
  });

  test('a Roi and a mask leave voxels out', async () => {
    const labels = row([1, 1, 2, 2, 3], 0);
    const of = (options: Parameters<typeof evaluate>[2]) => evaluate(labels, row([4, 4, 4, 0, 4], 0), options);
    expect((await of({})).voxels).toBe(4);
    expect((await of({ ignoreTruthBackground: false })).voxels).toBe(5);
    expect(await of({ roi: new Roi([0, 8], [8, 800]) })).toMatchObject({
      voxels: 3,
      segments: 3,
      roi: { offset: [0, 8] },
    });
    // outside the mask's array it is 0
    expect(await of({ mask: row([0, 1, 7, 1], 0) })).toMatchObject({ voxels: 2, segments: 2 });
  });

  test.each([
    [
      'another voxel size',
      row([1], 0),
      row([1], 0, 4),
      'truth: expected the voxel size of the segmentation, [8, 8], found [8, 4]',
    ],
    ['another grid', row([1], 0), row([1], 4), 'truth: expected an offset on the voxel grid of the segmentation'],
    ['nothing in common', row([1], 0), row([1], 8), 'truth: expected voxels inside'],
    [
      'floats',
      { ...row([1], 0), data: Float32Array.of(1) },
      row([1], 0),
      'segmentation: expected integer labels, found float32',
    ],
    [
      'channels',
      row([1], 0),
      { ...row([1], 0), channelAxes: 1, offset: [0], voxelSize: [8] },
      'truth: expected labels without channels',
    ],
    ['no truth', row([1], 0), row([0], 0), 'table: expected voxels with truth above 0, found none'],
    [
      'negative labels',
      { ...row([1], 0), data: Int8Array.of(-3) },
      row([1], 0),
      'segmentation: expected labels of at least 0, found -3',
    ],
  ])('%s is refused', async (_name, segmentation, truth, message) => {
    await expect(evaluate(segmentation, truth)).rejects.toThrow(message);
  });

  test('a Roi must lie on the voxels, and inside', async () => {
    const of = (roi: Roi) => evaluate(row([1, 2], 0), row([1, 2], 0), { roi });
    await expect(of(new Roi([0, 4], [8, 8]))).rejects.toThrow('roi: expected whole voxels of [8, 8]');
    await expect(of(new Roi([0, 80], [8, 8]))).rejects.toThrow('roi: expected a part of');
    await expect(of(new Roi([0], [8]))).rejects.toThrow('roi: expected 2 numbers');
  });
});

test('progress, and an abort', async () => {
  const seen: number[] = [];
  const volume = { data: segments, shape: SHAPE };
  const controller = new AbortController();
  const onProgress = ({ voxels, expected, pairs }: { voxels: number; expected: number; pairs: number }) => {
    expect([expected, pairs > 0]).toEqual([count, true]);
    seen.push(voxels);
  };
  await evaluate(volume, volume, { onProgress, blockVoxels: 600 });
  expect(seen.length).toBeGreaterThan(3);
  expect(seen.at(-1)).toBe(count);
  const stopped = evaluate(volume, volume, {
    onProgress: () => controller.abort(),
    blockVoxels: 600,
    signal: controller.signal,
  });
  await expect(stopped).rejects.toMatchObject({ code: 'ERR_CANCELLED' });
});

test('labels of every integer type are widened; negative ones are refused', () => {
  for (const make of [Uint8Array, Int8Array, Uint16Array, Int16Array, Uint32Array, Int32Array]) {
    expect(uint64Labels('x', make.of(0, 1, 127))).toEqual(BigUint64Array.of(0n, 1n, 127n));
  }
  expect(uint64Labels('x', Uint32Array.of(2 ** 32 - 1))).toEqual(BigUint64Array.of(2n ** 32n - 1n));
  expect(uint64Labels('x', BigInt64Array.of(0n, 2n ** 63n - 1n))).toEqual(BigUint64Array.of(0n, 2n ** 63n - 1n));
  expect(() => uint64Labels('x', BigInt64Array.of(5n, -2n))).toThrow('x: expected labels of at least 0, found -2');
  expect(() => uint64Labels('x', Float64Array.of(1))).toThrow('x: expected integer labels, found Float64Array');
});
