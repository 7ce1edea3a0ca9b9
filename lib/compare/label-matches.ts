import type { ContingencyTable } from '../native/contingency-table.js';

/** Two labels that meet though the partitions are the same elsewhere. */
export interface BrokenPair {
  readonly a: bigint;
  readonly b: bigint;
  /** Elements with both. */
  readonly count: number;
  /** Index of one of them, in the middle of a long run where there is one. */
  readonly place: number;
  /** The label of the other side that `a` matches, and in how many elements. */
  readonly matchOfA: { readonly label: bigint; readonly count: number };
  readonly matchOfB: { readonly label: bigint; readonly count: number };
}

export interface LabelMatches {
  /** Labels of each side, without background 0. */
  readonly labelsA: number;
  readonly labelsB: number;
  /** Elements whose pair of labels is not the pair that both labels have most. */
  readonly different: number;
  /** Labels of A that meet several labels of B, and the reverse; background counts as a label. */
  readonly split: number;
  readonly merged: number;
  /** Elements that are background on one side alone. */
  readonly background: number;
  readonly brokenPairs: number;
  /** Those with most elements, most first. */
  readonly worst: readonly BrokenPair[];
}

/**
 * Whether labels of two sides belong together one to one, background 0 with background 0: then `different` is 0. Otherwise a
 * label is matched with the one it meets most (the lower one of several), and pairs that are not matched both ways are
 * broken. Peak memory beside the table: 24 bytes a row.
 */
export function matchLabels(table: ContingencyTable, limit: number): LabelMatches {
  const { a, b, counts, places } = table;
  const { bestOfA, bestOfB, isMatched } = bestOfBoth(table);
  let [different, background] = [0, 0];
  const broken: number[] = [];
  for (let row = 0; row < counts.length; row++) {
    if ((a[row] === 0n) !== (b[row] === 0n)) background += counts[row];
    if (isMatched(row)) continue;
    different += counts[row];
    broken.push(row);
  }
  broken.sort((x, y) => counts[y] - counts[x] || x - y);
  const match = (labels: BigUint64Array, row: number) => ({ label: labels[row], count: counts[row] });
  return {
    labelsA: bestOfA.labels,
    labelsB: bestOfB.labels,
    different,
    split: bestOfA.several,
    merged: bestOfB.several,
    background,
    brokenPairs: broken.length,
    worst: broken.slice(0, limit).map((row) => ({
      a: a[row],
      b: b[row],
      count: counts[row],
      place: places[row],
      matchOfA: match(b, bestOfA.rows[row]),
      matchOfB: match(a, bestOfB.rows[row]),
    })),
  };
}

/** Rows of the pairs that are matched both ways, without background, ascending by the label of B. */
export function matchedRows(table: ContingencyTable): Uint32Array {
  const { order, isMatched } = bestOfBoth(table);
  return order.filter((row) => table.a[row] !== 0n && isMatched(row));
}

function bestOfBoth({ a, b, counts }: ContingencyTable) {
  const bestOfA = bestPartners(a, b, identity(counts.length), counts);
  const order = identity(counts.length).sort((x, y) => (b[x] < b[y] ? -1 : b[x] > b[y] ? 1 : x - y));
  const bestOfB = bestPartners(b, a, order, counts);
  const isMatched = (row: number) =>
    (a[row] === 0n) === (b[row] === 0n) && bestOfA.rows[row] === row && bestOfB.rows[row] === row;
  return { bestOfA, bestOfB, order, isMatched };
}

function identity(length: number): Uint32Array {
  return Uint32Array.from({ length }, (_, row) => row);
}

/** For every row the row in which its label meets its best partner; `order` brings rows of a label together. */
function bestPartners(
  labels: BigUint64Array,
  partners: BigUint64Array,
  order: Uint32Array,
  counts: Float64Array,
): { readonly rows: Uint32Array; readonly labels: number; readonly several: number } {
  const rows = new Uint32Array(order.length);
  // background has no partner but background
  const weight = (row: number) => ((labels[row] === 0n) === (partners[row] === 0n) ? counts[row] : 0);
  let [distinct, several] = [0, 0];
  for (let begin = 0, end = 0; begin < order.length; begin = end) {
    const label = labels[order[begin]];
    let best = order[begin];
    for (end = begin; end < order.length && labels[order[end]] === label; end++) {
      if (weight(order[end]) > weight(best)) best = order[end];
    }
    for (let at = begin; at < end; at++) rows[order[at]] = best;
    if (label !== 0n) distinct++;
    if (end - begin > 1) several++;
  }
  return { rows, labels: distinct, several };
}
