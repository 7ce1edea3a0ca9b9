import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { connectedComponents } from '../../lib/native/connected-components.js';
import { filterFragments } from '../../lib/native/filter-fragments.js';
import { removeDebris } from '../../lib/native/remove-debris.js';
import { fib25Input } from '../support/fib25.js';
import { goldens, readJson, readNpz } from '../support/goldens.js';
import { canonical, firstDifference, randomLabels, toLabels } from '../support/labels.js';
import { seededRandom } from '../support/seeded-random.js';

interface Case {
  readonly name: string;
  readonly fragmentsOf: string;
  readonly filterFragments: number;
  readonly removeDebris: number;
  readonly context: number[];
  readonly relabelled: number;
}

describe('the steps after the watershed equal the published ones', () => {
  for (const golden of readJson<Case[]>(join(goldens, 'fragments/index.json'))) {
    test(golden.name, async () => {
      const { shape, affinities } = fib25Input(`mws/${golden.fragmentsOf}.json`);
      const { kept, relabelled } = readNpz(join(goldens, `fragments/${golden.name}.npz`));
      const fragments = toLabels(readNpz(join(goldens, `mws/${golden.fragmentsOf}.npz`)).labels.data);
      if (golden.filterFragments > 0) {
        await filterFragments(fragments, affinities, shape, { threshold: golden.filterFragments });
      }
      await removeDebris(fragments, golden.removeDebris);
      expect(firstDifference(canonical(fragments), toLabels(kept.data))).toBe(-1);
      const crop = { offset: golden.context, shape: shape.map((extent, axis) => extent - 2 * golden.context[axis]) };
      const idOffset = 9007199254740993n;
      const found = await connectedComponents(fragments, shape, { crop, idOffset });
      expect(found.count).toBe(golden.relabelled);
      const expected = toLabels(relabelled.data).map((id) => (id === 0n ? 0n : id + idOffset));
      expect(firstDifference(found.labels, expected)).toBe(-1);
    });
  }
});

/** The plain version, in exact rational arithmetic for uint8. */
function naive(
  labels: BigUint64Array,
  values: ArrayLike<number>,
  channels: number[],
  threshold: number,
  scale: number,
) {
  const sums = new Map<bigint, { sum: number; count: number }>();
  labels.forEach((label, voxel) => {
    const entry = sums.get(label) ?? { sum: 0, count: 0 };
    for (const channel of channels) entry.sum += values[channel * labels.length + voxel];
    entry.count += channels.length;
    sums.set(label, entry);
  });
  const drops = (label: bigint) => sums.get(label)!.sum < threshold * scale * sums.get(label)!.count;
  return labels.map((label) => (drops(label) ? 0n : label));
}

describe('filterFragments', () => {
  const ids = [0n, 3n, 4n, 9n, 2n ** 63n, 17n, 18n, 19n];

  test('equals the plain version', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 300 }), fc.nat(1000), fc.boolean(), async (voxels, seed, whole) => {
        const random = seededRandom(seed);
        // Multiples of 1 / 256 add up exactly, so the order of additions does not show.
        const bytes = Uint8Array.from({ length: 4 * voxels }, () => Math.floor(random() * 256));
        const values = whole ? bytes : Float32Array.from(bytes, (value) => value / 256);
        const labels = randomLabels(voxels, ids, seed);
        const channels = [3, 1];
        const expected = naive(labels, values, channels, 0.5, whole ? 255 : 1);
        const before = new Set(labels.filter((label) => label > 0n)).size;
        const dropped = await filterFragments(labels, values, [1, voxels], { threshold: 0.5, channels });
        expect(labels).toEqual(expected);
        expect(dropped).toBe(before - new Set(labels.filter((label) => label > 0n)).size);
      }),
      { seed: 9, numRuns: 60 },
    );
  });

  test('a mean of exactly the threshold is kept', async () => {
    const labels = BigUint64Array.from([1n, 1n, 2n, 2n]);
    const affinities = Uint8Array.from([51, 51, 51, 50]); // 51 / 255 = 0.2
    expect(await filterFragments(labels, affinities, [4], { threshold: 0.2 })).toBe(1);
    expect(labels).toEqual(BigUint64Array.from([1n, 1n, 0n, 0n]));
  });

  test('uses the first channels, one an axis, unless told', async () => {
    const affinities = Uint8Array.from([200, 0, 200, 0, 0, 255]); // channels of two voxels
    const run = async (channels?: number[]) => {
      const labels = BigUint64Array.from([1n, 2n]);
      await filterFragments(labels, affinities, [1, 2], { threshold: 0.5, ...(channels && { channels }) });
      return [...labels];
    };
    expect(await run()).toEqual([1n, 0n]);
    expect(await run([2])).toEqual([0n, 2n]);
  });

  test('bad input is named; an abort is heard', async () => {
    const run = (affinities: Uint8Array | Float32Array, options = {}) =>
      filterFragments(BigUint64Array.from([0n, 1n]), affinities, [2], { threshold: 0.5, ...options });
    await expect(run(new Uint8Array(3))).rejects.toMatchObject({
      code: 'ERR_ARGUMENT',
      message: 'affinities: expected a multiple of 2 elements (shape [2]), found 3',
    });
    await expect(run(new Int8Array(2) as unknown as Uint8Array)).rejects.toMatchObject({
      message: 'affinities: expected a Uint8Array or Float32Array, found Int8Array',
    });
    await expect(run(new Uint8Array(2), { threshold: Number.NaN })).rejects.toMatchObject({
      message: 'threshold: expected a finite number, found NaN',
    });
    await expect(run(new Uint8Array(2), { channels: [1] })).rejects.toMatchObject({
      message: 'channels: expected channels in [0, 1), found [1]',
    });
    await expect(run(new Uint8Array(2), { channels: [] })).rejects.toMatchObject({
      message: 'channels: expected at least one channel, found []',
    });
    await expect(run(Float32Array.from([0, Number.NaN]))).rejects.toMatchObject({
      code: 'ERR_NOT_A_NUMBER',
      message: 'filterFragments: affinities: NaN in channel 0 at voxel 1 (raster index)',
    });
    await expect(run(Float32Array.from([Number.NaN, 1]))).resolves.toBe(0); // below background: not read
    await expect(run(new Uint8Array(2), { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'ERR_CANCELLED',
    });
  });
});
