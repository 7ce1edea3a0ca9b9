import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { type MutexWatershedOptions, mutexWatershed } from '../../lib/native/mutex-watershed.js';
import { naiveMutexWatershed } from '../support/naive-mutex-watershed.js';
import { normalDeviate, philox } from '../support/naive-random.js';

const runs = { seed: 20250801, numRuns: 150 };

interface Grid {
  readonly affinities: Uint8Array | Float32Array;
  readonly spatial: number[];
  readonly options: MutexWatershedOptions;
}

const LONGEST: Record<number, number> = { 1: 60, 2: 9, 3: 6, 4: 4, 5: 3 };

/** Small grids with many ties, and any combination of options. */
const grids: fc.Arbitrary<Grid> = fc
  .record({ axes: fc.integer({ min: 1, max: 5 }), channels: fc.integer({ min: 0, max: 6 }) })
  .chain(({ axes, channels }) =>
    fc.record({
      channels: fc.constant(channels),
      spatial: fc.array(fc.integer({ min: 1, max: LONGEST[axes] }), { minLength: axes, maxLength: axes }),
      offsets: vectors(fc.integer({ min: -3, max: 3 }), axes, channels),
      strides: optional(vectors(fc.integer({ min: 1, max: 3 }), axes, channels)),
      randomizedStrides: fc.boolean(),
      bias: fc.oneof(
        fc.constantFrom(-0.5, -0.25, 0),
        fc.array(fc.constantFrom(-0.7, -0.5, -0.25, 0.125), { minLength: channels, maxLength: channels }),
      ),
      noiseEps: fc.constantFrom(0, 0, 0.001, 0.3),
      seed: fc.maxSafeNat(),
      stream: fc.maxSafeNat(),
      origin: optional(fc.array(fc.integer({ min: -5, max: 2 ** 33 }), { minLength: axes, maxLength: axes })),
      bytes: fc.boolean(),
      levels: fc.constantFrom(2, 3, 5, 256),
      content: fc.infiniteStream(fc.nat({ max: 2 ** 20 })),
      masked: fc.boolean(),
      threads: fc.integer({ min: 1, max: 4 }),
      smooth: fc.boolean(),
      seedIds: optional(fc.array(fc.bigInt({ min: 1n, max: 2n ** 64n - 1000n }), { minLength: 1, maxLength: 4 })),
      userEdges: fc.array(fc.tuple(fc.boolean(), fc.nat({ max: 3 }), fc.nat({ max: 3 })), { maxLength: 4 }),
    }),
  )
  .map((made) => {
    const { channels, spatial, content } = made;
    const voxels = spatial.reduce((result, extent) => result * extent, 1);
    const next = () => content.next().value as number;
    const bytes = Uint8Array.from({ length: channels * voxels }, () =>
      Math.round(((next() % made.levels) * 255) / (made.levels - 1)),
    );
    const seeds =
      made.seedIds &&
      BigUint64Array.from({ length: voxels }, () => (next() % 3 ? 0n : made.seedIds![next() % made.seedIds!.length]));
    const present = [...new Set(seeds ?? [])].filter((id) => id !== 0n);
    const options: MutexWatershedOptions = {
      offsets: made.offsets,
      bias: made.bias,
      noiseEps: made.noiseEps,
      seed: made.seed,
      stream: made.stream,
      threads: made.threads,
      ...(made.strides && { strides: made.strides, randomizedStrides: made.randomizedStrides }),
      ...(made.origin && { origin: made.origin }),
      ...(made.masked && { mask: Uint8Array.from({ length: voxels }, () => next() % 4) }),
      ...(made.smooth && { smoothed: Float32Array.from({ length: channels * voxels }, () => (next() % 9) / 8) }),
      ...(seeds && { seeds }),
      ...(present.length > 0 && {
        edges: made.userEdges.map(
          ([kind, a, b]) => [kind, present[a % present.length], present[b % present.length]] as const,
        ),
      }),
    };
    const affinities = made.bytes ? bytes : Float32Array.from(bytes, (byte) => byte / 255);
    return { affinities, spatial, options };
  });

function vectors(entry: fc.Arbitrary<number>, axes: number, channels: number): fc.Arbitrary<number[][]> {
  const vector = fc.array(entry, { minLength: axes, maxLength: axes });
  return fc.array(vector, { minLength: channels, maxLength: channels });
}

function optional<Value>(value: fc.Arbitrary<Value>): fc.Arbitrary<Value | undefined> {
  return fc.option(value, { nil: undefined });
}

function segment({ affinities, spatial, options }: Grid, changes: Partial<MutexWatershedOptions> = {}) {
  return mutexWatershed(affinities, [options.offsets.length, ...spatial], { ...options, ...changes });
}

/** A grid on which every option matters. */
function randomGrid(spatial: number[], options: Partial<MutexWatershedOptions> = {}): Grid {
  const offsets = [
    [1, 0],
    [0, 1],
    [4, 0],
    [0, 4],
    [3, -3],
  ];
  const affinities = Float32Array.from(
    { length: offsets.length * spatial[0] * spatial[1] },
    (_, i) => philox([i, 0, 0, 0], [7, 7])[0] / 2 ** 32,
  );
  return { affinities, spatial, options: { offsets, bias: -0.5, ...options } };
}

describe('the kernel equals its slow twin', () => {
  test('on random grids with any options', async () => {
    await fc.assert(
      fc.asyncProperty(grids, async (grid) => {
        expect(await segment(grid)).toEqual(naiveMutexWatershed(grid.affinities, grid.spatial, grid.options));
      }),
      runs,
    );
  });

  test('with any number of threads', async () => {
    const spatial = [260, 250];
    const strides = [
      [1, 1],
      [1, 1],
      [2, 2],
      [1, 3],
      [3, 1],
    ];
    for (const changes of [{}, { strides }, { strides, randomizedStrides: true, noiseEps: 0.1 }]) {
      const grid = randomGrid(spatial, changes);
      const alone = await segment(grid);
      for (const threads of [2, 8]) {
        const together = await segment(grid, { threads });
        expect(together.every((label, index) => label === alone[index])).toBe(true);
      }
    }
  });

  test('on larger grids with few levels', async () => {
    const spatial = [18, 21];
    for (let i = 0; i < 12; ++i) {
      const levels = [1, 2, 4, 255][i % 4];
      const { options, affinities } = randomGrid(spatial, { seed: i, bias: [-0.4, -0.4, -0.7, -0.7, -0.6] });
      const bytes = Uint8Array.from(affinities, (value) => (Math.round(((value + i / 7) % 1) * levels) * 255) / levels);
      const grid = { affinities: bytes, spatial, options };
      expect(await segment(grid)).toEqual(naiveMutexWatershed(bytes, spatial, options));
    }
  });
});

describe('random numbers', () => {
  test('the generator gives the published values', () => {
    expect(philox([0, 0, 0, 0], [0, 0])).toEqual([0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]);
    const ones = 0xffffffff;
    expect(philox([ones, ones, ones, ones], [ones, ones])).toEqual([0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd]);
    expect(philox([0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0])).toEqual([
      0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1,
    ]);
  });

  test('deviates have mean 0 and variance 1', () => {
    let sum = 0;
    let squares = 0;
    const count = 4000;
    for (let i = 0; i < count; ++i) {
      const [a, b] = philox([i, 0, 0, 0], [1, 2]);
      const deviate = normalDeviate(a, b) * 9.38529755618831e-9;
      sum += deviate;
      squares += deviate * deviate;
    }
    expect(Math.abs(sum / count)).toBeLessThan(0.05);
    expect(Math.abs(squares / count - 1)).toBeLessThan(0.07);
  });

  test('overlapping blocks with origins see the same noise', async () => {
    // One row of the volume alone in a block of its own: only noise decides, so equal labels mean equal noise.
    const flat = (rows: number) => new Float32Array(rows * 40).fill(0.5);
    const options = { offsets: [[0, 1]], bias: -0.5, noiseEps: 1, seed: 5 };
    const whole = await mutexWatershed(flat(3), [1, 3, 40], { ...options, origin: [10, 20] });
    const row = await mutexWatershed(flat(1), [1, 1, 40], { ...options, origin: [11, 20] });
    const isJoined = (labels: BigUint64Array) =>
      [...labels].map((label, i) => i > 0 && label !== 0n && label === labels[i - 1]);
    expect(isJoined(row)).toEqual(isJoined(whole.slice(40, 80)));
    expect(isJoined(row)).not.toEqual(isJoined(whole.slice(0, 40)));
  });
});

describe('every option changes the result', () => {
  const grid = randomGrid([16, 16], { noiseEps: 0.2 });
  const strides = grid.options.offsets.map(() => [2, 2]);
  const seeds = new BigUint64Array(256);
  seeds[17] = 9n;
  seeds[200] = 4n;
  const changes: Record<string, [Partial<MutexWatershedOptions>, Partial<MutexWatershedOptions>]> = {
    strides: [{}, { strides }],
    randomizedStrides: [{ strides }, { strides, randomizedStrides: true }],
    'seed of strides': [
      { noiseEps: 0, strides, randomizedStrides: true },
      { noiseEps: 0, strides, randomizedStrides: true, seed: 1 },
    ],
    bias: [{}, { bias: -0.3 }],
    'bias of a channel': [{}, { bias: [-0.5, -0.5, -0.5, -0.5, -0.9] }],
    noiseEps: [{}, { noiseEps: 0 }],
    'seed beyond 32 bits': [{ seed: 1 }, { seed: 1 + 2 ** 32 }],
    stream: [{}, { stream: 1 }],
    origin: [{}, { origin: [0, 1] }],
    mask: [{}, { mask: Uint8Array.from({ length: 256 }, (_, i) => Number(i > 40)) }],
    smoothed: [{}, { smoothed: Float32Array.from(grid.affinities, (value) => 1 - value) }],
    seeds: [{}, { seeds }],
    edges: [{ seeds }, { seeds, edges: [[true, 9n, 4n]] }],
  };
  for (const [name, [before, after]] of Object.entries(changes)) {
    test(name, async () => {
      const first = await segment(grid, before);
      expect(await segment(grid, before)).toEqual(first);
      expect(await segment(grid, after)).not.toEqual(first);
    });
  }
});

describe('edge cases', () => {
  test('no voxels, no channels, one voxel', async () => {
    expect(await mutexWatershed(new Float32Array(0), [1, 0, 4], { offsets: [[1, 0]] })).toEqual(new BigUint64Array(0));
    expect(await mutexWatershed(new Float32Array(0), [0, 2, 2], { offsets: [] })).toEqual(new BigUint64Array(4));
    expect(await mutexWatershed(Float32Array.of(1), [1, 1], { offsets: [[1]] })).toEqual(new BigUint64Array(1));
  });

  test('infinite affinities are the strongest', async () => {
    const labels = await mutexWatershed(Float32Array.of(Infinity, -Infinity, 3e38, 0), [1, 4], { offsets: [[1]] });
    expect(labels).toEqual(BigUint64Array.of(1n, 1n, 2n, 2n));
  });

  test('offsets far beyond the volume have no edges', async () => {
    const offsets = [[2 ** 40], [-(2 ** 52)]];
    expect(await mutexWatershed(new Float32Array(6).fill(1), [2, 3], { offsets })).toEqual(new BigUint64Array(3));
  });

  test('more channels than ranks of bytes fit in 16 bits', async () => {
    const offsets = Array.from({ length: 200 }, (_, channel) => [1 + (channel % 5)]);
    const bias = offsets.map((_, channel) => -0.3 - channel / 500);
    const affinities = Uint8Array.from({ length: 200 * 12 }, (_, i) => philox([i, 0, 0, 0], [3, 3])[0] >>> 24);
    const found = await mutexWatershed(affinities, [200, 12], { offsets, bias });
    expect(found).toEqual(naiveMutexWatershed(affinities, [12], { offsets, bias }));
  });

  test('a NaN outside the mask does not matter', async () => {
    const labels = await mutexWatershed(Float32Array.of(1, NaN, 1, 0), [1, 4], {
      offsets: [[1]],
      mask: Uint8Array.of(1, 0, 1, 1),
    });
    expect(labels).toEqual(BigUint64Array.of(1n, 1n, 2n, 2n));
  });
});

describe('bad input is named', () => {
  const grid = randomGrid([4, 4]);
  const offsets = grid.options.offsets;
  const cases: Record<string, [Partial<MutexWatershedOptions>, string, RegExp]> = {
    'too few offsets': [{ offsets: offsets.slice(1) }, 'ERR_ARGUMENT', /affinities: expected 64/],
    'an offset of another length': [
      { offsets: offsets.map(() => [1]) },
      'ERR_ARGUMENT',
      /offsets\[0\]: expected 2 whole/,
    ],
    'a broken offset': [{ offsets: offsets.map(() => [1, 0.5]) }, 'ERR_ARGUMENT', /offsets\[0\]/],
    'too few strides': [{ strides: [[1, 1]] }, 'ERR_ARGUMENT', /strides: expected 5/],
    'a stride of 0': [{ strides: offsets.map(() => [1, 0]) }, 'ERR_ARGUMENT', /strides\[0\].*found \[1, 0\]/],
    'randomised without strides': [{ randomizedStrides: true }, 'ERR_ARGUMENT', /randomizedStrides/],
    'too few biases': [{ bias: [1] }, 'ERR_ARGUMENT', /bias/],
    'a bias that is NaN': [{ bias: NaN }, 'ERR_ARGUMENT', /bias: expected finite/],
    'negative noise': [{ noiseEps: -1 }, 'ERR_ARGUMENT', /noiseEps/],
    'a seed beyond 2^53': [{ seed: 2 ** 53 }, 'ERR_ARGUMENT', /seed: .*found 9007199254740992/],
    'no threads': [{ threads: 0 }, 'ERR_ARGUMENT', /threads/],
    'a negative stream': [{ stream: -1 }, 'ERR_ARGUMENT', /stream/],
    'an origin of another length': [{ origin: [1] }, 'ERR_ARGUMENT', /origin: expected 2/],
    'a short mask': [{ mask: new Uint8Array(3) }, 'ERR_ARGUMENT', /mask: expected 16 elements/],
    'short smoothed affinities': [{ smoothed: new Float32Array(16) }, 'ERR_ARGUMENT', /smoothed: expected 80/],
    'seeds of another type': [
      { seeds: new Float64Array(16) as unknown as BigUint64Array },
      'ERR_ARGUMENT',
      /seeds: expected a BigUint64Array/,
    ],
    'an edge between unknown seeds': [
      {
        seeds: new BigUint64Array(16).fill(3n),
        edges: [
          [true, 3n, 3n],
          [false, 3n, 5n],
        ],
      },
      'ERR_ARGUMENT',
      /edges\[1\]: .*found 5/,
    ],
    'an edge without seeds': [{ edges: [[true, 1n, 2n]] }, 'ERR_ARGUMENT', /edges\[0\]: .*found 1/],
    'an edge with a number': [{ edges: [[true, 1 as unknown as bigint, 2n]] }, 'ERR_ARGUMENT', /edges\[0\]/],
    'seeds that leave no ids': [
      { seeds: BigUint64Array.from({ length: 16 }, (_, i) => (i === 0 ? 2n ** 64n - 1n : 0n)) },
      'ERR_LIMIT',
      /seeds/,
    ],
  };
  for (const [name, [changes, code, message]] of Object.entries(cases)) {
    test(name, async () => {
      const options = { ...grid.options, ...changes };
      const shape = [options.offsets.length, ...grid.spatial];
      await expect(mutexWatershed(grid.affinities, shape, options)).rejects.toMatchObject({
        code,
        message: expect.stringMatching(message),
      });
    });
  }

  test('NaN, with channel and voxel', async () => {
    const affinities = grid.affinities.slice();
    affinities[16 + 7] = NaN;
    await expect(mutexWatershed(affinities, [5, 4, 4], grid.options)).rejects.toMatchObject({
      code: 'ERR_NOT_A_NUMBER',
      message: expect.stringContaining('channel 1 at voxel [1, 3]'),
    });
  });

  test('a wrong type or shape of affinities', async () => {
    const wrong = new Float64Array(80) as unknown as Float32Array;
    await expect(mutexWatershed(wrong, [5, 4, 4], grid.options)).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
    for (const shape of [[5], [5, 4, 5], [5, 4, 4, 1, 1, 1, 1, 1], [5, 4, -4], [5, 4.5, 4]]) {
      await expect(mutexWatershed(grid.affinities, shape, grid.options)).rejects.toMatchObject({
        code: 'ERR_ARGUMENT',
      });
    }
  });
});

test('an aborted call ends with ERR_CANCELLED', async () => {
  const grid = randomGrid([16, 16]);
  await expect(segment(grid, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ERR_CANCELLED' });
  const controller = new AbortController();
  const spatial = [1000, 1000];
  const large = mutexWatershed(new Float32Array(5e6).fill(0.75), [5, ...spatial], {
    ...grid.options,
    noiseEps: 0.3,
    signal: controller.signal,
  });
  controller.abort();
  await expect(large).rejects.toMatchObject({ code: 'ERR_CANCELLED' });
});
