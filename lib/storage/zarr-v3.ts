import type { ArrayFormat } from './array-format.js';
import { checkedShapes } from './array-limits.js';
import { isDataType } from './data-type.js';
import type { Document } from './document.js';
import { formatFillValue, parseFillValue } from './fill-value.js';
import { formatChunkFormat, parseChunkFormat } from './zarr-v3-codecs.js';

const KNOWN_KEYS: ReadonlySet<string> = new Set([
  'zarr_format',
  'node_type',
  'shape',
  'data_type',
  'chunk_grid',
  'chunk_key_encoding',
  'fill_value',
  'codecs',
  'attributes',
  'dimension_names',
  'storage_transformers',
]);

export interface ParsedV3 {
  readonly format: ArrayFormat;
  readonly attributes: Document;
  /** One entry an axis, null where an axis has no name; undefined when there are none. */
  readonly dimensionNames: readonly (string | null)[] | undefined;
}

/**
 * Reads the zarr.json of an array.
 *
 * @throws ERR_METADATA, ERR_UNSUPPORTED, ERR_LIMIT
 */
export function parseZarrV3(document: Document): ParsedV3 {
  document.oneOf('zarr_format', [3]);
  document.oneOf('node_type', ['array']);
  checkExtensions(document);
  const given = document.get('data_type');
  const isObject = typeof given === 'object' && given !== null && !Array.isArray(given);
  const dataType = isObject ? document.object('data_type').get('name') : given;
  if (!isDataType(dataType)) document.unsupported('data_type', 'bool, an integer, float16, float32 or float64');
  const grid = document.extension('chunk_grid');
  if (grid.text('name') !== 'regular') grid.unsupported('name', "a 'regular' grid");
  const gridShapes = grid.object('configuration');
  const { shape, chunkShape } = checkedShapes(document, 'shape', gridShapes, 'chunk_shape');
  const axes = shape.map((_, axis) => axis);
  if (!document.has('fill_value')) document.fail('fill_value', `a value of ${dataType}`);
  return {
    format: {
      zarrFormat: 3,
      shape,
      dataType,
      fill: parseFillValue(document.get('fill_value') ?? null, dataType, document.file),
      ...parseChunkKeys(document.extension('chunk_key_encoding')),
      ...parseChunkFormat({ document, dataType, chunkShape, axes, shapeOf: gridShapes, shapeKey: 'chunk_shape' }),
    },
    attributes: document.optionalObject('attributes'),
    dimensionNames: parseDimensionNames(document, shape.length),
  };
}

function checkExtensions(document: Document): void {
  if (document.has('storage_transformers') && document.list('storage_transformers').length > 0) {
    document.unsupported('storage_transformers', 'none');
  }
  for (const key of Object.keys(document.members)) {
    if (KNOWN_KEYS.has(key)) continue;
    const value = document.members[key];
    const ignorable =
      typeof value === 'object' && value !== null && 'must_understand' in value && value.must_understand === false;
    if (!ignorable) document.unsupported(key, 'no member that must be understood');
  }
}

function parseChunkKeys(encoding: Document): Pick<ArrayFormat, 'keyPrefix' | 'keySeparator'> {
  const name = encoding.text('name');
  if (name !== 'default' && name !== 'v2') encoding.unsupported('name', "'default' or 'v2'");
  const configuration = encoding.optionalObject('configuration');
  const fallback = name === 'default' ? '/' : '.';
  return {
    keyPrefix: name === 'default' ? 'c' : '',
    // One of two characters, so that a key can never lead out of the array's folder.
    keySeparator: configuration.has('separator') ? configuration.oneOf('separator', ['/', '.']) : fallback,
  };
}

function parseDimensionNames(document: Document, dimensions: number): (string | null)[] | undefined {
  const value = document.get('dimension_names');
  if (value === undefined || value === null) return undefined;
  const right =
    Array.isArray(value) &&
    value.length === dimensions &&
    value.every((entry) => typeof entry === 'string' || entry === null);
  return right ? (value as (string | null)[]) : document.fail('dimension_names', `${dimensions} names`);
}

/** The zarr.json of an array. */
export function formatZarrV3(
  format: ArrayFormat,
  dimensionNames: readonly string[],
  attributes: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  return {
    zarr_format: 3,
    node_type: 'array',
    shape: format.shape,
    data_type: format.dataType,
    chunk_grid: { name: 'regular', configuration: { chunk_shape: format.chunkShape } },
    chunk_key_encoding: {
      name: format.keyPrefix === 'c' ? 'default' : 'v2',
      configuration: { separator: format.keySeparator },
    },
    fill_value: formatFillValue(format.fill, format.dataType),
    codecs: formatChunkFormat(format, format.dataType),
    dimension_names: dimensionNames,
    attributes,
  };
}
