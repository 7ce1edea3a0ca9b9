import { relabel } from '../native/relabel.js';
import type { Volume } from '../storage/volume.js';
import type { BlockOptions } from './block-pairs.js';
import { matchedRows } from './label-matches.js';
import { overlapOf } from './overlap.js';
import { labelTable } from './partition-differences.js';

/** Which fragment of A each fragment of B is: a table from B's ids, ascending, to A's. */
export interface FragmentMatch {
  readonly fragments: BigUint64Array;
  readonly segments: BigUint64Array;
}

/**
 * Matches the fragments of two volumes by the voxels that they share: each with the one it shares most with, where that is
 * mutual. Peak memory as for a partition.
 *
 * @throws as {@link overlapOf} and {@link labelTable}
 */
export async function matchFragments(a: Volume, b: Volume, options: BlockOptions = {}): Promise<FragmentMatch> {
  const table = await labelTable(a, b, overlapOf(a, b), options);
  const rows = matchedRows(table);
  return {
    fragments: BigUint64Array.from(rows, (row) => table.b[row]),
    segments: BigUint64Array.from(rows, (row) => table.a[row]),
  };
}

/** Rows with keys of fragments of B, in the words of A. */
export interface RenamedRows {
  /** Ascending; of two columns the lower id is in the first. */
  readonly keys: readonly BigUint64Array[];
  /** The row that each was. */
  readonly rows: Uint32Array;
  /** Rows of which a fragment has no match. */
  readonly unmatched: Uint32Array;
}

/** Translates one or two columns of ids; without a match all rows stay as they are. */
export async function renameRows(keys: readonly BigUint64Array[], match?: FragmentMatch): Promise<RenamedRows> {
  const all = Uint32Array.from(keys[0], (_, row) => row);
  if (match === undefined) return { keys, rows: all, unmatched: new Uint32Array() };
  const renamed = await Promise.all(keys.map((column) => relabel(column, match, { missing: 'background' })));
  const [u, v = u] = renamed;
  for (let row = 0; row < u.length; row++) {
    if (u[row] > v[row]) [u[row], v[row]] = [v[row], u[row]];
  }
  const compare = (x: bigint, y: bigint) => (x < y ? -1 : x > y ? 1 : 0);
  // the lower id is 0 where either has no match
  const rows = all.filter((row) => u[row] !== 0n).sort((x, y) => compare(u[x], u[y]) || compare(v[x], v[y]));
  return {
    keys: renamed.map((column) => BigUint64Array.from(rows, (row) => column[row])),
    rows,
    unmatched: all.filter((row) => u[row] === 0n),
  };
}

/** Rows that A has not, as they were: those found missing among the renamed ones, and those without a match. */
export function rowsAlone(missing: Uint32Array, { rows, unmatched }: RenamedRows): Uint32Array {
  const alone = new Uint32Array(missing.length + unmatched.length);
  alone.set(missing.map((row) => rows[row]));
  alone.set(unmatched, missing.length);
  return alone;
}
