import type { Codec } from './array-format.js';
import type { ChunkedArray } from './chunked-array.js';
import { factsOf } from './data-type.js';
import { formatFillValue } from './fill-value.js';
import { fileGrid, storedSize } from './stored-files.js';

/** What there is to tell of an array, as plain data for `info`. Lists of world units have an entry a physical axis. */
export interface ArrayInfo {
  readonly kind: 'array';
  readonly path: string;
  readonly zarrFormat: 2 | 3;
  readonly shape: readonly number[];
  readonly dataType: string;
  readonly byteOrder: 'little' | 'big';
  /** Of an inner chunk where there are shards. */
  readonly chunkShape: readonly number[];
  readonly shardShape?: readonly number[];
  /** The axes as they lie in a chunk, slowest first. */
  readonly order: readonly number[];
  readonly codecs: readonly Codec[];
  /** As zarr's metadata has it: NaN is text. */
  readonly fillValue: unknown;
  /** Of the first chunk. */
  readonly chunkKey: string;
  readonly channelAxes: number;
  readonly axisNames: readonly string[];
  readonly offset: readonly number[];
  readonly voxelSize: readonly number[];
  readonly units: readonly string[];
  /** World units, half-open. */
  readonly begin: readonly number[];
  readonly end: readonly number[];
  readonly attributes: Readonly<Record<string, unknown>>;
  /** Bytes of all voxels, uncompressed. */
  readonly bytes: number;
  readonly stored: {
    /** Chunk files (shards, where there are some) that are there, and how many there can be. */
    readonly files: number;
    readonly possible: number;
    readonly bytes: number;
    /** False: counting stopped at the limit, and there are more. */
    readonly complete: boolean;
  };
}

/**
 * Looks at an array: its metadata, and how much of it is on the disk.
 *
 * @param options.limit chunk files after which counting stops @default 100 000
 * @throws ERR_IO
 */
export async function arrayInfo(array: ChunkedArray, options: { readonly limit?: number } = {}): Promise<ArrayInfo> {
  const { metadata, format, roi } = array;
  const { offset, voxelSize, shardShape } = metadata;
  const size = await storedSize(array, { limit: options.limit ?? 100_000 });
  const product = (values: readonly number[], first = 1) => values.reduce((a, b) => a * b, first);
  return {
    kind: 'array',
    path: array.path,
    zarrFormat: format.zarrFormat,
    shape: metadata.shape,
    dataType: metadata.dataType,
    byteOrder: format.bigEndian ? 'big' : 'little',
    chunkShape: metadata.chunkShape,
    ...(shardShape === undefined ? {} : { shardShape }),
    order: format.order,
    codecs: format.codecs,
    fillValue: formatFillValue(format.fill, metadata.dataType),
    chunkKey: [format.keyPrefix, ...metadata.shape.map(() => 0)]
      .filter((part) => part !== '')
      .join(format.keySeparator),
    channelAxes: metadata.channelAxes,
    axisNames: metadata.axisNames,
    offset: offset.values,
    voxelSize: voxelSize.values,
    units: metadata.units,
    begin: roi.begin.values,
    end: roi.end.values,
    attributes: metadata.attributes,
    bytes: product(metadata.shape, factsOf(metadata.dataType).bytes),
    stored: { ...size, possible: product(fileGrid(array)) },
  };
}
