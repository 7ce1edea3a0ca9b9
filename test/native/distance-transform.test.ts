import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { distanceTransform } from '../../lib/native/distance-transform.js';
import { goldens, readJson, readNpz } from '../support/goldens.js';
import { firstDifference, position } from '../support/labels.js';
import { seededRandom } from '../support/seeded-random.js';

/** The plain version: every voxel against every voxel outside. */
function naive(mask: Uint8Array, shape: readonly number[], voxelSize: readonly number[]): Float64Array {
  const outside = [...mask.keys()].filter((voxel) => mask[voxel] === 0).map((voxel) => position(voxel, shape));
  return Float64Array.from(mask, (_, voxel) => {
    const place = position(voxel, shape);
    const squares = outside.map((other) =>
      place.reduce((sum, value, axis) => sum + (value - other[axis]) ** 2 * voxelSize[axis] ** 2, 0),
    );
    return Math.min(Number.POSITIVE_INFINITY, ...squares);
  });
}

describe('distanceTransform', () => {
  const cases = readJson<{ name: string; voxelSize: number[] }[]>(join(goldens, 'distance/index.json'));
  for (const { name, voxelSize } of cases.filter((golden) => golden.name !== 'fib25-membrane')) {
    test(`equals the golden ${name}`, async () => {
      const { mask, squaredVoxels, world } = readNpz(join(goldens, `distance/${name}.npz`));
      const data = mask.data as Uint8Array;
      const squares = await distanceTransform(data, mask.shape, { squared: true });
      expect(firstDifference(squares, squaredVoxels.data)).toBe(-1);
      const distances = await distanceTransform(data, mask.shape);
      expect(firstDifference(distances, squares.map(Math.sqrt))).toBe(-1);
      const found = await distanceTransform(data, mask.shape, { voxelSize });
      const worst = found.reduce(
        (most, value, voxel) => Math.max(most, Math.abs(value - Number(world.data[voxel]))),
        0,
      );
      expect(worst).toBeLessThan(1e-9);
    });
  }

  test('equals the plain version: exactly in voxels, closely with a voxel size', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 8 }), { minLength: 1, maxLength: 4 }),
        fc.nat(1000),
        fc.double({ min: 0, max: 1, noNaN: true }),
        async (shape, seed, filled) => {
          const random = seededRandom(seed);
          const voxels = Math.min(
            600,
            shape.reduce((product, extent) => product * extent, 1),
          );
          if (voxels === 600) return;
          const mask = Uint8Array.from({ length: voxels }, () =>
            random() < Math.sqrt(filled) ? 1 + Math.floor(random() * 3) : 0,
          );
          const ones = shape.map(() => 1);
          expect(await distanceTransform(mask, shape, { squared: true })).toEqual(naive(mask, shape, ones));
          const voxelSize = shape.map(() => 0.1 + 5 * random());
          const found = await distanceTransform(mask, shape, { voxelSize });
          naive(mask, shape, voxelSize).forEach((square, voxel) => {
            if (square === Number.POSITIVE_INFINITY) expect(found[voxel]).toBe(square);
            else expect(Math.abs(found[voxel] - Math.sqrt(square))).toBeLessThan(1e-12);
          });
        },
      ),
      { seed: 17, numRuns: 100 },
    );
  });

  test('far and near places beside each other, whole and broken voxel sizes, any number of threads', async () => {
    const random = seededRandom(18);
    for (const shape of [
      [2, 130, 120],
      [1, 4, 1, 90, 40],
      [90, 33],
    ]) {
      const voxels = shape.reduce((a, b) => a * b, 1);
      const mask = Uint8Array.from({ length: voxels }, (_, voxel) =>
        random() * 150 < 1 && voxel > voxels / 2 ? 0 : 1,
      );
      for (const voxelSize of [
        shape.map(() => 1),
        shape.map((_, axis) => 1 + 3 * axis),
        shape.map(() => 0.1 + random()),
      ]) {
        const expected = naive(mask, shape, voxelSize);
        for (const threads of [1, 3]) {
          const found = await distanceTransform(mask, shape, { voxelSize, squared: true, threads });
          const isWhole = voxelSize.every(Number.isInteger);
          if (isWhole) expect(firstDifference(found, expected)).toBe(-1);
          const wrong = found.findIndex((one, voxel) => !(Math.abs(one - expected[voxel]) <= 1e-13 * expected[voxel]));
          expect(wrong).toBe(-1);
        }
      }
    }
  });

  test('no voxel outside: infinitely far; nothing at all: nothing', async () => {
    expect(await distanceTransform(Uint8Array.of(1, 1), [2])).toEqual(
      Float64Array.of(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY),
    );
    expect(await distanceTransform(new Uint8Array(0), [0, 7])).toEqual(new Float64Array(0));
  });

  test('a long line is exact', async () => {
    const mask = new Uint8Array(100_000).fill(1);
    mask[30_000] = 0;
    const found = await distanceTransform(mask, [100_000], { squared: true });
    expect(found.every((square, index) => square === (index - 30_000) ** 2)).toBe(true);
  });

  test('bad input is named; an abort is heard', async () => {
    const run = (options = {}, mask = new Uint8Array(6)) => distanceTransform(mask, [2, 3], options);
    for (const voxelSize of [[1], [1, 0], [1, Number.NaN], [-1, 1], [1e200, 1]]) {
      await expect(run({ voxelSize })).rejects.toMatchObject({
        code: 'ERR_ARGUMENT',
        message: `voxelSize: expected 2 numbers above 0, found [${voxelSize.join(', ')}]`,
      });
    }
    await expect(run({}, new Uint8Array(5))).rejects.toMatchObject({
      message: 'mask: expected 6 elements (shape [2, 3]), found 5',
    });
    await expect(run({}, new Float32Array(6) as unknown as Uint8Array<ArrayBuffer>)).rejects.toMatchObject({
      message: 'mask: expected a Uint8Array, found Float32Array',
    });
    await expect(run({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ERR_CANCELLED' });
  });
});
