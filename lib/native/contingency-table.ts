import { callNative } from './addon.js';
import { argumentError, checkType } from './checks.js';

/** How often each pair of labels of two arrays meets: columns, ascending by (a, b); 0 counts as a label. */
export interface ContingencyTable {
  readonly a: BigUint64Array;
  readonly b: BigUint64Array;
  /** Voxels, exact below 2^53. */
  readonly counts: Float64Array;
}

/**
 * Counts the pairs of labels of two arrays of one length.
 *
 * @throws ERR_ARGUMENT, ERR_CANCELLED
 */
export async function contingencyTable(
  a: BigUint64Array,
  b: BigUint64Array,
  options: { readonly signal?: AbortSignal } = {},
): Promise<ContingencyTable> {
  checkType('a', a, 'BigUint64Array');
  checkType('b', b, 'BigUint64Array');
  if (a.length !== b.length) throw argumentError('b', `${a.length} elements, as many as a`, b.length);
  return callNative<ContingencyTable>('contingencyTable', { a, b }, options.signal);
}

/** The table of all arrays together: counts of equal pairs are added. */
export function mergeContingencyTables(tables: readonly ContingencyTable[]): ContingencyTable {
  if (tables.length === 0) {
    return { a: new BigUint64Array(), b: new BigUint64Array(), counts: new Float64Array() };
  }
  if (tables.length === 1) return tables[0];
  const middle = tables.length >> 1;
  return mergeTwo(mergeContingencyTables(tables.slice(0, middle)), mergeContingencyTables(tables.slice(middle)));
}

function mergeTwo(x: ContingencyTable, y: ContingencyTable): ContingencyTable {
  const length = x.a.length + y.a.length;
  const a = new BigUint64Array(length);
  const b = new BigUint64Array(length);
  const counts = new Float64Array(length);
  let i = 0;
  let j = 0;
  let rows = 0;
  while (i < x.a.length || j < y.a.length) {
    const order = i === x.a.length ? 1 : j === y.a.length ? -1 : compare(x, i, y, j);
    a[rows] = order <= 0 ? x.a[i] : y.a[j];
    b[rows] = order <= 0 ? x.b[i] : y.b[j];
    counts[rows] = (order <= 0 ? x.counts[i] : 0) + (order >= 0 ? y.counts[j] : 0);
    if (order <= 0) ++i;
    if (order >= 0) ++j;
    ++rows;
  }
  return { a: a.slice(0, rows), b: b.slice(0, rows), counts: counts.slice(0, rows) };
}

function compare(x: ContingencyTable, i: number, y: ContingencyTable, j: number): number {
  if (x.a[i] !== y.a[j]) return x.a[i] < y.a[j] ? -1 : 1;
  if (x.b[i] !== y.b[j]) return x.b[i] < y.b[j] ? -1 : 1;
  return 0;
}
