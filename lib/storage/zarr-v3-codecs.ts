import type { BloscCompressor, Codec } from './array-format.js';
import { type DataType, factsOf } from './data-type.js';
import type { Document } from './document.js';

const COMPRESSORS: readonly BloscCompressor[] = ['lz4', 'lz4hc', 'blosclz', 'zstd', 'zlib', 'snappy'];
const SHUFFLES = ['noshuffle', 'shuffle', 'bitshuffle'] as const;

function parseBytesCodec(codec: Document): Codec {
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
      return codec.unsupported('name', 'the codec bytes, zstd, gzip, blosc or crc32c');
  }
}

/**
 * The codec chain of a v3 array: `bytes`, then compressors and checksums.
 *
 * @throws ERR_METADATA, or ERR_UNSUPPORTED naming the codec
 */
export function parseCodecs(
  document: Document,
  dataType: DataType,
): { readonly bigEndian: boolean; readonly codecs: readonly Codec[] } {
  const list = document.objects('codecs');
  const serializers = list.filter((codec) => codec.get('name') === 'bytes').length;
  for (const codec of list) {
    if (codec.get('name') !== 'bytes') parseBytesCodec(codec);
  }
  const [bytes, ...rest] = list;
  if (serializers !== 1 || bytes.get('name') !== 'bytes') {
    document.fail('codecs', "exactly one serializer, 'bytes', before compressors and checksums");
  }
  const configuration = bytes.optionalObject('configuration');
  const needed = factsOf(dataType).bytes > 1;
  const endian = needed || configuration.has('endian') ? configuration.oneOf('endian', ['little', 'big']) : 'little';
  return { bigEndian: endian === 'big', codecs: rest.map(parseBytesCodec) };
}

/** The metadata of a codec. */
export function formatCodec(codec: Codec): Record<string, unknown> {
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
    default:
      return { name: codec.name, configuration: { level: codec.level } };
  }
}
