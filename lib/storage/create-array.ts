import { join } from 'node:path';
import { BlockwrightError } from '../errors.js';
import { argumentError } from '../native/checks.js';
import { arrayEntries, createFolder, exists, readDocument, removeArray, replaceFile } from './array-folder.js';
import type { ArrayFormat, BloscCompressor, Codec } from './array-format.js';
import { factsOf, isDataType } from './data-type.js';
import { Document } from './document.js';
import { stringifyJson } from './exact-json.js';
import { type FillValue, parseFillValue } from './fill-value.js';
import type { ArrayMetadata } from './metadata.js';
import { formatWorldAttributes } from './world-attributes.js';
import { formatZarrV3, parseZarrV3 } from './zarr-v3.js';

/** How chunks are compressed. */
export type Compressor =
  | { readonly name: 'none' }
  /** @default level 1, with the frame's checksum: a flipped bit is an error, not a voxel */
  | { readonly name: 'zstd'; readonly level?: number; readonly checksum?: boolean }
  | { readonly name: 'gzip'; readonly level?: number }
  | {
      readonly name: 'blosc';
      readonly compressor?: BloscCompressor;
      readonly level?: number;
      readonly shuffle?: 'none' | 'bytes' | 'bits';
    };

export interface CreateOptions {
  /** @default zstd level 1 with a checksum */
  readonly compressor?: Compressor;
  /** Adds a crc32c to every chunk. @default false */
  readonly checksum?: boolean;
  /** Remove an array that is there, its chunks included. @default false */
  readonly overwrite?: boolean;
  /** @default 0 */
  readonly fillValue?: FillValue;
}

function codecsOf(options: CreateOptions, elementBytes: number): Codec[] {
  const checksum: Codec[] = options.checksum === true ? [{ name: 'crc32c' }] : [];
  const compressor = options.compressor ?? { name: 'zstd' };
  switch (compressor.name) {
    case 'none':
      return checksum;
    case 'zstd':
      return [{ name: 'zstd', level: compressor.level ?? 1, checksum: compressor.checksum ?? true }, ...checksum];
    case 'gzip':
      return [{ name: 'gzip', level: compressor.level ?? 1 }, ...checksum];
    case 'blosc': {
      const shuffle = ['none', 'bytes', 'bits'].indexOf(compressor.shuffle ?? 'bytes') as 0 | 1 | 2;
      const rest = { level: compressor.level ?? 5, shuffle, typeSize: elementBytes, blockSize: 0 };
      return [{ name: 'blosc', compressor: compressor.compressor ?? 'lz4', ...rest }, ...checksum];
    }
    default:
      throw argumentError('compressor.name', 'none, zstd, gzip or blosc', (compressor as { name: unknown }).name);
  }
}

function checkMetadata(metadata: ArrayMetadata): void {
  const dimensions = metadata.shape.length;
  const { channelAxes } = metadata;
  if (!Number.isInteger(channelAxes) || channelAxes < 0 || channelAxes >= dimensions) {
    throw argumentError('channelAxes', `a whole number from 0 to ${dimensions - 1}`, channelAxes);
  }
  const physical = dimensions - channelAxes;
  const counts: [string, number, number][] = [
    ['chunkShape', metadata.chunkShape.length, dimensions],
    ['axisNames', metadata.axisNames.length, dimensions],
    ['offset', metadata.offset.dimensions, physical],
    ['voxelSize', metadata.voxelSize.dimensions, physical],
    ['units', metadata.units.length, physical],
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

function formatOf(metadata: ArrayMetadata, options: CreateOptions): ArrayFormat {
  if (!isDataType(metadata.dataType)) throw argumentError('dataType', 'a data type', metadata.dataType);
  const { bytes, kind } = factsOf(metadata.dataType);
  const fill = options.fillValue ?? 0;
  const plain = kind === 'float' && !Number.isFinite(fill) && typeof fill === 'number' ? String(fill) : fill;
  return {
    zarrFormat: 3,
    shape: [...metadata.shape],
    chunkShape: [...metadata.chunkShape],
    dataType: metadata.dataType,
    order: metadata.shape.map((_, axis) => axis),
    bigEndian: false,
    fill: parseFillValue(plain, metadata.dataType, 'options.fillValue'),
    keyPrefix: 'c',
    keySeparator: '/',
    codecs: codecsOf(options, bytes),
  };
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

/**
 * Writes the zarr.json of a new v3 array with little-endian elements. It stands there wholly or not at all, and is durable when
 * the promise resolves.
 */
export async function createArray(path: string, metadata: ArrayMetadata, options: CreateOptions): Promise<ArrayFormat> {
  checkMetadata(metadata);
  const format = formatOf(metadata, options);
  const names = metadata.axisNames.map((name) => name.replace(/\^$/, ''));
  const members = formatZarrV3(format, names, formatWorldAttributes(metadata));
  const file = join(path, 'zarr.json');
  const text = `${stringifyJson(members, file)}\n`;
  parseZarrV3(Document.of('metadata', members as never)); // the same limits as for reading
  await clearPath(path, options.overwrite === true);
  await createFolder(path);
  await replaceFile(file, text);
  return format;
}
