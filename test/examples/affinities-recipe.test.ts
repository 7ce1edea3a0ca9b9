import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { affinitiesFromLabels, chain, fmix32, recipeHalo } from '#examples/fib25/affinities-recipe.js';
import { fib25Labels } from '../support/fib25.js';
import { goldens, readJson } from '../support/goldens.js';

interface AffinitySets {
  readonly sets: readonly {
    readonly offsets: number[][];
    readonly seed: number;
    readonly volumeShape: number[];
    readonly boxes: readonly { name: string; begin: number[]; end: number[]; sha256: string; first8: number[] }[];
    readonly haloForABlock: number[];
  }[];
}

interface HashVectors {
  readonly fmix32: readonly (readonly [number, number])[];
  readonly chain: readonly { readonly seed: number; readonly values: number[]; readonly result: number }[];
}

test('the hash gives the published values', () => {
  const vectors = readJson<HashVectors>(join(goldens, 'fib25/hash-vectors.json'));
  for (const [value, hash] of vectors.fmix32) expect(fmix32(value)).toBe(hash);
  for (const { seed, values, result } of vectors.chain) expect(chain(seed, ...values)).toBe(result);
});

describe('affinities of boxes have the published bytes', () => {
  const { labels } = fib25Labels;
  const { sets } = readJson<AffinitySets>(join(goldens, 'fib25/affinities.json'));
  for (const { offsets, seed, volumeShape, boxes, haloForABlock } of sets) {
    for (const { name, begin, end, sha256, first8 } of boxes) {
      test(`${name}, ${offsets.length} channels`, () => {
        expect(recipeHalo(offsets)).toEqual(haloForABlock);
        const source = { labels, begin: [0, 0, 0], shape: volumeShape };
        const bytes = affinitiesFromLabels(source, begin, end, { offsets, seed, volumeShape });
        expect([...bytes.subarray(0, 8)]).toEqual(first8);
        expect(createHash('sha256').update(bytes).digest('hex')).toBe(sha256);
      });
    }
  }

  test('labels with a halo are enough', () => {
    const { offsets, seed, volumeShape, boxes, haloForABlock } = sets[0];
    const { begin, end, sha256 } = boxes[3];
    const low = begin.map((value, axis) => Math.max(0, value - haloForABlock[axis]));
    const shape = end.map((value, axis) => Math.min(volumeShape[axis], value + haloForABlock[axis]) - low[axis]);
    const part = new Uint8Array(shape[0] * shape[1] * shape[2]);
    for (let z = 0, i = 0; z < shape[0]; ++z) {
      for (let y = 0; y < shape[1]; ++y) {
        for (let x = 0; x < shape[2]; ++x, ++i) {
          part[i] = labels[((low[0] + z) * volumeShape[1] + low[1] + y) * volumeShape[2] + low[2] + x];
        }
      }
    }
    const bytes = affinitiesFromLabels({ labels: part, begin: low, shape }, begin, end, { offsets, seed, volumeShape });
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(sha256);
  });
});
