import { expect, test } from '@jest/globals';
import { GatheredEdges } from '../../lib/graph/gathered-edges.js';

const block = (first: bigint, ...names: string[]) => ({
  u: BigUint64Array.of(first, first + 1n),
  v: BigUint64Array.of(first + 5n, first + 6n),
  attributes: Object.fromEntries(
    names.map((name) => [name, { sums: Float64Array.of(Number(first), 0.5), counts: Float64Array.of(3, 4) }]),
  ),
});

// of the last two each has memory of its own that may be an earlier one's
test.each([0, 1, 4, 100, 100_000, 100_000])('rows lie behind each other, with room for %d', async (room) => {
  const gathered = await GatheredEdges.make(['near', 'far'], room);
  await gathered.add(block(1n, 'near', 'far'));
  await gathered.add(block(10n, 'far', 'other'));
  await gathered.add(block(20n));
  expect(gathered.rows()).toEqual({
    u: BigUint64Array.of(1n, 2n, 10n, 11n, 20n, 21n),
    v: BigUint64Array.of(6n, 7n, 15n, 16n, 25n, 26n),
    attributes: {
      near: { sums: Float64Array.of(1, 0.5, 0, 0, 0, 0), counts: Float64Array.of(3, 4, 0, 0, 0, 0) },
      far: { sums: Float64Array.of(1, 0.5, 10, 0.5, 0, 0), counts: Float64Array.of(3, 4, 3, 4, 0, 0) },
    },
  });
});

test('no rows are empty columns', async () => {
  expect((await GatheredEdges.make(['near'], 3)).rows().attributes.near.sums).toHaveLength(0);
});
