import type { EvaluationProgress } from '../evaluation/evaluate-volumes.js';
import type { Evaluation, Overlap } from '../evaluation/evaluation.js';
import { alignColumns, firstLine, formatCount, formatDuration } from './format.js';

/** Partners of a label that are shown. */
const SHOWN = 3;

/** What `evaluate` says: scores, then where the largest errors are. */
export function evaluationText(evaluation: Evaluation, ignoreTruthBackground: boolean): string {
  const { roi, voxelSize, units, voxels, segments, truthSegments, background } = evaluation;
  const { voiSplit, voiMerge, adaptedRandError, randPrecision, randRecall } = evaluation;
  const shape = roi.shape.map((extent, axis) => extent / voxelSize[axis]).join(' x ');
  const unit = units.every((one) => one === units[0]) ? (units[0] ?? '') : units.join(', ');
  const of = ignoreTruthBackground ? 'voxels with truth above 0' : 'voxels';
  const lines = [
    firstLine(
      `compared: ${shape} voxels of ${[voxelSize.join(', '), unit].join(' ').trimEnd()} at [${roi.offset.join(', ')}]`,
    ),
    `${formatCount(voxels)} ${of}, ${formatCount(segments)} segments${zeroText(background.segments)}, ` +
      `${formatCount(truthSegments)} of the truth${zeroText(background.truthSegments)}`,
    '',
    ...alignColumns(
      [
        ['VOI split', `${voiSplit.toFixed(4)} bits`, 'segments of the truth in pieces'],
        ['VOI merge', `${voiMerge.toFixed(4)} bits`, 'segments over several of the truth'],
        ['VOI', `${(voiSplit + voiMerge).toFixed(4)} bits`, ''],
        [
          'adapted Rand error',
          `${adaptedRandError.toFixed(4)}     `,
          `precision ${randPrecision.toFixed(4)}, recall ${randRecall.toFixed(4)}`,
        ],
      ],
      [0, 2],
    ),
  ];
  const place = firstLine(`a place to look at${unit === '' ? '' : `, ${unit}`}`);
  const merges = evaluation.worstMerges.map(({ segment, truth, ...one }) => ({ id: segment, overlaps: truth, ...one }));
  const splits = evaluation.worstSplits.map(({ truth, segments: of, ...one }) => ({ id: truth, overlaps: of, ...one }));
  if (merges.length > 0) {
    lines.push('', 'worst merges, by what they add to VOI merge:', ...errorLines('segment', 'truth', place, merges));
  }
  if (splits.length > 0) {
    lines.push('', 'worst splits, by what they add to VOI split:', ...errorLines('truth', 'segment', place, splits));
  }
  return lines.join('\n');
}

const zeroText = (counted: boolean) => (counted ? ' (one is background 0)' : ' (without background)');

interface LabelErrorText {
  readonly id: bigint;
  readonly bits: number;
  readonly voxels: number;
  readonly partners: number;
  readonly overlaps: readonly Overlap[];
}

/** A line for each label with its largest partner, and one for each further partner below it. */
function errorLines(what: string, partner: string, place: string, errors: readonly LabelErrorText[]): string[] {
  const name = (id: bigint) => (id === 0n ? '0 (background)' : String(id));
  const rows = errors.flatMap(({ id, bits, voxels, partners, overlaps }) => {
    const shown = overlaps
      .slice(0, SHOWN)
      .map((one, index) => [
        ...(index === 0 ? [name(id), bits.toFixed(4), formatCount(voxels)] : ['', '', '']),
        name(one.id),
        formatCount(one.voxels),
        `[${one.position.join(', ')}]`,
      ]);
    const more = partners - shown.length;
    return more > 0 ? [...shown, ['', '', '', `and ${formatCount(more)} more`, '', '']] : shown;
  });
  return alignColumns([[what, 'bits', 'voxels', partner, 'voxels', place], ...rows], [5]);
}

/** '12,345,678 of 15,625,000 voxels (79 %), 40 M voxels/s, 3 s left, 4,711 pairs of labels'. */
export function evaluationProgressText({ voxels, expected, pairs }: EvaluationProgress, seconds: number): string {
  const rate = voxels / seconds;
  const left = rate > 0 ? `, ${formatDuration((expected - voxels) / rate)} left` : '';
  const share = `${formatCount(voxels)} of ${formatCount(expected)} voxels (${Math.floor((100 * voxels) / expected)} %)`;
  return `${share}, ${(rate / 1e6).toFixed(1)} M voxels/s${left}, ${formatCount(pairs)} pairs of labels`;
}
