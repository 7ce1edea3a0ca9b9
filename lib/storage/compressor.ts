import { argumentError } from '../native/checks.js';
import type { BloscCompressor, Codec } from './array-format.js';

/** How chunks are compressed. */
export type Compressor =
  | { readonly name: 'none' }
  /** @default level 1, with the frame's checksum: a flipped bit is an error, not a voxel. In zarr v2 always with it */
  | { readonly name: 'zstd'; readonly level?: number; readonly checksum?: boolean }
  | { readonly name: 'gzip'; readonly level?: number }
  /** Of zarr v2 alone. */
  | { readonly name: 'zlib'; readonly level?: number }
  /** Of zarr v2 alone. @default acceleration 1 */
  | { readonly name: 'lz4'; readonly acceleration?: number }
  | {
      readonly name: 'blosc';
      /** @default 'lz4' */
      readonly compressor?: BloscCompressor;
      /** @default 5 */
      readonly level?: number;
      /** @default 'bytes' */
      readonly shuffle?: 'none' | 'bytes' | 'bits';
    };

/** The codecs that a compressor stands for. */
export function codecsOf(compressor: Compressor, elementBytes: number): readonly Codec[] {
  switch (compressor.name) {
    case 'none':
      return [];
    case 'zstd':
      return [{ name: 'zstd', level: compressor.level ?? 1, checksum: compressor.checksum ?? true }];
    case 'gzip':
    case 'zlib':
      return [{ name: compressor.name, level: compressor.level ?? 1 }];
    case 'lz4':
      return [{ name: 'lz4', acceleration: compressor.acceleration ?? 1 }];
    case 'blosc': {
      const shuffle = ['none', 'bytes', 'bits'].indexOf(compressor.shuffle ?? 'bytes');
      if (shuffle < 0) throw argumentError('compressor.shuffle', 'none, bytes or bits', compressor.shuffle);
      const rest = {
        level: compressor.level ?? 5,
        shuffle: shuffle as 0 | 1 | 2,
        typeSize: elementBytes,
        blockSize: 0,
      };
      return [{ name: 'blosc', compressor: compressor.compressor ?? 'lz4', ...rest }];
    }
    default: {
      const { name } = compressor as { name: unknown };
      throw argumentError('compressor.name', 'none, zstd, gzip, zlib, lz4 or blosc', name);
    }
  }
}
