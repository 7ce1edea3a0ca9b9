import { contingencyTable } from '../native/contingency-table.js';
import { type FragmentMatch, renameRows, rowsAlone } from './fragment-match.js';
import { type BrokenPair, type LabelMatches, matchLabels } from './label-matches.js';
import { type LutRows, readLutRows } from './lut-rows.js';
import { joinKeys } from './sorted-keys.js';

export interface LutComparison {
  readonly kind: 'luts';
  readonly a: string;
  readonly b: string;
  readonly sense: 'exact' | 'partition';
  /** Whether they are equal in that sense, and unless only what both have was asked for, have the same fragments. */
  readonly equal: boolean;
  readonly rows: readonly [number, number];
  readonly common: number;
  readonly onlyA: FragmentList;
  /** With the ids that B gives them. */
  readonly onlyB: FragmentList;
  /** Fragments of both with another segment in B. */
  readonly different: number;
  readonly first: readonly { readonly fragment: bigint; readonly a: bigint; readonly b: bigint }[];
  /** How segments of both belong together, counted in fragments; of the partition alone. */
  readonly segments?: Omit<LabelMatches, 'worst'> & {
    readonly worst: readonly (Omit<BrokenPair, 'place'> & { readonly fragment: bigint })[];
  };
}

export interface FragmentList {
  readonly count: number;
  readonly first: readonly bigint[];
}

export interface LutOptions {
  /** Only which fragments share a segment counts, not its id. */
  readonly partition?: boolean | undefined;
  /** Only fragments of both count. */
  readonly overlap?: boolean | undefined;
  /** What is listed of each kind, at most. @default 10 */
  readonly limit?: number | undefined;
  /** Which fragment of A each of B is. @default the one of its id */
  readonly match?: FragmentMatch | undefined;
}

/** Compares two LUTs, fragment by fragment. Peak memory: both LUTs, and 64 bytes a row. @throws as {@link readLutRows} */
export async function compareLuts(a: string, b: string, options: LutOptions = {}): Promise<LutComparison> {
  const { partition = false, overlap = false, limit = 10 } = options;
  const [one, other] = await Promise.all([readLutRows(a), readLutRows(b)]);
  const renamed = await renameRows([other.fragments], options.match);
  const joined = joinKeys([one.fragments], renamed.keys);
  const onlyB = rowsAlone(joined.onlyB, renamed);
  const segmentsA = BigUint64Array.from(joined.a, (row) => one.segments[row]);
  const segmentsB = BigUint64Array.from(joined.b, (row) => other.segments[renamed.rows[row]]);
  const list = (rows: Uint32Array, { fragments }: LutRows): FragmentList => ({
    count: rows.length,
    first: Array.from(rows.subarray(0, limit), (row) => fragments[row]),
  });
  const first: { fragment: bigint; a: bigint; b: bigint }[] = [];
  let different = 0;
  for (let row = 0; row < segmentsA.length; row++) {
    if (segmentsA[row] === segmentsB[row]) continue;
    different++;
    if (first.length < limit)
      first.push({ fragment: one.fragments[joined.a[row]], a: segmentsA[row], b: segmentsB[row] });
  }
  let segments: LutComparison['segments'];
  if (partition) {
    const { worst, ...matches } = matchLabels(await contingencyTable(segmentsA, segmentsB), limit);
    segments = {
      ...matches,
      worst: worst.map(({ place, ...pair }) => ({ ...pair, fragment: one.fragments[joined.a[place]] })),
    };
  }
  const same = segments === undefined ? different === 0 : segments.different === 0;
  return {
    kind: 'luts',
    a,
    b,
    sense: partition ? 'partition' : 'exact',
    equal: same && (overlap || (joined.onlyA.length === 0 && onlyB.length === 0)),
    rows: [one.fragments.length, other.fragments.length],
    common: segmentsA.length,
    onlyA: list(joined.onlyA, one),
    onlyB: list(onlyB, other),
    different,
    first,
    ...(segments === undefined ? {} : { segments }),
  };
}
