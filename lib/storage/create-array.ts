import { join } from 'node:path';
import { BlockwrightError } from '../errors.js';
import { argumentError } from '../native/checks.js';
import { arrayEntries, createFolder, exists, readDocument, removeArray, replaceFile } from './array-folder.js';
import type { ArrayFormat, ChunkFormat, Codec } from './array-format.js';
import { type Compressor, codecsOf } from './compressor.js';
import { factsOf, isDataType } from './data-type.js';
import { Document } from './document.js';
import { parseJson, stringifyJson } from './exact-json.js';
import { type FillValue, parseFillValue } from './fill-value.js';
import type { ArrayMetadata } from './metadata.js';
import { makeParentGroups } from './parent-groups.js';
import { DIMENSION_NAMES_V2, formatWorldAttributes } from './world-attributes.js';
import { formatZarrV2, parseZarrV2 } from './zarr-v2.js';
import { formatZarrV3, parseZarrV3 } from './zarr-v3.js';

export interface CreateOptions {
  /** v2 has no shards; its separator is '/', recorded in its metadata. @default 3 */
  readonly zarrFormat?: 2 | 3;
  /** @default zstd level 1 with a checksum */
  readonly compressor?: Compressor;
  /** Adds a crc32c to every chunk; v3 alone. @default false */
  readonly checksum?: boolean;
  /** Remove an array that is there, its chunks included. @default false */
  readonly overwrite?: boolean;
  /** @default 0 */
  readonly fillValue?: FillValue;
}

function checkMetadata(metadata: ArrayMetadata): void {
  const dimensions = metadata.shape.length;
  const { channelAxes } = metadata;
  const most = Math.max(0, dimensions - 1);
  if (!Number.isInteger(channelAxes) || channelAxes < 0 || channelAxes > most) {
    throw argumentError('channelAxes', `a whole number from 0 to ${most}`, channelAxes);
  }
  const physical = dimensions - channelAxes;
  const counts: [string, number, number][] = [
    ['chunkShape', metadata.chunkShape.length, dimensions],
    ['axisNames', metadata.axisNames.length, dimensions],
    ['offset', metadata.offset.dimensions, physical],
    ['voxelSize', metadata.voxelSize.dimensions, physical],
    ['units', metadata.units.length, physical],
    ['shardShape', metadata.shardShape?.length ?? dimensions, dimensions],
  ];
  for (const [name, found, expected] of counts) {
    if (found !== expected) throw argumentError(name, `${expected} entries`, found);
  }
  if (!metadata.voxelSize.every(0, (a, b) => a > b))
    throw argumentError('voxelSize', 'positive entries', metadata.voxelSize);
  metadata.axisNames.forEach((name, axis) => {
    if (name.endsWith('^') !== axis < channelAxes) {
      throw argumentError(
        'axisNames',
        `names that end in '^' for the ${channelAxes} channel axes and no others`,
        metadata.axisNames,
      );
    }
  });
}

/**
 * The format of a new array.
 *
 * @throws ERR_ARGUMENT, ERR_METADATA
 */
export function newFormat(metadata: ArrayMetadata, options: CreateOptions = {}): ArrayFormat {
  if (!isDataType(metadata.dataType)) throw argumentError('dataType', 'a data type', metadata.dataType);
  const { zarrFormat = 3 } = options;
  if (zarrFormat !== 2 && zarrFormat !== 3) throw argumentError('zarrFormat', '2 or 3', zarrFormat);
  const { storedBytes, kind } = factsOf(metadata.dataType);
  const fill = options.fillValue ?? 0;
  const plain = kind === 'float' && !Number.isFinite(fill) && typeof fill === 'number' ? String(fill) : fill;
  const order = metadata.shape.map((_, axis) => axis);
  const given = options.compressor ?? { name: 'zstd' };
  // The metadata of v2 has no word for frames without checksums that tensorstore and older readers would know.
  const compressor = zarrFormat === 2 && given.name === 'zstd' ? { ...given, checksum: true } : given;
  const compressed = codecsOf(compressor, storedBytes);
  const codecs: readonly Codec[] = options.checksum === true ? [...compressed, { name: 'crc32c' }] : compressed;
  const chunk: ChunkFormat = { chunkShape: [...metadata.chunkShape], order, bigEndian: false, codecs };
  return {
    zarrFormat,
    shape: [...metadata.shape],
    dataType: metadata.dataType,
    fill: parseFillValue(plain, metadata.dataType, 'options.fillValue'),
    keyPrefix: zarrFormat === 3 ? 'c' : '',
    keySeparator: '/',
    ...(metadata.shardShape === undefined ? chunk : shardOf(metadata.shardShape, chunk)),
  };
}

function shardOf(shardShape: readonly number[], inner: ChunkFormat): ChunkFormat {
  const shard = { inner, indexLocation: 'end', indexBigEndian: false, indexChecksum: true } as const;
  return { chunkShape: [...shardShape], order: inner.order, bigEndian: false, shard, codecs: [] };
}

/** Makes room for a new array: refuses what is there, or removes an old array where that is asked for. Never touches a group. */
async function clearPath(path: string, overwrite: boolean): Promise<void> {
  const group =
    (await readDocument(join(path, 'zarr.json')))?.get('node_type') === 'group' ||
    (await exists(join(path, '.zgroup')));
  const entries = await arrayEntries(path);
  if (!group && (overwrite || entries.length === 0)) return removeArray(path);
  const found = group ? 'a zarr group' : `an array or what is left of one (${entries.slice(0, 3).join(', ')})`;
  throw new BlockwrightError('ERR_ARRAY_EXISTS', `${path}: ${found} is there already`, { path, entries });
}

/** The metadata files of a new array; the one that makes the folder an array comes last. */
function filesOf(metadata: ArrayMetadata, format: ArrayFormat): [string, Record<string, unknown>][] {
  const names = metadata.axisNames.map((name) => name.replace(/\^$/, ''));
  const attributes = formatWorldAttributes(metadata);
  if (format.zarrFormat === 3) return [['zarr.json', formatZarrV3(format, names, attributes)]];
  return [
    ['.zattrs', { ...attributes, [DIMENSION_NAMES_V2]: names }],
    ['.zarray', formatZarrV2(format)],
  ];
}

/**
 * Writes the metadata of a new array with little-endian elements in C order. The array stands there wholly or not at all, and
 * is durable when the promise resolves. The folders above it become groups where {@link makeParentGroups} says so.
 */
export async function createArray(path: string, metadata: ArrayMetadata, options: CreateOptions): Promise<ArrayFormat> {
  checkMetadata(metadata);
  const format = newFormat(metadata, options);
  const files = filesOf(metadata, format).map(([name, members]) => {
    const file = join(path, name);
    return { file, text: `${stringifyJson(members, file)}\n` };
  });
  // The same limits as for reading, and the same format as whoever opens the array has.
  const document = Document.of('metadata', parseJson(files[files.length - 1].text, 'metadata'));
  const written = format.zarrFormat === 3 ? parseZarrV3(document).format : parseZarrV2(document);
  await clearPath(path, options.overwrite === true);
  await createFolder(path);
  await makeParentGroups(path, format.zarrFormat);
  for (const { file, text } of files) await replaceFile(file, text);
  return written;
}
