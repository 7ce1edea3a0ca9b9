import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type EdgeScores, type EdgeScoresOptions, edgeScores } from '../../lib/native/edge-scores.js';
import type { VoxelBox } from '../../lib/native/voxel-box.js';
import { fib25Input, rankedAffinities } from '../support/fib25.js';
import { goldens, readJson, readNpz } from '../support/goldens.js';
import { indexOf, position, randomLabels, toLabels } from '../support/labels.js';
import { seededRandom } from '../support/seeded-random.js';

type Rows = Map<string, Record<string, [sum: number, count: number]>>;

/** The plain version: every voxel, every score, every channel. */
function naive(
  fragments: BigUint64Array,
  affinities: ArrayLike<number>,
  shape: readonly number[],
  { offsets, scores, box = { offset: shape.map(() => 0), shape } }: EdgeScoresOptions,
): Rows {
  const rows: Rows = new Map();
  for (let voxel = 0; voxel < fragments.length; ++voxel) {
    const place = position(voxel, shape);
    if (!place.every((value, axis) => value >= box.offset[axis] && value < box.offset[axis] + box.shape[axis]))
      continue;
    for (const [name, channels] of Object.entries(scores)) {
      for (const channel of new Set(channels)) {
        const end = indexOf(
          place.map((value, axis) => value + offsets[channel][axis]),
          shape,
        );
        if (end === undefined) continue;
        const [a, b] = [fragments[voxel], fragments[end]];
        if (a === 0n || b === 0n || a === b) continue;
        const key = a < b ? `${a} ${b}` : `${b} ${a}`;
        const row = rows.get(key) ?? {};
        row[name] ??= [0, 0];
        row[name][0] += affinities[channel * fragments.length + voxel];
        row[name][1] += 1;
        rows.set(key, row);
      }
    }
  }
  return rows;
}

/** The columns as rows; checks their order on the way. */
function rowsOf(found: EdgeScores): Rows {
  const rows: Rows = new Map();
  for (let edge = 0; edge < found.u.length; ++edge) {
    const [u, v] = [found.u[edge], found.v[edge]];
    if (u >= v) throw new Error(`edge ${u} ${v}`);
    if (edge > 0 && (found.u[edge - 1] > u || (found.u[edge - 1] === u && found.v[edge - 1] >= v)))
      throw new Error('order');
    const row: Record<string, [number, number]> = {};
    for (const [name, { sums, counts }] of Object.entries(found.attributes)) {
      if (counts[edge] > 0) row[name] = [sums[edge], counts[edge]];
      else if (sums[edge] !== 0) throw new Error('a sum without a count');
    }
    rows.set(`${u} ${v}`, row);
  }
  return rows;
}

interface Case {
  readonly name: string;
  readonly fragmentsOf: string;
  readonly idBase?: number;
  readonly scores: Record<string, number[]>;
  readonly edges: number;
}

describe('edges equal the published ones', () => {
  const cases = readJson<Case[]>(join(goldens, 'aff-agglom/index.json')).filter(({ name }) => name !== 'anisotropic');
  for (const { name, fragmentsOf, idBase, scores, edges } of cases) {
    test(name, async () => {
      const { shape, offsets, affinities } = fib25Input(`mws/${fragmentsOf}.json`);
      const labels = toLabels(readNpz(join(goldens, `mws/${fragmentsOf}.npz`)).labels.data);
      const fragments = labels.map((label) => (label === 0n ? 0n : label + BigInt(idBase ?? 0)));
      const golden = readNpz(join(goldens, `aff-agglom/${name}.npz`));
      const found = await edgeScores(fragments, affinities, shape, { offsets, scores });
      expect(found.u.length).toBe(edges);
      const pairs = golden.edges.data as BigUint64Array;
      expect(found.u).toEqual(pairs.filter((_, index) => index % 2 === 0));
      expect(found.v).toEqual(pairs.filter((_, index) => index % 2 === 1));
      expect(Object.keys(found.attributes)).toEqual(Object.keys(scores));
      for (const score of Object.keys(scores)) {
        const { sums, counts } = found.attributes[score];
        expect(sums).toEqual(Float64Array.from(golden[`sum_${score}`].data, Number));
        expect(counts).toEqual(Float64Array.from(golden[`count_${score}`].data, Number));
        const published = golden[`score_${score}`].data as Float64Array;
        const wrong = published.findIndex(
          (expected, edge) => counts[edge] > 0 && !(Math.abs(sums[edge] / 255 / counts[edge] - expected) < 1e-6),
        );
        expect(wrong).toBe(-1);
      }
    });
  }

  for (const name of ['exact-2d-120x140', 'exact-debris-40x48x48']) {
    test(`${name}, from float affinities, whole and in blocks`, async () => {
      const input = fib25Input(`pipeline/${name}.json`);
      const golden = readNpz(join(goldens, `pipeline/${name}.npz`));
      const fragments = toLabels(golden.fragments.data);
      const scores = input.json.scores as Record<string, number[]>;
      const affinities = rankedAffinities(input);
      const options = { offsets: input.offsets, scores };
      const whole = rowsOf(await edgeScores(fragments, affinities, input.shape, options));
      const added: Rows = new Map();
      for (const box of halves(input.shape)) {
        for (const [key, row] of rowsOf(await edgeScores(fragments, affinities, input.shape, { ...options, box }))) {
          const sum = added.get(key) ?? {};
          for (const [score, [value, count]] of Object.entries(row)) {
            sum[score] = [(sum[score]?.[0] ?? 0) + value, (sum[score]?.[1] ?? 0) + count];
          }
          added.set(key, sum);
        }
      }
      const pairs = golden.edges.data as BigUint64Array;
      expect(whole.size).toBe(pairs.length / 2);
      expect(added.size).toBe(whole.size);
      for (let edge = 0; edge < whole.size; ++edge) {
        const key = `${pairs[2 * edge]} ${pairs[2 * edge + 1]}`;
        for (const score of Object.keys(scores)) {
          const expected = Number(golden[`score_${score}`].data[edge]);
          for (const rows of [whole, added]) {
            const [sum, count] = rows.get(key)![score] ?? [0, 0];
            if (Number.isNaN(expected)) expect(count).toBe(0);
            else expect(Math.abs(sum / count - expected)).toBeLessThan(1e-6);
          }
        }
      }
    });
  }
});

/** Boxes that tile a shape: each axis cut in two. */
function halves(shape: readonly number[]): VoxelBox[] {
  return shape.reduce<{ offset: number[]; shape: number[] }[]>(
    (boxes, extent) =>
      boxes.flatMap((box) => {
        const cut = Math.floor(extent / 2);
        return [
          { offset: [...box.offset, 0], shape: [...box.shape, cut] },
          { offset: [...box.offset, cut], shape: [...box.shape, extent - cut] },
        ];
      }),
    [{ offset: [], shape: [] }],
  );
}

describe('edgeScores', () => {
  const extents = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 4 });

  test('equals the plain version: any offsets, boxes, shared channels, near and far ids', async () => {
    await fc.assert(
      fc.asyncProperty(extents, fc.nat(10000), fc.boolean(), fc.boolean(), async (shape, seed, whole, far) => {
        const random = seededRandom(seed);
        const draw = (below: number) => Math.floor(random() * below);
        const voxels = shape.reduce((product, extent) => product * extent, 1);
        const ids = Array.from({ length: 12 }, (_, index) => BigInt(index) * (far ? 2n ** 60n + 1n : 1n));
        const fragments = randomLabels(voxels, ids, seed, 1 + draw(4));
        const offsets = Array.from({ length: 4 }, () => shape.map(() => draw(9) - 4));
        const bytes = Uint8Array.from({ length: 4 * voxels }, () => draw(256));
        const affinities = whole ? bytes : Float32Array.from(bytes, (value) => value / 256 - 0.25);
        const box = { offset: shape.map((extent) => draw(extent + 1)), shape: [] as number[] };
        box.shape = shape.map((extent, axis) => draw(extent - box.offset[axis] + 1));
        const scores = { one: [2], more: [0, 2, 3], twice: [1, 1] };
        for (const options of [
          { offsets, scores, box },
          { offsets, scores },
        ]) {
          const found = rowsOf(await edgeScores(fragments, affinities, shape, options));
          expect(found).toEqual(naive(fragments, affinities, shape, options));
        }
      }),
      { seed: 12, numRuns: 150 },
    );
  });

  test('sums of uint8 are exact and those of floats are float64', async () => {
    const voxels = 70000;
    const fragments = BigUint64Array.from({ length: 2 * voxels }, (_, index) => (index < voxels ? 1n : 2n));
    const run = async (affinities: Uint8Array | Float32Array) => {
      const found = await edgeScores(fragments, affinities, [2, voxels], { offsets: [[1, 0]], scores: { near: [0] } });
      return found.attributes.near;
    };
    expect(await run(new Uint8Array(2 * voxels).fill(255))).toEqual({
      sums: Float64Array.of(255 * voxels),
      counts: Float64Array.of(voxels),
    });
    const tenth = Math.fround(0.1);
    let sum = 0;
    for (let voxel = 0; voxel < voxels; ++voxel) sum += tenth;
    expect((await run(new Float32Array(2 * voxels).fill(0.1))).sums).toEqual(Float64Array.of(sum));
  });

  test('an offset as long as an axis, or of many times its length, has no pairs', async () => {
    for (const offset of [[3], [-3], [2 ** 52], [-(2 ** 52)]]) {
      const options = { offsets: [offset], scores: { a: [0] } };
      expect((await edgeScores(BigUint64Array.of(1n, 2n, 3n), new Uint8Array(3), [3], options)).u.length).toBe(0);
    }
  });

  test('many edges: the tables grow', async () => {
    const voxels = 8000;
    const fragments = BigUint64Array.from({ length: voxels }, (_, index) => BigInt(((index * 7919) % voxels) + 1));
    const affinities = new Uint8Array(2 * voxels).fill(1);
    const options = { offsets: [[1], [5]], scores: { all: [0, 1] } };
    const found = await edgeScores(fragments, affinities, [voxels], options);
    expect(found.u.length).toBe(voxels - 1 + voxels - 5);
    expect(rowsOf(found)).toEqual(naive(fragments, affinities, [voxels], options));
  });

  test('bad input is named; an abort is heard', async () => {
    const fragments = BigUint64Array.of(1n, 2n);
    const given = { offsets: [[1]], scores: { near: [0] } };
    const run = (options = {}, affinities: Uint8Array | Float32Array = new Uint8Array(2)) =>
      edgeScores(fragments, affinities, [2], { ...given, ...options });
    const refusals: [object, string][] = [
      [{ offsets: [] }, 'offsets: expected one for each of the 1 channels of the affinities, found 0'],
      [{ offsets: [[1, 0]] }, 'offsets: expected 1 whole numbers each, found [1, 0]'],
      [{ offsets: [[0.5]] }, 'offsets: expected 1 whole numbers each, found [0.5]'],
      [{ scores: {} }, 'scores: expected at least one score, found none'],
      [{ scores: { near: [] } }, 'scores.near: expected at least one channel, found []'],
      [{ scores: { near: [1] } }, 'scores.near: expected channels in [0, 1), found [1]'],
      [{ box: { offset: [1], shape: [2] } }, 'box: expected a box inside shape [2], found offset [1], shape [2]'],
    ];
    for (const [options, message] of refusals) {
      await expect(run(options)).rejects.toMatchObject({ code: 'ERR_ARGUMENT', message });
    }
    await expect(run({}, new Uint8Array(3))).rejects.toMatchObject({
      message: 'affinities: expected a multiple of 2 elements (shape [2]), found 3',
    });
    await expect(run({}, Float32Array.of(Number.NaN, 0))).rejects.toMatchObject({
      code: 'ERR_NOT_A_NUMBER',
      message: 'edgeScores: affinities: NaN in channel 0 at voxel 0 (raster index)',
    });
    expect((await run({}, Float32Array.of(0, Number.NaN))).u.length).toBe(1); // no pair there: not read
    await expect(run({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ERR_CANCELLED' });
  });
});
