import { type ArrayFormat, type ChunkFormat, type Codec, innermostChunk } from './array-format.js';
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
  /** The axes as they lie in a chunk, slowest first. */
  readonly order: readonly number[];
  /** Of a chunk (an inner chunk), in the order of encoding. */
  readonly codecs: readonly Codec[];
  /** Shards, the outermost first: what is one file, and perhaps shards in it. */
  readonly shards: readonly {
    readonly shape: readonly number[];
    readonly indexLocation: 'start' | 'end';
    /** Of the whole shard. */
    readonly codecs: readonly Codec[];
  }[];
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
 * @param options.limit chunk files after which counting stops @default 20 000
 * @throws ERR_IO
 */
export async function arrayInfo(array: ChunkedArray, options: { readonly limit?: number } = {}): Promise<ArrayInfo> {
  const { metadata, format, roi } = array;
  const { offset, voxelSize } = metadata;
  const chunk = innermostChunk(format);
  const size = await storedSize(array, { limit: options.limit ?? 20_000 });
  const product = (values: readonly number[], first = 1) => values.reduce((a, b) => a * b, first);
  return {
    kind: 'array',
    path: array.path,
    zarrFormat: format.zarrFormat,
    shape: metadata.shape,
    dataType: metadata.dataType,
    byteOrder: chunk.bigEndian ? 'big' : 'little',
    chunkShape: metadata.chunkShape,
    order: chunk.order,
    codecs: chunk.codecs,
    shards: shardsOf(format),
    fillValue: formatFillValue(format.fill, metadata.dataType),
    chunkKey: firstKey(format),
    channelAxes: metadata.channelAxes,
    axisNames: metadata.axisNames,
    offset: offset.values,
    voxelSize: voxelSize.values,
    units: metadata.units,
    begin: roi.begin.values,
    end: roi.end.values,
    attributes: metadata.attributes,
    bytes: product(metadata.shape, factsOf(metadata.dataType).storedBytes),
    stored: { ...size, possible: product(fileGrid(array)) },
  };
}

function shardsOf({ chunkShape, codecs, shard }: ChunkFormat): ArrayInfo['shards'] {
  if (shard === undefined) return [];
  return [{ shape: chunkShape, indexLocation: shard.indexLocation, codecs }, ...shardsOf(shard.inner)];
}

function firstKey({ keyPrefix, keySeparator, shape }: ArrayFormat): string {
  const parts = [keyPrefix, ...shape.map(() => '0')].filter((part) => part !== '');
  return parts.length === 0 ? '0' : parts.join(keySeparator);
}
