import { callNative } from './addon.js';
import { argumentError, checkType, checkWholeNumber } from './checks.js';
import type { ContingencyTable } from './contingency-table.js';

/** How a segmentation compares with the truth. Lower is better for the first three. */
export interface SegmentationScores {
  /** H(segmentation | truth) in bits. */
  readonly voiSplit: number;
  /** H(truth | segmentation) in bits. */
  readonly voiMerge: number;
  /** 1 - 2 * precision * recall / (precision + recall). */
  readonly adaptedRandError: number;
  /** Of the ordered voxel pairs in one segment, the part in one truth segment; 1 where there is no pair. */
  readonly randPrecision: number;
  /** Of the ordered voxel pairs in one truth segment, the part in one segment; 1 where there is no pair. */
  readonly randRecall: number;
  readonly segments: number;
  readonly truthSegments: number;
  readonly voxels: number;
}

/** A label that meets several labels of the other array: a segment that merges, or a truth segment that is split. */
export interface LabelError {
  readonly id: bigint;
  /** What it adds to VOI merge or VOI split. */
  readonly bits: number;
  /** Those of the label that are compared. */
  readonly voxels: number;
  /** Labels of the other array that it meets. */
  readonly partners: number;
  /** Those of most voxels, most first. */
  readonly overlaps: readonly LabelOverlap[];
}

export interface LabelOverlap {
  /** Of the other array. */
  readonly id: bigint;
  readonly voxels: number;
  /** Index of a voxel with both labels, as in {@link ContingencyTable}. */
  readonly place: number;
}

export interface SegmentationErrors {
  readonly scores: SegmentationScores;
  /** The segments that add most to VOI merge, most first. Background 0 counts as a segment. */
  readonly merges: readonly LabelError[];
  /** The truth segments that add most to VOI split, most first. */
  readonly splits: readonly LabelError[];
}

export interface ScoreOptions {
  /** Leaves voxels out whose truth is 0; otherwise truth 0 counts as one segment. @default true */
  readonly ignoreTruthBackground?: boolean | undefined;
  /** A voxel makes no pair with itself, as in scikit-image; it does in the sums of squares of the literature. @default false */
  readonly distinctPairs?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** As the addon gives them, {@link LabelError}s in columns; the rows of entry i are rows[begins[i] .. begins[i + 1]). */
interface ErrorColumns {
  readonly ids: BigUint64Array;
  readonly bits: Float64Array;
  readonly voxels: Float64Array;
  readonly partners: Float64Array;
  readonly begins: Float64Array;
  readonly rows: Float64Array;
}

interface TableScores {
  readonly voxels: number;
  readonly voiSplit: number;
  readonly voiMerge: number;
  readonly jointSquares: number;
  readonly aSquares: number;
  readonly bSquares: number;
  readonly aLabels: number;
  readonly bLabels: number;
  readonly merges: ErrorColumns;
  readonly splits: ErrorColumns;
}

/**
 * Variation of information and adapted Rand error of `table`, where a = segmentation, b = truth. Background 0 of the
 * segmentation counts as one segment. Peak memory beside the table: 32 bytes a row.
 *
 * @throws ERR_ARGUMENT when no voxel is left to compare, or the table does not ascend; ERR_CANCELLED
 */
export async function segmentationScores(
  table: ContingencyTable,
  options: ScoreOptions = {},
): Promise<SegmentationScores> {
  return (await segmentationErrors(table, { ...options, labels: 0 })).scores;
}

/** The same with the labels that the errors come from. */
export async function segmentationErrors(
  table: ContingencyTable,
  options: ScoreOptions & {
    /** Merges and splits that are told, at most. @default 10 */
    readonly labels?: number | undefined;
    /** Partners of each that are told, at most. @default 5 */
    readonly partners?: number | undefined;
  } = {},
): Promise<SegmentationErrors> {
  const { a, b, counts } = table;
  checkType('table.a', a, 'BigUint64Array');
  checkType('table.b', b, 'BigUint64Array');
  checkType('table.counts', counts, 'Float64Array');
  const { ignoreTruthBackground = true, distinctPairs = false } = options;
  const found = await callNative<TableScores>(
    'tableScores',
    {
      a,
      b,
      counts,
      ignoreBackground: ignoreTruthBackground,
      labels: checkWholeNumber('labels', options.labels ?? 10, 0),
      partners: checkWholeNumber('partners', options.partners ?? 5, 0),
    },
    options.signal,
  );
  const { voxels, voiSplit, voiMerge } = found;
  if (voxels === 0)
    throw argumentError('table', ignoreTruthBackground ? 'voxels with truth above 0' : 'voxels', 'none');
  const pairs = (squares: number) => squares - (distinctPairs ? voxels : 0);
  const [joint, ofSegments, ofTruth] = [found.jointSquares, found.aSquares, found.bSquares].map(pairs);
  const part = (whole: number) => (whole === 0 ? 1 : joint / whole);
  return {
    scores: {
      voiSplit,
      voiMerge,
      adaptedRandError: ofSegments + ofTruth === 0 ? 0 : 1 - (2 * joint) / (ofSegments + ofTruth),
      randPrecision: part(ofSegments),
      randRecall: part(ofTruth),
      segments: found.aLabels,
      truthSegments: found.bLabels,
      voxels,
    },
    merges: labelErrors(found.merges, table, b),
    splits: labelErrors(found.splits, table, a),
  };
}

function labelErrors(columns: ErrorColumns, table: ContingencyTable, partnerIds: BigUint64Array): LabelError[] {
  const { ids, bits, voxels, partners, begins, rows } = columns;
  return Array.from(ids, (id, i) => ({
    id,
    bits: bits[i],
    voxels: voxels[i],
    partners: partners[i],
    overlaps: Array.from(rows.subarray(begins[i], begins[i + 1]), (row) => ({
      id: partnerIds[row],
      voxels: table.counts[row],
      place: table.places[row],
    })),
  }));
}
