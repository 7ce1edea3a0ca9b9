import type { ContingencyTable } from '../native/contingency-table.js';
import {
  type LabelError,
  type ScoreOptions,
  type SegmentationScores,
  segmentationErrors,
} from '../native/segmentation-scores.js';
import { type CommonGrid, positionOf } from './common-grid.js';

/** Voxels that two labels share. */
export interface Overlap {
  readonly id: bigint;
  readonly voxels: number;
  /** World units of the corner of a voxel that has both labels: a place to look at. */
  readonly position: readonly number[];
}

/** A segment that covers several truth segments. */
export interface WorstMerge {
  readonly segment: bigint;
  /** What it adds to VOI merge. */
  readonly bits: number;
  readonly voxels: number;
  /** How many truth segments it meets. */
  readonly partners: number;
  /** Those that it shares most voxels with, most first. */
  readonly truth: readonly Overlap[];
}

/** A truth segment that several segments cover. */
export interface WorstSplit {
  readonly truth: bigint;
  /** What it adds to VOI split. */
  readonly bits: number;
  readonly voxels: number;
  /** How many segments meet it. */
  readonly partners: number;
  /** Those that it shares most voxels with, most first. */
  readonly segments: readonly Overlap[];
}

/** How a segmentation compares with the truth, and where it goes wrong. */
export interface Evaluation extends SegmentationScores {
  /** Most bits first; background 0 counts as a segment. */
  readonly worstMerges: readonly WorstMerge[];
  readonly worstSplits: readonly WorstSplit[];
  /** Whether background 0 is one of the segments that are counted, and of the truth segments. */
  readonly background: { readonly segments: boolean; readonly truthSegments: boolean };
  /** What was compared, world units. */
  readonly roi: { readonly offset: readonly number[]; readonly shape: readonly number[] };
  readonly voxelSize: readonly number[];
  readonly units: readonly string[];
}

export interface EvaluationOptions extends ScoreOptions {
  /** Merges and splits that are told, at most. @default 10 */
  readonly worst?: number | undefined;
  /** Partners of each that are told, at most. @default 5 */
  readonly partners?: number | undefined;
}

/** What a table of segmentation and truth says, whose places count the voxels of `grid`. */
export async function evaluateTable(
  table: ContingencyTable,
  grid: CommonGrid,
  options: EvaluationOptions = {},
): Promise<Evaluation> {
  const { worst, ...more } = options;
  const { scores, merges, splits } = await segmentationErrors(table, { ...more, labels: worst });
  const overlapsOf = ({ overlaps }: LabelError) =>
    overlaps.map(({ id, voxels, place }) => ({ id, voxels, position: positionOf(grid, place) }));
  return {
    ...scores,
    worstMerges: merges.map((one) => ({ segment: one.id, ...sizesOf(one), truth: overlapsOf(one) })),
    worstSplits: splits.map((one) => ({ truth: one.id, ...sizesOf(one), segments: overlapsOf(one) })),
    background: backgroundOf(table, options.ignoreTruthBackground ?? true),
    roi: grid.roi.toJSON(),
    voxelSize: grid.voxelSize.values,
    units: grid.units,
  };
}

function backgroundOf({ a, b }: ContingencyTable, ignoreTruth: boolean): Evaluation['background'] {
  // rows are in the order of a, and of b where a is the same
  const segments = a[0] === 0n && (!ignoreTruth || b[0] !== 0n || a[1] === 0n);
  return { segments, truthSegments: !ignoreTruth && b.includes(0n) };
}

const sizesOf = ({ bits, voxels, partners }: LabelError) => ({ bits, voxels, partners });

/** As JSON; ids are decimal text, for most readers would round those beyond 2^53. */
export function evaluationJson(evaluation: Evaluation): string {
  return JSON.stringify(evaluation, (_key, one) => (typeof one === 'bigint' ? String(one) : one), 2);
}
