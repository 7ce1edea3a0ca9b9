import { z } from 'zod';
import type { Compressor } from '../storage/compressor.js';
import type { CreateOptions } from '../storage/create-array.js';
import { type DataType, factsOf } from '../storage/data-type.js';
import { type FillValue, parseFillValue } from '../storage/fill-value.js';
import type { ArrayMetadata } from '../storage/metadata.js';
import type { OutputArray, PlanContext } from '../workers/task-definition.js';

const extents = () => z.array(z.int().positive()).min(1).max(6);

const level = (low: number, high: number) => z.int().min(low).max(high).optional();

const compressor = z.discriminatedUnion('name', [
  z.strictObject({ name: z.literal('none') }),
  z.strictObject({
    name: z.literal('zstd'),
    level: level(-131072, 22).describe('Default: 1'),
    checksum: z.boolean().optional().describe('Of the content, in the frame. Default: true'),
  }),
  z.strictObject({ name: z.literal('gzip'), level: level(0, 9).describe('Default: 1') }),
  z.strictObject({ name: z.literal('zlib'), level: level(0, 9).describe('Default: 1') }).describe('zarr v2 only'),
  z
    .strictObject({ name: z.literal('lz4'), acceleration: z.int().min(1).max(65537).optional().describe('Default: 1') })
    .describe('zarr v2 only'),
  z.strictObject({
    name: z.literal('blosc'),
    compressor: z.enum(['lz4', 'lz4hc', 'blosclz', 'zstd', 'zlib']).optional().describe('Default: lz4'),
    level: level(0, 9).describe('Default: 5'),
    shuffle: z.enum(['none', 'bytes', 'bits']).optional().describe('Default: bytes'),
  }),
]);

/** Options of tasks whose users choose how a new array is stored. */
export const newArrayOptions = {
  zarrFormat: z
    .union([z.literal(2), z.literal(3)])
    .optional()
    .describe('Default: 3'),
  chunkShape: extents()
    .optional()
    .describe('Voxels of a chunk (of an inner chunk where there are shards), with or without the channel axes.'),
  shardShape: extents().optional().describe('Voxels of a shard, a multiple of the chunk; zarr v3 only.'),
  compressor: compressor.optional().describe('Default: zstd, level 1, with a checksum.'),
  fillValue: z
    .union([z.number(), z.string().regex(/^(?:-?\d+|-?Infinity|NaN)$/)])
    .optional()
    .describe("Value of voxels without a chunk. As text: 'NaN', 'Infinity', '-Infinity', integers beyond 2^53."),
};

export interface NewArrayOptions {
  readonly zarrFormat?: 2 | 3 | undefined;
  readonly chunkShape?: readonly number[] | undefined;
  readonly shardShape?: readonly number[] | undefined;
  readonly compressor?: z.infer<typeof compressor> | undefined;
  readonly fillValue?: number | string | undefined;
}

function fillValueFor(given: number | string, dataType: DataType): FillValue | undefined {
  const { kind, bytes } = factsOf(dataType);
  try {
    const value = kind !== 'float' && bytes === 8 ? BigInt(given) : Number(given);
    const plain = typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
    parseFillValue(plain, dataType, 'fillValue');
    return value;
  } catch {
    return undefined;
  }
}

/** How a new array is stored, apart from its shapes. */
export function createOptionsOf(
  { compressor }: NewArrayOptions,
  zarrFormat: 2 | 3,
  fillValue: FillValue,
): CreateOptions {
  return { zarrFormat, fillValue, ...(compressor === undefined ? {} : { compressor: compressor as Compressor }) };
}

/** A fill value of the options as a value of the data type; refuses what is none. */
export function checkedFillValue(
  given: number | string,
  dataType: DataType,
  context: Pick<PlanContext, 'error'>,
): FillValue {
  const value = fillValueFor(given, dataType);
  if (value !== undefined) return value;
  throw context.error('fillValue', `expected a value of ${dataType}, found ${given}`);
}

/** Refuses compressors that the zarr format does not have. */
export function checkCompressor(
  { compressor }: NewArrayOptions,
  zarrFormat: 2 | 3,
  context: Pick<PlanContext, 'error'>,
): void {
  if (zarrFormat === 3 && (compressor?.name === 'lz4' || compressor?.name === 'zlib')) {
    throw context.error('compressor', `expected none, zstd, gzip or blosc in zarr v3, found ${compressor.name}`);
  }
}

export type ChunkShapes = Pick<ArrayMetadata, 'chunkShape' | 'shardShape'>;

/** Chunks and shards, of all axes: those given, else those of `like`. */
export function chunkShapesOf(
  given: NewArrayOptions,
  zarrFormat: 2 | 3,
  like: ArrayMetadata,
  context: Pick<PlanContext, 'error'>,
): ChunkShapes {
  const full = (option: 'chunkShape' | 'shardShape', extents: readonly number[]): readonly number[] | undefined => {
    const shape = given[option];
    if (shape === undefined) return undefined;
    const { channelAxes } = like;
    const dimensions = like.shape.length;
    if (shape.length === dimensions) return shape;
    if (shape.length === dimensions - channelAxes) return [...extents.slice(0, channelAxes), ...shape];
    const without = channelAxes === 0 ? '' : `, or ${dimensions - channelAxes} without channels`;
    throw context.error(option, `expected ${dimensions} numbers${without}, found [${shape.join(', ')}]`);
  };
  const isAsLike = given.chunkShape === undefined && given.shardShape === undefined && zarrFormat === 3;
  const chunkShape = full('chunkShape', like.chunkShape) ?? like.chunkShape;
  const shardShape = isAsLike ? like.shardShape : full('shardShape', chunkShape);
  if (shardShape === undefined) return { chunkShape };
  if (zarrFormat === 2) {
    throw context.error('shardShape', `expected none in zarr v2, found [${shardShape.join(', ')}]`);
  }
  const bad = shardShape.some((extent, axis) => extent % chunkShape[axis] !== 0);
  if (bad) {
    const found = `[${shardShape.join(', ')}] for chunks of [${chunkShape.join(', ')}]`;
    throw context.error('shardShape', `expected a multiple of the chunk along each axis, found ${found}`);
  }
  return { chunkShape, shardShape };
}

/** An output with this metadata, stored as the options say; without them in the chunks of the metadata, filled with 0. */
export function newArray(
  name: string,
  metadata: ArrayMetadata,
  given: NewArrayOptions,
  context: Pick<PlanContext, 'error'>,
): OutputArray {
  const zarrFormat = given.zarrFormat ?? 3;
  checkCompressor(given, zarrFormat, context);
  const { shardShape: _, ...rest } = metadata;
  const shapes = chunkShapesOf(given, zarrFormat, metadata, context);
  const fillValue = checkedFillValue(given.fillValue ?? 0, metadata.dataType, context);
  return { name, metadata: { ...rest, ...shapes }, create: createOptionsOf(given, zarrFormat, fillValue) };
}
