import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Roi } from '../../lib/geometry/roi.js';
import { loadAddon } from '../../lib/native/addon.js';
import { addUpEdges, type EdgeRun, type MergedEdges, mergeEdges } from '../../lib/native/merge-edges.js';
import { mergeNodes, type NodeRun } from '../../lib/native/merge-nodes.js';

const id = fc.oneof(
  { weight: 6, arbitrary: fc.bigInt(1n, 4n) },
  fc.bigInt(1n, 2n ** 64n - 1n),
  fc.constantFrom(2n ** 11n, 2n ** 22n, 2n ** 33n, 2n ** 55n, 2n ** 63n, 2n ** 64n - 1n),
);
const names = ['a', 'b'];

const run: fc.Arbitrary<EdgeRun> = fc
  .tuple(
    fc.array(fc.tuple(id, id, fc.double({ noNaN: true, min: -1e9, max: 1e9 }), fc.integer({ min: 0, max: 9 })), {
      maxLength: 30,
    }),
    fc.subarray(names),
  )
  .map(([rows, attributes]) => ({
    u: BigUint64Array.from(rows, ([u]) => u),
    v: BigUint64Array.from(rows, ([, v]) => v),
    attributes: Object.fromEntries(
      attributes.map((name, factor) => [
        name,
        {
          sums: Float64Array.from(rows, ([, , sum]) => sum * (factor + 1)),
          counts: Float64Array.from(rows, ([, , , count]) => count),
        },
      ]),
    ),
  }));

/** The slow twin: a map, filled in the order of rows. */
function mergeSlowly(runs: readonly EdgeRun[], nodes?: ReadonlySet<bigint>) {
  const sums = new Map<string, { u: bigint; v: bigint; values: number[] }>();
  for (const { u, v, attributes } of runs) {
    for (let row = 0; row < u.length; row++) {
      if (nodes !== undefined && !nodes.has(u[row]) && !nodes.has(v[row])) continue;
      const name = `${u[row]} ${v[row]}`;
      const edge = sums.get(name) ?? { u: u[row], v: v[row], values: [0, 0, 0, 0] };
      sums.set(name, edge);
      for (const [index, attribute] of names.entries()) {
        if (attributes[attribute] === undefined) continue;
        edge.values[2 * index] += attributes[attribute].sums[row];
        edge.values[2 * index + 1] += attributes[attribute].counts[row];
      }
    }
  }
  const edges = [...sums.values()].sort((a, b) => (a.u !== b.u ? (a.u < b.u ? -1 : 1) : a.v < b.v ? -1 : 1));
  return edges.map(({ u, v, values }) => [u, v, ...values]);
}

function rowsOf({ u, v, attributes }: MergedEdges): unknown[][] {
  return [...u].map((first, row) => [
    first,
    v[row],
    ...names.flatMap((name) => [attributes[name].sums[row], attributes[name].counts[row]]),
  ]);
}

/** The rows of all runs behind each other; 0 where a run lacks an attribute. */
function gather(runs: readonly EdgeRun[]): MergedEdges {
  const column = (name: string, kind: 'sums' | 'counts') =>
    Float64Array.from(
      runs.flatMap((each) =>
        [...(each.attributes[name]?.[kind] ?? each.u)].map((x) => (each.attributes[name] ? Number(x) : 0)),
      ),
    );
  return {
    u: BigUint64Array.from(runs.flatMap((each) => [...each.u])),
    v: BigUint64Array.from(runs.flatMap((each) => [...each.v])),
    attributes: Object.fromEntries(
      names.map((name) => [name, { sums: column(name, 'sums'), counts: column(name, 'counts') }]),
    ),
  };
}

describe('addUpEdges', () => {
  test('equals the slow twin, for rows in any order and for rows that ascend', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(run, { maxLength: 6 }), async (runs) => {
        expect(rowsOf(await addUpEdges(gather(runs)))).toEqual(mergeSlowly(runs));
        const merged = gather(runs);
        const order = [...merged.u.keys()].sort((a, b) =>
          merged.u[a] !== merged.u[b]
            ? merged.u[a] < merged.u[b]
              ? -1
              : 1
            : merged.v[a] < merged.v[b]
              ? -1
              : merged.v[a] > merged.v[b]
                ? 1
                : a - b,
        );
        const pick = (column: Float64Array) => Float64Array.from(order, (row) => column[row]);
        const ascending: MergedEdges = {
          u: BigUint64Array.from(order, (row) => merged.u[row]),
          v: BigUint64Array.from(order, (row) => merged.v[row]),
          attributes: Object.fromEntries(
            names.map((name) => [
              name,
              { sums: pick(merged.attributes[name].sums), counts: pick(merged.attributes[name].counts) },
            ]),
          ),
        };
        expect(rowsOf(await addUpEdges(ascending))).toEqual(mergeSlowly(runs));
      }),
      { seed: 20266, numRuns: 150 },
    );
  });

  test('checks memory, and stops when it is cancelled', async () => {
    const { addUpEdges: native } = loadAddon();
    const one = new BigUint64Array(1);
    const real = new Float64Array(1);
    const sound = { u: one, v: one, sums: [real], counts: [real], attributes: 1 };
    const call = (rows: Record<string, unknown>) =>
      Promise.resolve()
        .then(() => native(rows))
        .then(String, (error) => `${error.code}: ${error.message}`);
    expect(await call(sound)).toBe('1');
    expect(await call({ ...sound, v: new BigUint64Array(2) })).toMatch(
      /^ERR_ARGUMENT: v: expected 1 elements, found 2/,
    );
    expect(await call({ ...sound, sums: [new Float64Array(2)] })).toMatch(/^ERR_ARGUMENT: sums/);
    expect(await call({ ...sound, counts: [] })).toMatch(/^ERR_ARGUMENT: counts: expected 1 entries, found 0/);
    const u = new BigUint64Array(1000).fill(1n);
    await expect(addUpEdges({ u, v: u, attributes: {} }, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'ERR_CANCELLED',
    });
  });
});

describe('mergeEdges', () => {
  test('equals its slow twin', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(run, { maxLength: 6 }),
        fc.option(fc.uniqueArray(id, { maxLength: 8 })),
        async (runs, ids) => {
          const nodes = ids === null ? undefined : BigUint64Array.from(ids).sort();
          const merged = await mergeEdges(runs, names, nodes === undefined ? {} : { nodes });
          expect(rowsOf(merged)).toEqual(mergeSlowly(runs, nodes && new Set(nodes)));
        },
      ),
      { seed: 20265, numRuns: 150 },
    );
  });

  test('adds in the order of the runs', async () => {
    const one = (sum: number): EdgeRun => ({
      u: BigUint64Array.of(1n),
      v: BigUint64Array.of(2n),
      attributes: { a: { sums: Float64Array.of(sum), counts: Float64Array.of(1) } },
    });
    const sumOf = async (...sums: number[]) => (await mergeEdges(sums.map(one), ['a'])).attributes.a.sums[0];
    expect(await sumOf(1e16, 1, -1e16)).toBe(0);
    expect(await sumOf(1e16, -1e16, 1)).toBe(1);
  });

  test('checks memory', async () => {
    const { mergeEdges: native } = loadAddon();
    const one = new BigUint64Array(1);
    const real = new Float64Array(1);
    const sound = { u: one, v: one, sums: [real], counts: [real] };
    const call = (runs: unknown, merged: unknown, attributes = 1) =>
      Promise.resolve()
        .then(() => native({ runs, merged, attributes }))
        .then(String, (error) => `${error.code}: ${error.message}`);
    expect(await call([sound], sound)).toBe('1');
    expect(await call([sound, sound], sound)).toMatch(/^ERR_ARGUMENT: merged.u: expected 2 elements, found 1/);
    expect(await call([{ ...sound, v: new BigUint64Array(2) }], sound)).toMatch(/^ERR_ARGUMENT: v/);
    expect(await call([{ ...sound, sums: [new Float32Array(1)] }], sound)).toMatch(/^ERR_ARGUMENT: sums/);
    expect(await call([{ ...sound, sums: [] }], sound)).toMatch(/^ERR_ARGUMENT: sums: expected 1 entries, found 0/);
    expect(await call([{ ...sound, counts: [undefined] }], sound)).toMatch(/^ERR_ARGUMENT: runs/);
    expect(await call([sound], { ...sound, counts: [new Float64Array(0)] })).toMatch(/^ERR_ARGUMENT: merged.counts/);
    expect(await call([7], sound)).toMatch(/^ERR_ARGUMENT: runs: expected an object/);
    expect(await call('runs', sound)).toMatch(/^ERR_ARGUMENT: runs: expected an array/);
  });

  test('stops when it is cancelled', async () => {
    const u = new BigUint64Array(1000).fill(1n);
    const signal = AbortSignal.abort();
    await expect(mergeEdges([{ u, v: u, attributes: {} }], [], { signal })).rejects.toMatchObject({
      code: 'ERR_CANCELLED',
    });
  });
});

describe('mergeNodes', () => {
  const nodeRuns = fc
    .array(fc.tuple(fc.uniqueArray(id, { maxLength: 20 }), fc.integer({ min: 0, max: 9 })), { maxLength: 5 })
    .map((runs) =>
      runs.map(
        ([ids, seed]): NodeRun => ({
          ids: BigUint64Array.from(ids),
          sizes: BigUint64Array.from(ids, (value) => value ^ 1n),
          positions: Float64Array.from({ length: ids.length * 2 }, (_, index) => ((index * 7 + seed) % 11) - 4.5),
        }),
      ),
    );

  test('equals its slow twin, and names the runs of an id that comes twice', async () => {
    await fc.assert(
      fc.asyncProperty(nodeRuns, fc.option(fc.integer({ min: 0, max: 9 })), async (runs, extent) => {
        const roi = extent === null ? undefined : new Roi([-4, -2], [extent, extent]);
        const merged = await mergeNodes(runs, 2, roi === undefined ? {} : { roi });
        const rows = runs
          .flatMap(({ ids, sizes, positions }, index) =>
            [...ids].map((value, row) => ({
              index,
              value,
              size: sizes[row],
              at: [...positions.subarray(2 * row, 2 * row + 2)],
            })),
          )
          .filter(
            ({ at }) => roi === undefined || at.every((x, axis) => x >= roi.begin.at(axis) && x < roi.end.at(axis)),
          )
          .sort((a, b) => (a.value !== b.value ? (a.value < b.value ? -1 : 1) : a.index - b.index));
        const twice = rows.findIndex(({ value }, row) => row > 0 && rows[row - 1].value === value);
        const unique = twice === -1 ? rows : rows.slice(0, twice);
        expect([...merged.ids]).toEqual(unique.map(({ value }) => value));
        expect([...merged.sizes]).toEqual(unique.map(({ size }) => size));
        expect([...merged.positions]).toEqual(unique.flatMap(({ at }) => at));
        expect(merged.duplicate).toEqual(
          twice === -1
            ? undefined
            : { id: rows[twice].value, firstRun: rows[twice - 1].index, secondRun: rows[twice].index },
        );
      }),
      { seed: 20266, numRuns: 150 },
    );
  });
});
