import type { DataType } from './data-type.js';

/** How a chunk's bytes become the bytes of its file; in the order of encoding. */
export type Codec =
  | { readonly name: 'zstd'; readonly level: number; readonly checksum: boolean }
  | { readonly name: 'gzip' | 'zlib'; readonly level: number }
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

/** How an array lies in its folder: everything that the native region engine needs beside the folder itself. */
export interface ArrayFormat {
  readonly zarrFormat: 2 | 3;
  readonly shape: readonly number[];
  readonly chunkShape: readonly number[];
  readonly dataType: DataType;
  /** The axes as they lie in a chunk, slowest first: [0, 1, 2] is C order, [2, 1, 0] is F order. */
  readonly order: readonly number[];
  readonly bigEndian: boolean;
  /** One element in this machine's byte order. */
  readonly fill: Uint8Array;
  /** 'c' where keys begin with it. */
  readonly keyPrefix: 'c' | '';
  readonly keySeparator: '/' | '.';
  readonly codecs: readonly Codec[];
}
