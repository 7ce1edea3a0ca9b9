import type { ChunkFormat, ShardFormat } from './array-format.js';
import { checkChunkSize, checkCodecCount } from './array-limits.js';
import { type DataType, factsOf } from './data-type.js';
import type { Document } from './document.js';
import { formatBytesCodec, parseBytesCodec } from './zarr-v3-bytes-codecs.js';

/** Where a codec chain stands in the metadata, and what it encodes. */
interface Chain {
  readonly document: Document;
  readonly dataType: DataType;
  /** Voxels of the chunk, one entry an axis of the array. */
  readonly chunkShape: readonly number[];
  /** The axes of the array in the order in which they reach the chain, after the transpositions around it. */
  readonly axes: readonly number[];
  /** The member that gives the chunk's shape, for messages. */
  readonly shapeOf: Document;
  readonly shapeKey: string;
}

/**
 * The codec chain of a v3 array: transpositions, then `bytes` or `sharding_indexed`, then compressors and checksums.
 *
 * @throws ERR_METADATA, ERR_LIMIT, or ERR_UNSUPPORTED naming the codec
 */
export function parseChunkFormat(chain: Chain): ChunkFormat {
  const { document, dataType, chunkShape, axes, shapeOf, shapeKey } = chain;
  checkCodecCount(document, 'codecs');
  const list = document.extensions('codecs');
  const names = list.map((codec) => codec.get('name'));
  list.forEach((codec, index) => {
    if (!isBeforeBytes(names[index])) parseBytesCodec(codec);
  });
  const serializers = names.filter((name) => name === 'bytes' || name === 'sharding_indexed').length;
  const at = names.findIndex((name) => name !== 'transpose');
  if (serializers !== 1 || at < 0 || !isBeforeBytes(names[at]) || names.lastIndexOf('transpose') > at) {
    document.fail(
      'codecs',
      "'transpose', then exactly one serializer ('bytes' or 'sharding_indexed'), then the others",
    );
  }
  const order = list.slice(0, at).reduce(transposed, axes);
  const codecs = list.slice(at + 1).map(parseBytesCodec);
  const serializer = list[at].optionalObject('configuration');
  const chunk: ChunkFormat =
    names[at] === 'bytes'
      ? { chunkShape, order, bigEndian: parseEndian(serializer, dataType), codecs }
      : { chunkShape, order, bigEndian: false, shard: parseShard(serializer, chain, order), codecs };
  checkChunkSize(chunk, factsOf(dataType).storedBytes, shapeOf, shapeKey);
  return chunk;
}

function isBeforeBytes(name: unknown): boolean {
  return name === 'transpose' || name === 'bytes' || name === 'sharding_indexed';
}

/** The order of axes after a `transpose` codec. */
function transposed(axes: readonly number[], codec: Document): readonly number[] {
  const configuration = codec.object('configuration');
  const order = configuration.integers('order', 0);
  if (order.length !== axes.length || axes.some((_, axis) => !order.includes(axis))) {
    configuration.fail('order', `each number from 0 to ${axes.length - 1} once`);
  }
  return order.map((axis) => axes[axis]);
}

function parseEndian(configuration: Document, dataType: DataType): boolean {
  const needed = factsOf(dataType).storedBytes > 1;
  return (needed || configuration.has('endian')) && configuration.oneOf('endian', ['little', 'big']) === 'big';
}

function parseShard(configuration: Document, { chunkShape, dataType }: Chain, order: readonly number[]): ShardFormat {
  const written = configuration.integers('chunk_shape', 1);
  if (written.length !== order.length) configuration.fail('chunk_shape', `${order.length} entries, one an axis`);
  const innerShape = chunkShape.map((_, axis) => written[order.indexOf(axis)]);
  if (innerShape.some((extent, axis) => chunkShape[axis] % extent !== 0)) {
    configuration.fail('chunk_shape', `a divisor of the shard's shape [${order.map((axis) => chunkShape[axis])}]`);
  }
  return {
    inner: parseChunkFormat({
      document: configuration,
      dataType,
      chunkShape: innerShape,
      axes: order,
      shapeOf: configuration,
      shapeKey: 'chunk_shape',
    }),
    indexLocation: configuration.has('index_location')
      ? configuration.oneOf('index_location', ['start', 'end'])
      : 'end',
    ...parseIndexCodecs(configuration),
  };
}

/** The index has a fixed size, so that it can be found: its codecs are `bytes` and perhaps `crc32c`. */
function parseIndexCodecs(configuration: Document): Pick<ShardFormat, 'indexBigEndian' | 'indexChecksum'> {
  const list = configuration.extensions('index_codecs');
  const names = list.map((codec) => codec.get('name'));
  if (names[0] !== 'bytes' || names.slice(1).some((name) => name !== 'crc32c') || names.length > 2) {
    configuration.fail('index_codecs', "'bytes' and at most one 'crc32c'");
  }
  return {
    indexBigEndian: parseEndian(list[0].optionalObject('configuration'), 'uint64'),
    indexChecksum: names.length > 1,
  };
}

/** The codec chain in metadata; `axes` as {@link parseChunkFormat} has them. */
export function formatChunkFormat(
  chunk: ChunkFormat,
  dataType: DataType,
  axes: readonly number[] = chunk.chunkShape.map((_, axis) => axis),
): Record<string, unknown>[] {
  const { order, bigEndian, shard, codecs } = chunk;
  const moved = order.map((axis) => axes.indexOf(axis));
  const transpose = { name: 'transpose', configuration: { order: moved } };
  const wide = factsOf(dataType).storedBytes > 1;
  const bytes = { name: 'bytes', ...(wide ? { configuration: { endian: bigEndian ? 'big' : 'little' } } : {}) };
  return [
    ...(moved.every((axis, position) => axis === position) ? [] : [transpose]),
    shard === undefined ? bytes : formatShard(shard, dataType, order),
    ...codecs.map(formatBytesCodec),
  ];
}

function formatShard(shard: ShardFormat, dataType: DataType, order: readonly number[]): Record<string, unknown> {
  const { inner, indexLocation, indexBigEndian, indexChecksum } = shard;
  const index = { name: 'bytes', configuration: { endian: indexBigEndian ? 'big' : 'little' } };
  return {
    name: 'sharding_indexed',
    configuration: {
      chunk_shape: order.map((axis) => inner.chunkShape[axis]),
      codecs: formatChunkFormat(inner, dataType, order),
      index_codecs: indexChecksum ? [index, { name: 'crc32c' }] : [index],
      index_location: indexLocation,
    },
  };
}
