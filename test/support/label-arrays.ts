/** Labels numbered by their first voxel, from 1; 0 stays. */
export function canonical(labels: ArrayLike<number | bigint>): Uint32Array {
  return canonicalLabels(labels).labels;
}

/** The same, and the number that each label got. */
export function canonicalLabels(labels: ArrayLike<number | bigint>): {
  readonly labels: Uint32Array;
  readonly numbers: ReadonlyMap<number | bigint, number>;
} {
  const numbers = new Map<number | bigint, number>();
  const result = new Uint32Array(labels.length);
  for (let voxel = 0; voxel < labels.length; voxel++) {
    const label = labels[voxel];
    if (Number(label) === 0) continue;
    let number = numbers.get(label);
    if (number === undefined) {
      number = numbers.size + 1;
      numbers.set(label, number);
    }
    result[voxel] = number;
  }
  return { labels: result, numbers };
}

/** Where two arrays differ first, -1 = nowhere: Jest's own comparison takes seconds for large arrays. */
export function firstDifference(found: ArrayLike<number | bigint>, expected: ArrayLike<number | bigint>): number {
  const length = Math.min(found.length, expected.length);
  for (let i = 0; i < length; i++) if (found[i] !== expected[i]) return i;
  return found.length === expected.length ? -1 : length;
}
