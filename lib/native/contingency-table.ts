import { callNative } from './addon.js';
import { argumentError, checkType } from './checks.js';
import { firstElements } from './merge-edges.js';

/** How often each pair of labels of two arrays meets, and where: columns, ascending by (a, b); 0 counts as a label. */
export interface ContingencyTable {
  readonly a: BigUint64Array;
  readonly b: BigUint64Array;
  /** Voxels, exact below 2^53. */
  readonly counts: Float64Array;
  /** Index of a voxel with both labels, in C order: the middle of the first of the longest runs of such voxels. */
  readonly places: Float64Array;
  /** Voxels of that run, at most 2^20. */
  readonly runs: Uint32Array;
}

/**
 * Counts the pairs of labels of two arrays of one length. Peak memory beside them: up to 2 bytes a voxel, 32 a distinct
 * label, 160 a pair.
 *
 * @throws ERR_ARGUMENT, ERR_CANCELLED
 */
export async function contingencyTable(
  a: BigUint64Array,
  b: BigUint64Array,
  options: {
    /** Voxels where it is 0 are left out. @default none is */
    readonly mask?: Uint8Array | undefined;
    readonly signal?: AbortSignal | undefined;
  } = {},
): Promise<ContingencyTable> {
  checkType('a', a, 'BigUint64Array');
  checkType('b', b, 'BigUint64Array');
  if (a.length !== b.length) throw argumentError('b', `${a.length} elements, as many as a`, b.length);
  const { mask } = options;
  if (mask !== undefined) {
    checkType('mask', mask, 'Uint8Array');
    if (mask.length !== a.length) throw argumentError('mask', `${a.length} elements, as many as a`, mask.length);
  }
  return callNative<ContingencyTable>('contingencyTable', { a, b, mask }, options.signal);
}

/**
 * The table of all arrays together: counts of equal pairs are added, of their places the one in the longest run stays (the
 * lowest of several). Places must count voxels of one array. Peak memory: 36 bytes a row of two tables.
 *
 * @throws ERR_ARGUMENT when columns of a table differ in length; ERR_CANCELLED
 */
export async function mergeContingencyTables(
  tables: readonly ContingencyTable[],
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<ContingencyTable> {
  if (tables.length === 1) return tables[0];
  if (tables.length === 0) return emptyTable(0);
  const middle = tables.length >> 1;
  const x = await mergeContingencyTables(tables.slice(0, middle), options);
  const y = await mergeContingencyTables(tables.slice(middle), options);
  const merged = emptyTable(x.a.length + y.a.length);
  const rows = await callNative<number>('mergeContingencyTables', { x, y, merged }, options.signal);
  return {
    a: firstElements(merged.a, rows),
    b: firstElements(merged.b, rows),
    counts: firstElements(merged.counts, rows),
    places: firstElements(merged.places, rows),
    runs: firstElements(merged.runs, rows),
  };
}

function emptyTable(rows: number): ContingencyTable {
  return {
    a: new BigUint64Array(rows),
    b: new BigUint64Array(rows),
    counts: new Float64Array(rows),
    places: new Float64Array(rows),
    runs: new Uint32Array(rows),
  };
}
