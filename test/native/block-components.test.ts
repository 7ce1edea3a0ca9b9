import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  type BlockComponentsOptions,
  blockComponents,
  type ComponentLabels,
} from '../../lib/native/block-components.js';
import { type Connectivity, connectedComponents } from '../../lib/native/connected-components.js';
import { fragmentStatistics } from '../../lib/native/fragment-statistics.js';
import { joinComponents, type PairRun } from '../../lib/native/join-components.js';
import { relabel } from '../../lib/native/relabel.js';
import { blocksOf, cutBox, pasteBox } from '../support/blocks-of.js';
import { cropOfLabels } from '../support/fib25.js';
import { firstDifference, indexOf, position, randomLabels, widened } from '../support/labels.js';
import { naiveComponents } from '../support/naive-components.js';

const HOSTILE = [0n, 2n ** 64n - 1n, 2n ** 63n, 1n, 2n ** 64n - 2n];

interface Whole {
  readonly labels: BigUint64Array;
  readonly count: number;
  readonly names: BigUint64Array;
  readonly sizes: ReadonlyMap<bigint, bigint>;
}

/** The components of a volume by way of its blocks, as the tasks do it; blocks that `skipped` names are not run. */
async function byBlocks(
  labels: ComponentLabels,
  shape: readonly number[],
  blockShape: readonly number[],
  options: BlockComponentsOptions = {},
  skipped: (block: number) => boolean = () => false,
): Promise<Whole> {
  const names = new BigUint64Array(labels.length);
  const sizes = new Map<bigint, bigint>();
  const runs: PairRun[] = [];
  for (const [index, box] of blocksOf(shape, blockShape).entries()) {
    if (skipped(index)) continue;
    const low = box.offset.map((first) => Math.min(first, 1));
    const read = {
      offset: box.offset.map((first, axis) => first - low[axis]),
      shape: box.shape.map((extent, axis) => extent + low[axis]),
    };
    const place = { low, begin: box.offset, volume: shape };
    const found = await blockComponents(cutBox(labels as Uint8Array, shape, read), read.shape, place, options);
    pasteBox(found.components, names, shape, box);
    const own = await fragmentStatistics(found.components, box.shape);
    expect(own.ids.length).toBe(found.count);
    own.ids.forEach((name, row) => {
      sizes.set(name, own.sizes[row]);
    });
    for (const piece of found.pieces) {
      expect(sizes.has(piece)).toBe(false);
      sizes.set(piece, 0n);
    }
    runs.push(found);
  }
  const ids = BigUint64Array.from([...sizes.keys()].sort((a, b) => (a < b ? -1 : 1)));
  const joined = await joinComponents(
    ids,
    ids.map((id) => sizes.get(id)!),
    runs,
  );
  expect([...joined.fragments]).toEqual([...ids].filter((id) => sizes.get(id) !== 0n));
  const result = await relabel(names, joined, { missing: 'error' });
  const total = await fragmentStatistics(result, shape);
  expect(total.ids.length).toBe(joined.count);
  expect(joined.segments.every((segment, row) => joined.sizes[row] === total.sizes[Number(segment) - 1])).toBe(true);
  return { labels: result, count: joined.count, names, sizes };
}

/** What one block over the whole volume gives. */
async function atOnce(labels: BigUint64Array, shape: readonly number[], options: BlockComponentsOptions) {
  const { connectivity = 'full', binary = false } = options;
  return connectedComponents(binary ? labels.map((label) => (label === 0n ? 0n : 1n)) : labels, shape, {
    connectivity,
  });
}

describe('the components of all blocks together', () => {
  test('equal the plain version and one block, in ids too: 1 to 4 dimensions, every reach, any blocks', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.integer({ min: 1, max: 7 }), fc.integer({ min: 1, max: 7 })), {
          minLength: 1,
          maxLength: 4,
        }),
        fc.integer({ min: 2, max: 5 }),
        fc.nat(1000),
        fc.integer({ min: 1, max: 4 }),
        fc.boolean(),
        async (axes, kinds, seed, meanRun, binary) => {
          const shape = axes.map(([extent]) => extent);
          const blockShape = axes.map(([, extent]) => extent);
          const voxels = shape.reduce((product, extent) => product * extent, 1);
          // mostly background, so that much depends on edges and corners
          const ids = [...HOSTILE.slice(0, kinds), 0n, 0n];
          const labels = randomLabels(voxels, ids, seed, meanRun);
          for (let reach = 1; reach <= shape.length; reach++) {
            const options = { connectivity: reach as Connectivity, binary, threads: 1 + (seed % 2) };
            const found = await byBlocks(labels, shape, blockShape, options);
            const plain = naiveComponents(
              binary ? labels.map((label) => (label === 0n ? 0n : 1n)) : labels,
              shape,
              reach,
            );
            expect({ labels: found.labels, count: found.count }).toEqual(plain);
            expect(await atOnce(labels, shape, options)).toEqual(plain);
          }
        },
      ),
      { seed: 12, numRuns: 150 },
    );
  });

  test('are named by their first voxels, in the block and in the volume', async () => {
    const shape = [6, 7, 9];
    const labels = randomLabels(6 * 7 * 9, [0n, 0n, 3n, 4n], 5);
    const { names } = await byBlocks(labels, shape, [4, 3, 5]);
    const seen = new Set<bigint>();
    names.forEach((name, voxel) => {
      const place = position(voxel, shape);
      const block = place.map((at, axis) => Math.floor(at / [4, 3, 5][axis])).join();
      if (name === 0n || seen.has(name)) return;
      // voxels come in raster order: the first of a name, of all blocks, is the first of its block
      seen.add(name);
      expect(Number(name)).toBe(voxel + 1);
      const first = position(Number(name) - 1, shape).map((at, axis) => Math.floor(at / [4, 3, 5][axis]));
      expect(first.join()).toBe(block);
    });
    expect(seen.size).toBeGreaterThan(10);
  });

  test('without some blocks equal those of the volume with nothing there', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(1000), fc.integer({ min: 1, max: 3 }), async (seed, reach) => {
        const shape = [7, 8, 9];
        const blockShape = [3, 3, 4];
        const labels = randomLabels(7 * 8 * 9, [0n, 7n, 7n], seed);
        const skipped = (block: number) => (block * 7 + seed) % 3 === 0;
        const found = await byBlocks(labels, shape, blockShape, { connectivity: reach as Connectivity }, skipped);
        const rest = labels.slice();
        for (const [index, box] of blocksOf(shape, blockShape).entries()) {
          const count = box.shape.reduce((product, extent) => product * extent, 1);
          if (skipped(index)) pasteBox(new BigUint64Array(count), rest, shape, box);
        }
        expect({ labels: found.labels, count: found.count }).toEqual(naiveComponents(rest, shape, reach));
      }),
      { seed: 13, numRuns: 40 },
    );
  });

  const types = { Uint8Array, Int8Array, Uint16Array, Int16Array, Uint32Array, Int32Array, BigInt64Array };
  test.each(Object.entries(types))('%s: every value but 0 is a label', async (name, type) => {
    const shape = [9, 10];
    // of signed types the highest half is negative
    const values = [0n, 1n, 2n ** 64n - 1n, 2n ** 63n + 2n ** 31n + 2n ** 15n + 2n ** 7n];
    const labels = randomLabels(90, values, 3);
    const narrow = name.startsWith('Big')
      ? new BigInt64Array(labels.buffer)
      : (type as Uint8ArrayConstructor).from(labels, (label) => Number(BigInt.asIntN(32, label)));
    for (const binary of [false, true]) {
      const found = await byBlocks(narrow, shape, [4, 3], { binary });
      expect({ labels: found.labels, count: found.count }).toEqual(await atOnce(labels, shape, { binary }));
    }
  });

  // 250^3: real shapes, all of which cross many blocks
  const fib25 = cropOfLabels({ begin: [0, 0, 0], end: [250, 250, 250], step: [1, 1, 1] });
  const mask = fib25.labels.map((label) => (label % 3 === 1 ? 1 : 0));
  const manyMasks = fib25.labels.map((label) => (label % 3 === 1 ? label : 0));
  test.each<[number[], Connectivity, boolean]>([
    [[64, 64, 64], 6, false],
    [[64, 64, 64], 18, true],
    [[64, 64, 64], 26, false],
    [[97, 61, 113], 6, true],
    [[97, 61, 113], 18, false],
    [[250, 31, 77], 26, true],
  ])('FIB-25 in blocks of %j, connectivity %i, binary %j', async (blockShape, connectivity, binary) => {
    const given = binary ? manyMasks : fib25.labels;
    const found = await byBlocks(given, fib25.shape, blockShape, { connectivity, binary });
    const expected = await connectedComponents(widened(binary ? mask : given), fib25.shape, { connectivity });
    expect(found.count).toBe(expected.count);
    expect(found.count).toBeGreaterThan(20);
    expect(firstDifference(found.labels, expected.labels)).toBe(-1);
  });

  test.each<[Connectivity]>([[4], [8]])('a slice of FIB-25, connectivity %i', async (connectivity) => {
    const { labels, shape } = { labels: fib25.labels.subarray(0, 250 * 250), shape: [250, 250] };
    const found = await byBlocks(labels, shape, [64, 49], { connectivity });
    const expected = await connectedComponents(widened(labels), shape, { connectivity });
    expect(found.count).toBe(expected.count);
    expect(firstDifference(found.labels, expected.labels)).toBe(-1);
  });
});

test('two voxels that touch at a corner where eight blocks meet are joined by the block behind, which has neither', async () => {
  const shape = [4, 4, 4];
  const labels = new BigUint64Array(64);
  const [a, b] = [indexOf([1, 2, 1], shape)!, indexOf([2, 1, 2], shape)!];
  labels[a] = labels[b] = 9n;
  expect((await byBlocks(labels, shape, [2, 2, 2])).count).toBe(1);
  expect((await byBlocks(labels, shape, [2, 2, 2], { connectivity: 18 })).count).toBe(2);
});

describe('bad input is named', () => {
  const place = { low: [0, 1], begin: [2, 2], volume: [4, 6] };
  test.each<[string, () => Promise<unknown>, string]>([
    ['floats', () => blockComponents(new Float32Array(6) as never, [2, 3], place), 'labels: expected a Uint8Array or'],
    ['length', () => blockComponents(new Uint8Array(5), [2, 3], place), 'labels: expected 6 elements'],
    ['low', () => blockComponents(new Uint8Array(6), [2, 3], { ...place, low: [0, 2] }), 'begin: expected a block of'],
    [
      'begin',
      () => blockComponents(new Uint8Array(6), [2, 3], { ...place, begin: [0, 0] }),
      'begin: expected a block of [2, 2] inside the volume [4, 6], behind its layers [0, 1], found [0, 0]',
    ],
    [
      'volume',
      () => blockComponents(new Uint8Array(6), [2, 3], { ...place, volume: [4, 3] }),
      'begin: expected a block of [2, 2] inside the volume [4, 3]',
    ],
    [
      'dimensions',
      () => blockComponents(new Uint8Array(6), [2, 3], { ...place, volume: [4] }),
      'volume: expected 2 non-negative whole numbers, found [4]',
    ],
    ['connectivity', () => blockComponents(new Uint8Array(6), [2, 3], place, { connectivity: 26 }), 'connectivity:'],
    ['minSize', () => joinComponents(new BigUint64Array(0), new BigUint64Array(0), [], { minSize: -1 }), 'minSize:'],
    ['names', () => joinComponents(BigUint64Array.of(2n, 2n), new BigUint64Array(2), []), 'names: expected to ascend'],
    [
      'sizes',
      () => joinComponents(BigUint64Array.of(2n), new BigUint64Array(2), []),
      'sizes: expected 1 elements, found 2',
    ],
  ])('%s', async (_name, call, message) => {
    await expect(call()).rejects.toMatchObject({ code: 'ERR_ARGUMENT', message: expect.stringContaining(message) });
  });

  test('a volume whose voxels cannot be counted', async () => {
    const far = { low: [0, 0], begin: [0, 0], volume: [2 ** 40, 2 ** 40] };
    await expect(blockComponents(new Uint8Array(6), [2, 3], far)).rejects.toMatchObject({ code: 'ERR_LIMIT' });
  });

  test('an abort is heard', async () => {
    const signal = AbortSignal.abort();
    await expect(blockComponents(new Uint8Array(6), [2, 3], place, { signal })).rejects.toMatchObject({
      code: 'ERR_CANCELLED',
    });
    await expect(joinComponents(BigUint64Array.of(1n), BigUint64Array.of(1n), [], { signal })).rejects.toMatchObject({
      code: 'ERR_CANCELLED',
    });
  });
});

test('joinComponents: sizes add up, small components have no number, unknown names are left out', async () => {
  const of = (...values: bigint[]) => BigUint64Array.from(values);
  const [names, sizes] = [of(2n, 5n, 7n, 2n ** 62n, 2n ** 63n), of(3n, 0n, 4n, 2n, 9n)];
  const runs = [
    { u: of(2n, 4n), v: of(5n, 2n ** 63n) },
    { u: of(5n), v: of(2n ** 62n) },
  ];
  const joined = { fragments: of(2n, 7n, 2n ** 62n, 2n ** 63n), sizes: of(5n, 4n, 5n, 9n) };
  expect(await joinComponents(names, sizes, runs)).toEqual({ ...joined, segments: of(1n, 2n, 1n, 3n), count: 3 });
  expect(await joinComponents(names, sizes, runs, { minSize: 5 })).toEqual({
    ...joined,
    segments: of(1n, 0n, 1n, 2n),
    count: 2,
  });
  expect(await joinComponents(of(), of(), runs)).toEqual({ fragments: of(), segments: of(), sizes: of(), count: 0 });
});
