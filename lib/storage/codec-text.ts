import type { Codec } from './array-format.js';

const SHUFFLES = ['no shuffle', 'byte shuffle', 'bit shuffle'] as const;

/** The codecs of a chunk for people: 'zstd level 1 with checksum, crc32c'; 'raw' where there are none. */
export function codecText(codecs: readonly Codec[]): string {
  return codecs.length === 0 ? 'raw' : codecs.map(oneCodec).join(', ');
}

function oneCodec(codec: Codec): string {
  switch (codec.name) {
    case 'zstd':
      return `zstd level ${codec.level}${codec.checksum ? ' with checksum' : ''}`;
    case 'blosc':
      return `blosc ${codec.compressor} level ${codec.level}, ${SHUFFLES[codec.shuffle]}`;
    case 'lz4':
      return `lz4 acceleration ${codec.acceleration}`;
    case 'crc32c':
      return 'crc32c';
    default:
      return `${codec.name} level ${codec.level}`;
  }
}
