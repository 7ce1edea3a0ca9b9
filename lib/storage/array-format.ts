import type { DataType } from './data-type.js';

/** How a chunk's bytes become the bytes of its file; in the order of encoding. */
export type Codec =
  /** v2 without `checksum` in its metadata is written with one: it is part of the frame, and every decoder verifies it. */
  | { readonly name: 'zstd'; readonly level: number; readonly checksum: boolean }
  | { readonly name: 'gzip' | 'zlib'; readonly level: number }
  /** An LZ4 block behind its decoded size, as numcodecs has it; v2 only. */
  | { readonly name: 'lz4'; readonly acceleration: number }
  | {
      readonly name: 'blosc';
      readonly compressor: BloscCompressor;
      readonly level: number;
      /** 0 none, 1 bytes, 2 bits. */
      readonly shuffle: 0 | 1 | 2;
      readonly typeSize: number;
      /** Bytes; 0 = automatic. */
      readonly blockSize: number;
    }
  | { readonly name: 'crc32c' };

export type BloscCompressor = 'lz4' | 'lz4hc' | 'blosclz' | 'zstd' | 'zlib' | 'snappy';

/**
 * How the voxels of a chunk become bytes: its elements one after the other, or, where it is a shard, its inner chunks
 * behind an index; then the codecs. All lists have an entry an axis of the array, also inside shards: transpositions are
 * resolved into `order`.
 */
export interface ChunkFormat {
  /** Voxels of the chunk. */
  readonly chunkShape: readonly number[];
  /**
   * The axes as they lie in the chunk, slowest first: [0, 1, 2] is C order, [2, 1, 0] is F order. Of a shard: the order of
   * its inner chunks in the index.
   */
  readonly order: readonly number[];
  /** Byte order of elements; of a shard without meaning. */
  readonly bigEndian: boolean;
  /** Left out: the chunk holds its elements. */
  readonly shard?: ShardFormat;
  readonly codecs: readonly Codec[];
}

/** What is in a shard: for each inner chunk an offset and a length of 8 bytes each in the index, and the encoded inner chunks. */
export interface ShardFormat {
  /** Its `chunkShape` divides the shard's; it may be a shard again. */
  readonly inner: ChunkFormat;
  readonly indexLocation: 'start' | 'end';
  readonly indexBigEndian: boolean;
  /** Whether a crc32c follows the index. */
  readonly indexChecksum: boolean;
}

/** How an array lies in its folder: everything that the native region engine needs beside the folder itself. */
export interface ArrayFormat extends ChunkFormat {
  readonly zarrFormat: 2 | 3;
  readonly shape: readonly number[];
  readonly dataType: DataType;
  /** One stored element in this machine's byte order. */
  readonly fill: Uint8Array;
  /** Of v2: no fill value is given. Missing chunks are 0 here, but not to every reader: chunks of zeros are stored. */
  readonly noFill?: true;
  /** 'c' where keys begin with it. */
  readonly keyPrefix: 'c' | '';
  readonly keySeparator: '/' | '.';
}

/** The format of the chunks that hold elements: of the innermost where there are shards. */
export function innermostChunk(format: ChunkFormat): ChunkFormat {
  return format.shard === undefined ? format : innermostChunk(format.shard.inner);
}
