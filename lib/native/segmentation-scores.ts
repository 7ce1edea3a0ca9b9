import { argumentError } from './checks.js';
import type { ContingencyTable } from './contingency-table.js';

/** How a segmentation compares with the truth. Lower is better for the first three. */
export interface SegmentationScores {
  /** H(segmentation | truth) in bits. */
  readonly voiSplit: number;
  /** H(truth | segmentation) in bits. */
  readonly voiMerge: number;
  /** 1 - 2 * precision * recall / (precision + recall). */
  readonly adaptedRandError: number;
  /** Of the ordered voxel pairs (a voxel with itself included) in one segment, the part in one truth segment. */
  readonly randPrecision: number;
  /** Of the ordered voxel pairs in one truth segment, the part in one segment. */
  readonly randRecall: number;
  readonly segments: number;
  readonly truthSegments: number;
  readonly voxels: number;
}

function addTo(totals: Map<bigint, number>, label: bigint, count: number): void {
  totals.set(label, (totals.get(label) ?? 0) + count);
}

/**
 * Variation of information and adapted Rand error of `table`, where a = segmentation, b = truth. Background 0 of the
 * segmentation counts as one segment.
 *
 * @throws ERR_ARGUMENT when no voxel is left to compare
 */
export function segmentationScores(
  table: ContingencyTable,
  options: {
    /** Leaves voxels out whose truth is 0; otherwise truth 0 counts as one segment. @default true */
    readonly ignoreTruthBackground?: boolean;
  } = {},
): SegmentationScores {
  const ignore = options.ignoreTruthBackground ?? true;
  const joint: number[] = [];
  const segments = new Map<bigint, number>();
  const truth = new Map<bigint, number>();
  for (let row = 0; row < table.counts.length; ++row) {
    if (ignore && table.b[row] === 0n) continue;
    joint.push(table.counts[row]);
    addTo(segments, table.a[row], table.counts[row]);
    addTo(truth, table.b[row], table.counts[row]);
  }
  const voxels = joint.reduce((sum, count) => sum + count, 0);
  if (voxels === 0) throw argumentError('table', ignore ? 'voxels with truth above 0' : 'voxels', 'none');
  const entropy = (counts: Iterable<number>): number => {
    let sum = 0;
    for (const count of counts) sum -= (count / voxels) * Math.log2(count / voxels);
    return sum;
  };
  const squares = (counts: Iterable<number>): number => {
    let sum = 0;
    for (const count of counts) sum += count * count;
    return sum;
  };
  const jointEntropy = entropy(joint);
  const jointSquares = squares(joint);
  const randPrecision = jointSquares / squares(segments.values());
  const randRecall = jointSquares / squares(truth.values());
  return {
    voiSplit: Math.max(0, jointEntropy - entropy(truth.values())),
    voiMerge: Math.max(0, jointEntropy - entropy(segments.values())),
    adaptedRandError: 1 - (2 * randPrecision * randRecall) / (randPrecision + randRecall),
    randPrecision,
    randRecall,
    segments: segments.size,
    truthSegments: truth.size,
    voxels,
  };
}
