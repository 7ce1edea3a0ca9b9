import type { ArrayComparison } from '../compare/compare-arrays.js';
import type { GraphComparison, RowsComparison } from '../compare/compare-graphs.js';
import type { LutComparison } from '../compare/compare-luts.js';
import type { Comparison } from '../compare/compare-stores.js';
import type { BrokenPair, LabelMatches } from '../compare/label-matches.js';
import type { PartitionDifferences } from '../compare/partition-differences.js';
import type { ValueDifferences } from '../compare/value-differences.js';
import { alignColumns, firstLine, formatCount, plural } from './format.js';

/** What `compare` says: the verdict first, then what differs and where. */
export function comparisonLines(result: Comparison): string[] {
  const head = [`A  ${firstLine(result.a)}`, `B  ${firstLine(result.b)}`];
  if (result.kind === 'arrays') return [verdict(result, arrayReason(result)), ...head, ...arrayLines(result)];
  if (result.kind === 'luts') return [verdict(result, lutReason(result)), ...head, ...lutLines(result)];
  return [verdict(result, graphReason(result)), ...head, ...graphLines(result)];
}

function verdict({ equal, sense, ...result }: Comparison, reason: string): string {
  const tolerance = 'tolerance' in result ? result.tolerance : 0;
  const how = sense === 'partition' ? ' as a partition' : sense === 'tolerance' ? ` within ${tolerance}` : '';
  return `${equal ? 'equal' : 'different'}${how}: ${reason}`;
}

/** '12 of 262,144 voxels (0.0046 %)'. */
function share(part: number, whole: number, noun: string): string {
  const percent = whole === 0 ? 0 : (100 * part) / whole;
  // 99.98, and 100 only where it is all
  const shown = percent > 99 ? 100 - Number((100 - percent).toPrecision(1)) : Number(percent.toPrecision(2));
  return `${formatCount(part)} of ${plural(whole, noun)} (${Number(shown.toFixed(9))} %)`;
}

const box = (values: readonly number[]) => `[${values.join(', ')}]`;

function arrayReason({ compared, values, partition }: ArrayComparison): string {
  const { voxels } = compared;
  const { different } = (values ?? partition)!;
  const missing = compared.outside.some((count) => count > 0);
  if (different === 0 && !missing) return plural(voxels, 'voxel');
  const differ = `${different === 0 ? `none of ${plural(voxels, 'voxel')}` : share(different, voxels, 'voxel')} differ`;
  const [a, b] = compared.outside;
  return missing ? `${differ}; voxels that one alone has: A ${formatCount(a)}, B ${formatCount(b)}` : differ;
}

/** Ids of labels are arbitrary: who compares them as values may have meant the partition. */
function labelHint({ sense, dataTypes, values }: ArrayComparison): string[] {
  const isLabels = dataTypes.every((type) => /^u?int(32|64)$/.test(type));
  return sense === 'exact' && isLabels && (values?.different ?? 0) > 0
    ? ['labels whose ids are arbitrary are compared by --partition']
    : [];
}

function arrayLines(result: ArrayComparison): string[] {
  const { metadata, compared, values, partition } = result;
  const { roi, byIndex } = compared;
  const rows = metadata.map(({ what, a, b }) => [`  ${what}`, firstLine(a, 80), firstLine(b, 80)]);
  return [
    ...(rows.length === 0
      ? []
      : ['not alike (which does not count):', ...alignColumns([['', 'A', 'B'], ...rows], [0, 1, 2])]),
    byIndex === undefined
      ? `compared in the world ${box(roi.begin.values)} to ${box(roi.end.values)}`
      : `compared by index, the first voxel with the first: ${byIndex}`,
    ...(values === undefined ? [] : valueLines(values)),
    ...labelHint(result),
    ...(partition === undefined ? [] : partitionLines(partition)),
  ];
}

function valueLines(found: ValueDifferences): string[] {
  if (found.unequal === 0) return [];
  const place = ({ index, world }: { readonly index: readonly number[]; readonly world: readonly number[] }) => [
    `  voxel ${box(index)}`,
    `world ${box(world)}`,
  ];
  const lines: string[] = [];
  if (found.unequal > found.different)
    lines.push(`within the tolerance: ${share(found.unequal - found.different, found.voxels, 'voxel')}`);
  if (found.notNumbers > 0) lines.push(`NaN on one side alone: ${share(found.notNumbers, found.voxels, 'voxel')}`);
  if (found.largest !== undefined) {
    const { difference, a, b } = found.largest;
    lines.push(`largest difference ${difference}: ${place(found.largest).join(', ').trimStart()}, A ${a}, B ${b}`);
  }
  if (found.box === undefined) return lines;
  lines.push(`all of them in voxels ${box(found.box.begin)} to ${box(found.box.end)}`);
  const first = found.first.map((one) => [...place(one), `A ${one.a}`, `B ${one.b}`]);
  if (first.length > 0) lines.push('first of them:', ...alignColumns(first, [0, 1, 2, 3]));
  if (found.worstBlocks.length > 0) {
    lines.push(
      `in ${formatCount(found.differentBlocks)} of ${plural(found.blocks, 'block')} of ${found.blockShape.join(' x ')} voxels, most of them in`,
      ...alignColumns(
        found.worstBlocks.map(({ begin, end, different }) => [
          `  voxels ${box(begin)} to ${box(end)}`,
          formatCount(different),
        ]),
      ),
    );
  }
  return lines;
}

function matchLines(found: Omit<LabelMatches, 'worst'>, labels: string, counted: string): string[] {
  const lines = [`${labels}: A ${formatCount(found.labelsA)}, B ${formatCount(found.labelsB)}`];
  if (found.different === 0) return lines;
  lines.push(
    `${plural(found.split, 'label')} of A ${found.split === 1 ? 'meets' : 'meet'} several of B, ${formatCount(found.merged)} of B several of A (background 0 counts as one)`,
  );
  if (found.background > 0) lines.push(`background on one side alone: ${plural(found.background, counted)}`);
  return lines;
}

/** 'A 5 with B 7', '12 voxels', 'A 5 matches B 9 (100)'. */
function pairCells({ a, b, count, matchOfA, matchOfB }: Omit<BrokenPair, 'place'>, counted: string): string[] {
  const other = [
    matchOfA.label === b ? '' : `A ${a} matches B ${matchOfA.label} (${formatCount(matchOfA.count)})`,
    matchOfB.label === a ? '' : `B ${b} matches A ${matchOfB.label} (${formatCount(matchOfB.count)})`,
  ].filter((text) => text !== '');
  return [`  A ${a} with B ${b}`, plural(count, counted), other.join(', ')];
}

function partitionLines(found: PartitionDifferences): string[] {
  const rows = found.worst.map((pair) => {
    const [labels, count, other] = pairCells(pair, 'voxel');
    return [labels, count, `at voxel ${box(pair.index)}, world ${box(pair.world)}`, other];
  });
  return [
    ...matchLines(found, 'labels', 'voxel'),
    ...(rows.length === 0
      ? []
      : [
          `${plural(found.brokenPairs, 'pair')} of labels break the match, most of them:`,
          ...alignColumns(rows, [0, 2, 3]),
        ]),
  ];
}

function lutReason({ different, segments, common, onlyA, onlyB }: LutComparison): string {
  const count = segments?.different ?? different;
  const text = count === 0 ? plural(common, 'fragment') : `${share(count, common, 'fragment')} differ`;
  return onlyA.count + onlyB.count === 0
    ? text
    : `${text}; fragments that one alone has: A ${formatCount(onlyA.count)}, B ${formatCount(onlyB.count)}`;
}

function lutLines({ rows, onlyA, onlyB, sense, first, segments }: LutComparison): string[] {
  const lines = [`rows: A ${formatCount(rows[0])}, B ${formatCount(rows[1])}`];
  if (onlyA.count > 0) lines.push(`in A alone: ${listed(onlyA.first.map(String), onlyA.count)}`);
  if (onlyB.count > 0) lines.push(`in B alone: ${listed(onlyB.first.map(String), onlyB.count)}`);
  if (segments !== undefined) {
    lines.push(...matchLines(segments, 'segments', 'fragment'));
    const pairs = segments.worst.map((pair) => {
      const [labels, count, other] = pairCells(pair, 'fragment');
      return [labels, count, `at fragment ${pair.fragment}`, other];
    });
    if (pairs.length > 0)
      lines.push(
        `${plural(segments.brokenPairs, 'pair')} of segments break the match, most of them:`,
        ...alignColumns(pairs, [0, 2, 3]),
      );
  }
  if (sense === 'exact' && first.length > 0) {
    const cells = first.map(({ fragment, a, b }) => [`  fragment ${fragment}`, `A ${a}`, `B ${b}`]);
    lines.push('first of them:', ...alignColumns(cells, [0, 1, 2]));
  }
  return lines;
}

function listed(texts: readonly string[], count: number): string {
  return `${texts.join(', ')}${count > texts.length ? `, ... (${formatCount(count)})` : ''}`;
}

function graphReason({ nodes, edges }: GraphComparison): string {
  return [tableReason(nodes, 'node'), tableReason(edges, 'edge')].join('; ');
}

function tableReason({ common, onlyA, onlyB, attributes }: RowsComparison, noun: string): string {
  const differ = attributes.filter(({ different }) => different > 0).map(({ name }) => name);
  const alone =
    onlyA.count + onlyB.count === 0
      ? ''
      : `, ${formatCount(onlyA.count)} in A alone, ${formatCount(onlyB.count)} in B alone`;
  return `${plural(common, noun)}${alone === '' ? '' : ' of both'}${alone}${differ.length === 0 ? '' : `, not alike in ${differ.join(', ')}`}`;
}

function graphLines({ formats, nodes, edges }: GraphComparison): string[] {
  const written = formats[0] === formats[1] ? [] : [`written by: A ${formats[0]}, B ${formats[1]}`];
  return [...written, ...tableLines(nodes, 'nodes'), ...tableLines(edges, 'edges')];
}

function tableLines(
  { onlyA, onlyB, attributes, attributesOnlyA, attributesOnlyB }: RowsComparison,
  name: string,
): string[] {
  const ids = (rows: readonly (readonly bigint[])[]) => rows.map((row) => row.join('-'));
  const lines: string[] = [];
  if (onlyA.count > 0) lines.push(`${name} in A alone: ${listed(ids(onlyA.first), onlyA.count)}`);
  if (onlyB.count > 0) lines.push(`${name} in B alone: ${listed(ids(onlyB.first), onlyB.count)}`);
  if (attributesOnlyA.length > 0)
    lines.push(`attributes of ${name} that A alone has (which does not count): ${attributesOnlyA.join(', ')}`);
  if (attributesOnlyB.length > 0)
    lines.push(`attributes of ${name} that B alone has (which does not count): ${attributesOnlyB.join(', ')}`);
  for (const { name: attribute, unequal, different, missing, largest, first } of attributes) {
    if (unequal === 0) continue;
    const within = unequal > different ? `, ${formatCount(unequal - different)} more within the tolerance` : '';
    const none = missing > 0 ? `, ${formatCount(missing)} of them without a value on one side` : '';
    lines.push(`${firstLine(attribute, 80)} of ${name}: ${formatCount(different)} differ${none}${within}`);
    if (largest !== undefined) {
      lines.push(
        `  largest difference ${largest.difference}: ${largest.row.join('-')}, A ${largest.a}, B ${largest.b}`,
      );
    }
    lines.push(
      ...alignColumns(
        first.map(({ row, a, b }) => [
          `  ${row.join('-')}`,
          `A ${firstLine(String(a), 80)}`,
          `B ${firstLine(String(b), 80)}`,
        ]),
        [0, 1, 2],
      ),
    );
  }
  return lines;
}
