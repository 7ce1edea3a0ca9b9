import { endianness } from 'node:os';
import type { ArrayFormat, Codec } from './array-format.js';
import { checkedShapes } from './array-limits.js';
import { type DataType, factsOf } from './data-type.js';
import type { Document } from './document.js';
import { parseFillValue } from './fill-value.js';

const COMPRESSORS = ['blosclz', 'lz4', 'lz4hc', 'snappy', 'zlib', 'zstd'] as const;

const DATA_TYPES: Readonly<Record<string, DataType>> = {
  b1: 'bool',
  u1: 'uint8',
  i1: 'int8',
  u2: 'uint16',
  i2: 'int16',
  u4: 'uint32',
  i4: 'int32',
  u8: 'uint64',
  i8: 'int64',
  f4: 'float32',
  f8: 'float64',
};

/**
 * Reads the .zarray of a v2 array.
 *
 * @throws ERR_METADATA, ERR_UNSUPPORTED, ERR_LIMIT
 */
export function parseZarrV2(document: Document): ArrayFormat {
  document.oneOf('zarr_format', [2]);
  const { dataType, bigEndian } = parseDtype(document);
  const { shape, chunkShape } = checkedShapes(document, 'shape', document, 'chunks', factsOf(dataType).bytes);
  const filters = document.get('filters');
  if (filters !== undefined && filters !== null && document.list('filters').length > 0) {
    document.unsupported('filters', 'no filters');
  }
  const axes = shape.map((_, axis) => axis);
  const fill = document.get('fill_value');
  return {
    zarrFormat: 2,
    shape,
    chunkShape,
    dataType,
    bigEndian,
    order: document.oneOf('order', ['C', 'F']) === 'C' ? axes : axes.reverse(),
    fill:
      fill === null || fill === undefined
        ? new Uint8Array(factsOf(dataType).bytes)
        : parseFillValue(fill, dataType, document.file),
    keyPrefix: '',
    // One of two characters, so that a key can never lead out of the array's folder.
    keySeparator: document.has('dimension_separator') ? document.oneOf('dimension_separator', ['.', '/']) : '.',
    codecs: parseCompressor(document, factsOf(dataType).bytes),
  };
}

function parseDtype(document: Document): { readonly dataType: DataType; readonly bigEndian: boolean } {
  const dtype = document.get('dtype');
  if (typeof dtype !== 'string') document.unsupported('dtype', 'a plain type, not a structure');
  const order = dtype[0];
  const name = dtype.slice(1);
  if (!Object.hasOwn(DATA_TYPES, name) || !'<>|='.includes(order)) {
    document.unsupported('dtype', 'bool, an integer, float32 or float64 with its byte order');
  }
  const dataType = DATA_TYPES[name];
  if (order === '|' && factsOf(dataType).bytes > 1) document.fail('dtype', 'a byte order, < or >');
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
      const checksum = compressor.has('checksum') && compressor.flag('checksum');
      return [{ name, level: level(0, -131072, 22), checksum }];
    }
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
      return compressor.unsupported('id', 'the compressor zstd, blosc, gzip or zlib');
  }
}
