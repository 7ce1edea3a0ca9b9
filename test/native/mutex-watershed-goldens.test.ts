import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { affinitiesFromLabels, rankedValues } from '#examples/fib25/affinities-recipe.js';
import { mutexWatershed } from '../../lib/native/mutex-watershed.js';
import { type Crop, cropOfLabels } from '../support/fib25.js';
import { goldens, readJson, readNpz } from '../support/goldens.js';

interface Case {
  readonly name: string;
  readonly kind: 'inline' | 'random' | 'ranked' | 'tie';
  readonly offsets: number[][];
  readonly shape: number[];
  readonly strides: number[][] | null;
  readonly edges: [boolean, number | string, number | string][] | null;
  readonly thresholds?: number[];
  readonly crop?: Crop;
  readonly recipe?: { seed: number; noise: boolean };
  readonly affinitiesSha256?: string;
  readonly valuesSha256: string;
}

const sha256 = (array: Uint8Array | Float32Array): string =>
  createHash('sha256')
    .update(new Uint8Array(array.buffer, array.byteOffset, array.byteLength))
    .digest('hex');

/** The bytes that a case's values are made of. */
function affinitiesOf({ crop, recipe, offsets, shape }: Case): Uint8Array {
  const begin = shape.map(() => 0);
  return affinitiesFromLabels({ labels: cropOfLabels(crop!).labels, begin, shape }, begin, shape, {
    offsets,
    volumeShape: shape,
    ...recipe!,
  });
}

/** Where labels differ first, -1 = nowhere: Jest's own comparison takes seconds for arrays of this size. */
function firstDifference(found: BigUint64Array, expected: ArrayLike<number | bigint>): number {
  const wide = typeof expected[0] === 'bigint' ? expected : BigUint64Array.from(expected as ArrayLike<number>, BigInt);
  for (let i = 0; i < wide.length; ++i) if (found[i] !== wide[i]) return i;
  return found.length === wide.length ? -1 : wide.length;
}

/** Labels numbered by their first voxel. */
function canonical(labels: BigUint64Array): number[] {
  const ids = [...new Set(labels)];
  return [...labels].map((label) => ids.indexOf(label));
}

function valuesOf(golden: Case): Float32Array {
  const affinities = affinitiesOf(golden);
  expect(sha256(affinities)).toBe(golden.affinitiesSha256);
  const { thresholds = [], recipe } = golden;
  if (golden.kind === 'ranked') return rankedValues(affinities, thresholds, recipe!.seed);
  const perChannel = affinities.length / thresholds.length;
  return Float32Array.from(affinities, (a, i) => (2 * a - thresholds[Math.floor(i / perChannel)]) / 512);
}

describe('labels equal the published ones', () => {
  for (const { name } of readJson<{ name: string }[]>(join(goldens, 'mws/index.json'))) {
    test(name, async () => {
      const golden = readJson<Case>(join(goldens, `mws/${name}.json`));
      const { labels, seeds, values: stored } = readNpz(join(goldens, `mws/${name}.npz`));
      const values = stored === undefined ? valuesOf(golden) : (stored.data as Float32Array);
      expect(sha256(values)).toBe(golden.valuesSha256);
      const { offsets, shape, strides, edges } = golden;
      const found = await mutexWatershed(values, [offsets.length, ...shape], {
        offsets,
        ...(strides === null ? {} : { strides }),
        ...(edges === null ? {} : { edges: edges.map(([kind, a, b]) => [kind, BigInt(a), BigInt(b)] as const) }),
        ...(seeds === undefined ? {} : { seeds: seeds.data as BigUint64Array }),
      });
      // Where user edges joined seeds the reference keeps any of their ids.
      if (edges === null) expect(firstDifference(found, labels.data)).toBe(-1);
      else expect(canonical(found)).toEqual(canonical(labels.data as BigUint64Array));
    });
  }
});

test('bytes with ties give the published labels', async () => {
  const golden = readJson<Case>(join(goldens, 'mws/fib25-ties-3d.json'));
  const { labels } = readNpz(join(goldens, 'mws/fib25-ties-3d.npz'));
  const found = await mutexWatershed(affinitiesOf(golden), [golden.offsets.length, ...golden.shape], {
    offsets: golden.offsets,
    bias: golden.thresholds!.map((threshold) => -threshold / 510),
  });
  expect(firstDifference(found, labels.data)).toBe(-1);
});
