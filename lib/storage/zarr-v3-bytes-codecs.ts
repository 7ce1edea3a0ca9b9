import { BlockwrightError } from '../errors.js';
import type { BloscCompressor, Codec } from './array-format.js';
import type { Document } from './document.js';

const COMPRESSORS: readonly BloscCompressor[] = ['lz4', 'lz4hc', 'blosclz', 'zstd', 'zlib', 'snappy'];
const SHUFFLES = ['noshuffle', 'shuffle', 'bitshuffle'] as const;

/**
 * A v3 codec from bytes to bytes.
 *
 * @throws ERR_METADATA, or ERR_UNSUPPORTED naming the codec
 */
export function parseBytesCodec(codec: Document): Codec {
  const configuration = codec.optionalObject('configuration');
  const name = codec.text('name');
  switch (name) {
    case 'zstd':
      return {
        name,
        level: configuration.has('level') ? configuration.integer('level', -131072, 22) : 0,
        checksum: configuration.has('checksum') && configuration.flag('checksum'),
      };
    case 'gzip':
      return { name, level: configuration.integer('level', 0, 9) };
    case 'crc32c':
      return { name };
    case 'blosc': {
      const shuffle = SHUFFLES.indexOf(configuration.oneOf('shuffle', SHUFFLES)) as 0 | 1 | 2;
      return {
        name,
        compressor: configuration.oneOf('cname', COMPRESSORS),
        level: configuration.integer('clevel', 0, 9),
        shuffle,
        // Only needed for shuffling.
        typeSize: shuffle === 0 && !configuration.has('typesize') ? 1 : configuration.integer('typesize', 1, 255),
        blockSize: configuration.has('blocksize') ? configuration.integer('blocksize', 0, 2 ** 31 - 1) : 0,
      };
    }
    default:
      return codec.unsupported('name', 'the codec transpose, bytes, sharding_indexed, zstd, gzip, blosc or crc32c');
  }
}

/** The metadata of a codec. */
export function formatBytesCodec(codec: Codec): Record<string, unknown> {
  switch (codec.name) {
    case 'zstd':
      return { name: 'zstd', configuration: { level: codec.level, checksum: codec.checksum } };
    case 'blosc':
      return {
        name: 'blosc',
        configuration: {
          typesize: codec.typeSize,
          cname: codec.compressor,
          clevel: codec.level,
          shuffle: SHUFFLES[codec.shuffle],
          blocksize: codec.blockSize,
        },
      };
    case 'crc32c':
      return { name: 'crc32c' };
    case 'gzip':
      return { name: 'gzip', configuration: { level: codec.level } };
    default:
      throw new BlockwrightError('ERR_ARGUMENT', `compressor: expected a codec of zarr v3, found ${codec.name}`);
  }
}
