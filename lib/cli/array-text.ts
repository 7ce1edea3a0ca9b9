import type { ArrayInfo } from '../storage/array-info.js';
import { codecText } from '../storage/codec-text.js';
import { alignColumns, firstLine, formatBytes, formatCount, plural, shorten } from './format.js';
import { jsonText } from './json-text.js';

const LONGEST_ATTRIBUTE = 100;
const MOST_ATTRIBUTES = 20;

/** What `info` says of an array, as lines. */
export function arrayLines(array: ArrayInfo): string[] {
  const { shape, chunkShape, shards, channelAxes, units, voxelSize, offset, begin, end } = array;
  const bytesOf = (extents: readonly number[]) =>
    formatBytes(extents.reduce((product, extent) => product * extent, array.bytes / Math.max(1, volume(shape))));
  const file = shards.length === 0 ? 'chunk' : 'shard';
  const names = array.axisNames.map((name) => firstLine(name, 40));
  const isPlaced = channelAxes < shape.length;
  const rows: (readonly [string, string] | undefined)[] = [
    ['shape', shape.length === 0 ? times(shape) : `${times(shape)} (${names.join(', ')})`],
    ['data type', array.dataType + (array.byteOrder === 'big' ? ', big-endian' : '')],
    ['chunks', `${times(chunkShape)}, ${bytesOf(chunkShape)} each`],
    ...shards.map(({ shape: extents, indexLocation, codecs }, depth): [string, string] => {
      const after = codecs.length === 0 ? '' : `, then ${codecText(codecs)}`;
      return [
        depth === 0 ? 'shards' : '',
        `${times(extents)}, ${bytesOf(extents)} each, index at the ${indexLocation}${after}`,
      ];
    }),
    isPlainOrder(array.order) ? undefined : ['order', `axes ${array.order.join(', ')}, slowest first`],
    ['codecs', codecText(array.codecs)],
    ['fill value', String(array.fillValue)],
    ['chunk keys', `${array.chunkKey}, ...`],
    isPlaced ? ['voxel size', withUnits(voxelSize, units)] : undefined,
    isPlaced ? ['offset', withUnits(offset, units)] : undefined,
    isPlaced ? ['world box', `[${begin.join(', ')}] to [${end.join(', ')}]`] : undefined,
    ['on disk', storedText(array, file)],
    ...attributeRows(array.attributes),
  ];
  const lines = alignColumns(
    rows.filter((row) => row !== undefined),
    [0, 1],
  );
  return [`${firstLine(array.path)}: zarr v${array.zarrFormat} array`, ...lines.map((line) => `  ${line}`)];
}

/** '3.2 MiB of 15 MiB, in 60 of 64 chunk files (93.8 %)'. */
export function storedText({ bytes, stored }: Pick<ArrayInfo, 'bytes' | 'stored'>, file: string): string {
  const least = stored.complete ? '' : 'at least ';
  const fill = stored.possible === 0 ? '' : `, ${least}${fillRatio(stored)}`;
  const files = `${least}${formatCount(stored.files)} of ${plural(stored.possible, `${file} file`)}`;
  return `${least}${formatBytes(stored.bytes)} of ${formatBytes(bytes)}, in ${files}${fill}`;
}

/** Chunk files that are there, of those that there can be. */
export function fillRatio({ files, possible }: ArrayInfo['stored']): string {
  const percent = possible === 0 ? 0 : (100 * files) / possible;
  return `${percent === 0 || percent === 100 ? percent : percent < 0.1 ? percent.toPrecision(1) : percent.toFixed(1)} %`;
}

function attributeRows(attributes: Readonly<Record<string, unknown>>): [string, string][] {
  const entries = Object.entries(attributes);
  const rows = entries
    .slice(0, MOST_ATTRIBUTES)
    .map(([name, value]): [string, string] => [
      '',
      `${firstLine(name, 40)}: ${shorten(firstLine(jsonText(value) ?? ''), LONGEST_ATTRIBUTE)}`,
    ]);
  const more = entries.length - rows.length;
  if (more > 0) rows.push(['', `and ${formatCount(more)} more`]);
  if (rows.length > 0) rows[0][0] = 'attributes';
  return rows;
}

export function times(extents: readonly number[]): string {
  return extents.length === 0 ? 'a single value' : extents.join(' x ');
}

/** '8 x 8 x 8 nm', or each number with its unit where they differ. */
function withUnits(values: readonly number[], units: readonly string[]): string {
  const shown = units.map((unit) => firstLine(unit, 40));
  if (new Set(shown).size <= 1) return `${values.join(', ')} ${shown[0] ?? ''}`.trimEnd();
  return values.map((value, axis) => `${value} ${shown[axis]}`.trimEnd()).join(', ');
}

function volume(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

function isPlainOrder(order: readonly number[]): boolean {
  return order.every((axis, position) => axis === position);
}
