import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  type ConnectedComponentsOptions,
  type Connectivity,
  connectedComponents,
} from '../../lib/native/connected-components.js';
import { goldens, readJson, readNpz } from '../support/goldens.js';
import { firstDifference, indexOf, position, randomLabels, toLabels } from '../support/labels.js';
import { naiveComponents } from '../support/naive-components.js';

const REACH: Record<string, number> = { 4: 1, 8: 2, 6: 1, 18: 2, 26: 3 };

describe('connectedComponents', () => {
  for (const { name, connectivity } of readJson<{ name: string; connectivity: Connectivity[] }[]>(
    join(goldens, 'components/index.json'),
  )) {
    test(`equals the golden ${name}, with any number of threads`, async () => {
      const arrays = readNpz(join(goldens, `components/${name}.npz`));
      const labels = toLabels(arrays.labels.data);
      for (const neighbours of connectivity) {
        const expected = toLabels(arrays[`c${neighbours}`].data);
        for (const threads of [1, 2, 7]) {
          const found = await connectedComponents(labels, arrays.labels.shape, { connectivity: neighbours, threads });
          expect(firstDifference(found.labels, expected)).toBe(-1);
          expect(found.count).toBe(new Set(expected).size - (expected.includes(0n) ? 1 : 0));
        }
      }
    });
  }

  test('equals the plain version in 1 to 4 dimensions, every reach, many shapes', async () => {
    const ids = [0n, 5n, 6n, 2n ** 64n - 1n];
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 0, maxLength: 3 }),
        fc.integer({ min: 1, max: 140 }),
        fc.integer({ min: 1, max: 4 }),
        fc.nat(1000),
        fc.integer({ min: 1, max: 8 }),
        async (outer, row, kinds, seed, meanRun) => {
          const shape = [...outer, row];
          const voxels = shape.reduce((product, extent) => product * extent, 1);
          const labels = randomLabels(voxels, ids.slice(0, kinds), seed, meanRun);
          const named: [Connectivity, number][] = [
            ['face', 1],
            ['full', shape.length],
            ...({ 2: [4, 8], 3: [6, 18, 26] }[shape.length] ?? []).map((n) => [n, REACH[n]] as [Connectivity, number]),
          ];
          for (const [connectivity, reach] of named) {
            const found = await connectedComponents(labels, shape, { connectivity, threads: 1 + (seed % 3) });
            expect(found).toEqual(naiveComponents(labels, shape, reach));
          }
        },
      ),
      { seed: 10, numRuns: 40 },
    );
  });

  test('labels of fewer bytes do as uint64 does, the result may take the place of uint64 labels', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 0, maxLength: 3 }),
        fc.integer({ min: 1, max: 140 }),
        fc.nat(1000),
        async (outer, row, seed) => {
          const shape = [...outer, row];
          const voxels = shape.reduce((product, extent) => product * extent, 1);
          const labels = randomLabels(voxels, [0n, 1n, 128n, 255n].slice(0, 2 + (seed % 3)), seed, 1 + (seed % 7));
          const options = { connectivity: seed % 2 === 0 ? 'face' : 'full', threads: 1 + (seed % 3) } as const;
          const expected = naiveComponents(labels, shape, seed % 2 === 0 ? 1 : shape.length);
          for (const [type, scale] of [
            [Uint8Array, 1],
            [Uint16Array, 257],
            [Uint32Array, 2 ** 24],
          ] as const) {
            const few = new type(Array.from(labels, (label) => Number(label) * scale));
            expect(await connectedComponents(few, shape, options)).toEqual(expected);
          }
          const narrow = await connectedComponents(labels, shape, { ...options, output: new Uint32Array(voxels) });
          expect(narrow).toEqual({ labels: Uint32Array.from(expected.labels, Number), count: expected.count });
          const inPlace = labels.slice();
          expect((await connectedComponents(inPlace, shape, { ...options, output: inPlace })).labels).toBe(inPlace);
          expect(inPlace).toEqual(expected.labels);
        },
      ),
      { seed: 12, numRuns: 40 },
    );
  });

  test('a snake that turns through every row is one component', async () => {
    const shape = [9, 9, 65];
    const labels = new BigUint64Array(9 * 9 * 65);
    for (let z = 0; z < 9; ++z) {
      for (let y = 0; y < 9; ++y) {
        const between = z % 2 === 1 || y % 2 === 1;
        for (let x = 0; x < 65; ++x) labels[(z * 9 + y) * 65 + x] = between ? 0n : 3n;
        // Joints at alternating ends, of rows and then of planes.
        if (z % 2 === 0 && y % 2 === 1) labels[(z * 9 + y) * 65 + (y % 4 === 1 ? 64 : 0)] = 3n;
        if (z % 2 === 1 && y === (z % 4 === 1 ? 8 : 0)) labels[(z * 9 + y) * 65] = 3n;
      }
    }
    for (const threads of [1, 2, 5]) {
      expect((await connectedComponents(labels, shape, { connectivity: 'face', threads })).count).toBe(1);
    }
  });

  test('rows that are worked on in pieces: runs across their ends, and joints there', async () => {
    const length = 3 * 65536 - 20;
    const shape = [3, length];
    const plain = (labels: BigUint64Array, reach: number) => naiveComponents(labels, shape, reach);
    for (const [kinds, meanRun] of [
      [2, 1],
      [3, 2],
      [3, 30_000],
    ]) {
      const labels = randomLabels(3 * length, [0n, 4n, 5n].slice(0, kinds), meanRun, meanRun);
      for (const reach of [1, 2]) {
        const expected = plain(labels, reach);
        for (const threads of [1, 2]) {
          const found = await connectedComponents(labels, shape, { connectivity: reach as Connectivity, threads });
          expect(found.count).toBe(expected.count);
          expect(firstDifference(found.labels, expected.labels)).toBe(-1);
        }
      }
    }
  });

  test('a crop equals the components of the part alone, plus the id offset', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(3), fc.nat(5), fc.nat(3)), { minLength: 1, maxLength: 4 }),
        fc.nat(1000),
        fc.bigInt({ min: 0n, max: 2n ** 63n }),
        async (extents, seed, idOffset) => {
          const shape = extents.map(([before, inside, after]) => before + inside + after);
          const crop = { offset: extents.map(([before]) => before), shape: extents.map(([, inside]) => inside) };
          const voxels = (of: readonly number[]) => of.reduce((product, extent) => product * extent, 1);
          const labels = randomLabels(voxels(shape), [0n, 1n, 2n], seed);
          const part = BigUint64Array.from({ length: voxels(crop.shape) }, (_, index) => {
            const place = position(index, crop.shape).map((value, axis) => value + crop.offset[axis]);
            return labels[indexOf(place, shape)!];
          });
          const expected = naiveComponents(part, crop.shape, shape.length);
          const found = await connectedComponents(labels, shape, { crop, idOffset });
          expect(found.count).toBe(expected.count);
          expect(found.labels).toEqual(expected.labels.map((id) => (id === 0n ? 0n : id + idOffset)));
        },
      ),
      { seed: 11, numRuns: 60 },
    );
  });

  test('writes into the output given, also over old contents', async () => {
    const output = new BigUint64Array(6).fill(99n);
    const labels = BigUint64Array.from([0n, 4n, 4n, 0n, 5n, 0n]);
    const found = await connectedComponents(labels, [6], { output });
    expect(found.labels).toBe(output);
    expect(output).toEqual(BigUint64Array.from([0n, 1n, 1n, 0n, 2n, 0n]));
  });

  test('ids end at 2^64 - 1', async () => {
    const labels = BigUint64Array.from([1n, 0n, 1n]);
    const at = (idOffset: bigint) => connectedComponents(labels, [3], { idOffset });
    expect((await at(2n ** 64n - 3n)).labels).toEqual(BigUint64Array.from([2n ** 64n - 2n, 0n, 2n ** 64n - 1n]));
    await expect(at(2n ** 64n - 2n)).rejects.toMatchObject({
      code: 'ERR_LIMIT',
      message: 'connectedComponents: idOffset: ids would exceed 2^64 - 1',
    });
    const narrow = (idOffset: bigint) => connectedComponents(labels, [3], { idOffset, output: new Uint32Array(3) });
    expect((await narrow(2n ** 32n - 3n)).labels).toEqual(Uint32Array.of(2 ** 32 - 2, 0, 2 ** 32 - 1));
    for (const idOffset of [2n ** 32n - 2n, 2n ** 40n]) {
      await expect(narrow(idOffset)).rejects.toMatchObject({
        code: 'ERR_LIMIT',
        message: 'connectedComponents: idOffset: ids would exceed 2^32 - 1',
      });
    }
  });

  test('empty shapes', async () => {
    expect(await connectedComponents(new BigUint64Array(0), [0, 2 ** 40, 3])).toEqual({
      labels: new BigUint64Array(0),
      count: 0,
    });
  });

  test('bad input is named; an abort is heard', async () => {
    const run = (options: ConnectedComponentsOptions, shape = [2, 3]) =>
      connectedComponents(new BigUint64Array(6), shape, options);
    const floats = new Float32Array(6) as unknown as Uint8Array;
    await expect(connectedComponents(floats, [2, 3])).rejects.toMatchObject({
      code: 'ERR_ARGUMENT',
      message: 'labels: expected a BigUint64Array or Uint32Array or Uint16Array or Uint8Array, found Float32Array',
    });
    await expect(run({ connectivity: 26 })).rejects.toMatchObject({
      code: 'ERR_ARGUMENT',
      message: 'connectivity: expected face, full, 1 to 2 or a number of neighbours in 2 dimensions, found 26',
    });
    await expect(run({ crop: { offset: [0, 1], shape: [2, 3] } })).rejects.toMatchObject({
      message: 'crop: expected a box inside shape [2, 3], found offset [0, 1], shape [2, 3]',
    });
    await expect(run({ idOffset: -1n })).rejects.toMatchObject({
      message: 'idOffset: expected a bigint in [0, 2^64), found -1',
    });
    await expect(run({ threads: 0 })).rejects.toMatchObject({
      message: 'threads: expected a whole number in [1, 1024], found 0',
    });
    await expect(run({ output: new BigUint64Array(5) })).rejects.toMatchObject({
      message: 'output: expected 6 elements, found 5',
    });
    await expect(run({ output: new Uint8Array(6) as unknown as BigUint64Array })).rejects.toMatchObject({
      message: 'output: expected a BigUint64Array or Uint32Array, found Uint8Array',
    });
    await expect(run({}, [6.5])).rejects.toMatchObject({
      message: 'shape: expected non-negative whole numbers, found [6.5]',
    });
    await expect(run({}, [2 ** 30, 2 ** 30])).rejects.toMatchObject({
      message: 'shape: expected fewer than 2^53 elements, found 1152921504606847000',
    });
    await expect(run({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ERR_CANCELLED' });
  });
});
