import { endianness } from 'node:os';
import { argumentError } from '../native/checks.js';
import type { ArrayFormat, Codec } from './array-format.js';
import { checkChunkSize, checkedShapes } from './array-limits.js';
import { type DataType, factsOf, NUMPY_TYPES } from './data-type.js';
import type { Document } from './document.js';
import { formatFillValue, parseFillValue } from './fill-value.js';

const COMPRESSORS = ['blosclz', 'lz4', 'lz4hc', 'snappy', 'zlib', 'zstd'] as const;

/**
 * Reads the .zarray of a v2 array.
 *
 * @throws ERR_METADATA, ERR_UNSUPPORTED, ERR_LIMIT
 */
export function parseZarrV2(document: Document): ArrayFormat {
  document.oneOf('zarr_format', [2]);
  const { dataType, bigEndian } = parseDtype(document);
  const { storedBytes } = factsOf(dataType);
  const { shape, chunkShape } = checkedShapes(document, 'shape', document, 'chunks');
  const filters = document.get('filters');
  if (filters !== undefined && filters !== null && document.list('filters').length > 0) {
    document.unsupported('filters', 'no filters');
  }
  const axes = shape.map((_, axis) => axis);
  const fill = document.get('fill_value') ?? null;
  const format: ArrayFormat = {
    zarrFormat: 2,
    shape,
    chunkShape,
    dataType,
    bigEndian,
    order: document.oneOf('order', ['C', 'F']) === 'C' ? axes : axes.reverse(),
    ...(fill === null
      ? { fill: new Uint8Array(storedBytes), noFill: true }
      : { fill: parseFillValue(fill, dataType, document.file) }),
    keyPrefix: '',
    // One of two characters, so that a key can never lead out of the array's folder.
    keySeparator: document.has('dimension_separator') ? document.oneOf('dimension_separator', ['.', '/']) : '.',
    codecs: parseCompressor(document, storedBytes),
  };
  checkChunkSize(format, storedBytes, document, 'chunks');
  return format;
}

function parseDtype(document: Document): { readonly dataType: DataType; readonly bigEndian: boolean } {
  const dtype = document.get('dtype');
  if (typeof dtype !== 'string') document.unsupported('dtype', 'a plain type, not a structure');
  const order = dtype[0];
  const name = dtype.slice(1);
  if (!Object.hasOwn(NUMPY_TYPES, name) || !'<>|='.includes(order)) {
    document.unsupported('dtype', 'bool, an integer, float16, float32 or float64 with its byte order');
  }
  const dataType = NUMPY_TYPES[name];
  if (order === '|' && factsOf(dataType).storedBytes > 1) document.fail('dtype', 'a byte order, < or >');
  return { dataType, bigEndian: order === '>' || (order === '=' && endianness() === 'BE') };
}

function parseCompressor(document: Document, elementBytes: number): readonly Codec[] {
  if (document.get('compressor') === null || !document.has('compressor')) return [];
  const compressor = document.object('compressor');
  const name = compressor.text('id');
  const level = (fallback: number, low: number, high: number) =>
    compressor.has('level') ? compressor.integer('level', low, high) : fallback;
  switch (name) {
    case 'zstd': {
      const checksum = !compressor.has('checksum') || compressor.flag('checksum');
      return [{ name, level: level(0, -131072, 22), checksum }];
    }
    case 'lz4':
      return [
        { name, acceleration: compressor.has('acceleration') ? compressor.integer('acceleration', 0, 65537) : 1 },
      ];
    case 'gzip':
    case 'zlib': {
      const value = level(1, -1, 9);
      return [{ name, level: value < 0 ? 6 : value }];
    }
    case 'blosc': {
      // -1: by the element's size, as numcodecs has it: bits for one byte, else bytes.
      const shuffle = compressor.has('shuffle') ? compressor.integer('shuffle', -1, 2) : 1;
      return [
        {
          name,
          compressor: compressor.has('cname') ? compressor.oneOf('cname', COMPRESSORS) : 'lz4',
          level: compressor.has('clevel') ? compressor.integer('clevel', 0, 9) : 5,
          shuffle: (shuffle >= 0 ? shuffle : elementBytes === 1 ? 2 : 1) as 0 | 1 | 2,
          typeSize: elementBytes,
          blockSize: compressor.has('blocksize') ? compressor.integer('blocksize', 0, 2 ** 31 - 1) : 0,
        },
      ];
    }
    default:
      return compressor.unsupported('id', 'the compressor zstd, blosc, lz4, gzip or zlib');
  }
}

/** The .zarray of an array in C order. */
export function formatZarrV2(format: ArrayFormat): Record<string, unknown> {
  const { shape, chunkShape, dataType, bigEndian, keySeparator, codecs, shard, fill } = format;
  if (shard !== undefined) throw argumentError('shardShape', 'no shards in zarr v2', chunkShape);
  if (codecs.length > 1)
    throw argumentError(
      'checksum',
      'at most one codec in zarr v2',
      codecs.map(({ name }) => name),
    );
  const code = Object.keys(NUMPY_TYPES).find((name) => NUMPY_TYPES[name] === dataType);
  const byteOrder = factsOf(dataType).storedBytes === 1 ? '|' : bigEndian ? '>' : '<';
  return {
    zarr_format: 2,
    shape,
    chunks: chunkShape,
    dtype: `${byteOrder}${code}`,
    compressor: codecs.length === 0 ? null : formatCompressor(codecs[0]),
    fill_value: formatFillValue(fill, dataType),
    order: 'C',
    filters: null,
    dimension_separator: keySeparator,
  };
}

function formatCompressor(codec: Codec): Record<string, unknown> {
  switch (codec.name) {
    case 'zstd':
      // No word of the checksum: tensorstore and older readers refuse the member, and a frame says itself whether it has one.
      return { id: 'zstd', level: codec.level };
    case 'blosc': {
      const { compressor, level, shuffle, blockSize } = codec;
      return { id: 'blosc', cname: compressor, clevel: level, shuffle, blocksize: blockSize };
    }
    case 'lz4':
      return { id: 'lz4', acceleration: codec.acceleration };
    case 'crc32c':
      throw argumentError('checksum', 'no crc32c in zarr v2', true);
    default:
      return { id: codec.name, level: codec.level };
  }
}
