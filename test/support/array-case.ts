import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { Coordinate } from '../../lib/geometry/coordinate.js';
import { ChunkedArray } from '../../lib/storage/chunked-array.js';
import type { Compressor } from '../../lib/storage/compressor.js';
import { type DataType, factsOf, type TypedArray } from '../../lib/storage/data-type.js';
import { parseJson, stringifyJson } from '../../lib/storage/exact-json.js';
import { filesBelow } from './stores.js';

const V2_CODES: Record<DataType, string> = {
  bool: '|b1',
  uint8: '|u1',
  int8: '|i1',
  uint16: 'u2',
  int16: 'i2',
  uint32: 'u4',
  int32: 'i4',
  uint64: 'u8',
  int64: 'i8',
  float16: 'f2',
  float32: 'f4',
  float64: 'f8',
};
const DATA_TYPES = Object.keys(V2_CODES) as DataType[];

const COMPRESSORS: Compressor[] = [
  { name: 'none' },
  { name: 'zstd' },
  { name: 'zstd', level: -3, checksum: false },
  { name: 'gzip', level: 6 },
  { name: 'blosc' },
  { name: 'blosc', compressor: 'zstd', shuffle: 'bits' },
  { name: 'blosc', compressor: 'blosclz', shuffle: 'none' },
];
const COMPRESSORS_V2: Compressor[] = [...COMPRESSORS, { name: 'lz4' }, { name: 'zlib', level: 9 }];

/** A small value of the type; few different ones, so that chunks become all fill now and then. */
export function value(dataType: DataType, number: number): number | bigint {
  const { kind, array } = factsOf(dataType);
  if (kind === 'boolean') return number % 2;
  const element = new array(1);
  const small = kind === 'unsigned' ? number : number - 1;
  if (element.BYTES_PER_ELEMENT === 8 && kind !== 'float') return number === 3 ? 2n ** 62n + 1n : BigInt(small);
  return kind === 'float' && number === 3 ? Number.NaN : small;
}

export function regionData(dataType: DataType, shape: readonly number[], seed: number): TypedArray {
  const data = new (factsOf(dataType).array)(shape.reduce((a, b) => a * b, 1));
  let state = seed;
  for (let i = 0; i < data.length; i += 1) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    data[i] = value(dataType, seed % 3 === 0 ? 0 : (state >>> 16) % 4);
  }
  return data;
}

const box = (shape: readonly number[]) =>
  fc.tuple(...shape.map((extent) => fc.tuple(fc.nat(extent), fc.nat(extent)))).map((pairs) => ({
    begin: pairs.map(([a, b]) => Math.min(a, b)),
    end: pairs.map(([a, b]) => Math.max(a, b)),
  }));

/** One level of shards, around chunks or smaller shards. */
const shardLevel = fc.record({
  /** Inner chunks an axis. */
  parts: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 5, maxLength: 5 }),
  rotate: fc.nat(2),
  location: fc.constantFrom('start', 'end', undefined),
  endian: fc.constantFrom('little', 'big'),
  checksum: fc.boolean(),
  wrapped: fc.boolean(),
});

const MAX_EXTENT = [40, 14, 9, 6, 4];

/** An array of any form that can be stored, with what is written to it and read. */
export const arrayCase = fc
  .integer({ min: 0, max: 5 })
  .chain((dimensions) => {
    const extent = fc.integer({ min: 1, max: MAX_EXTENT[Math.max(0, dimensions - 1)] });
    const list = fc.array(extent, { minLength: dimensions, maxLength: dimensions });
    return fc.record({ shape: list, chunkShape: list });
  })
  .chain(({ shape, chunkShape }) =>
    fc.record({
      shape: fc.constant(shape),
      chunkShape: fc.constant(chunkShape),
      dataType: fc.constantFrom(...DATA_TYPES),
      fill: fc.nat(3),
      variant: fc.constantFrom('v3', 'v3 shards', 'v3 chain', 'v2', 'v2 F big-endian, other keys'),
      compressor: fc.constantFrom(...COMPRESSORS),
      compressorV2: fc.constantFrom(...COMPRESSORS_V2),
      checksum: fc.boolean(),
      /** Of 'v3 chain', the innermost first; of 'v3 shards' the first alone counts. */
      shards: fc.array(shardLevel, { maxLength: 2 }),
      rotate: fc.tuple(fc.nat(2), fc.nat(2)),
      channelAxes: fc.nat(Math.max(0, shape.length - 1)),
      writes: fc.array(fc.record({ box: box(shape), seed: fc.nat(1000), threads: fc.integer({ min: 1, max: 3 }) }), {
        maxLength: 5,
      }),
      reads: fc.array(box(shape), { maxLength: 3 }),
    }),
  );
export type ArrayCase = typeof arrayCase extends fc.Arbitrary<infer Case> ? Case : never;

interface WrittenMetadata {
  chunk_grid: unknown;
  chunk_key_encoding: unknown;
  fill_value: unknown;
  attributes: unknown;
  codecs: unknown[];
}

/** `times` rotations of the axes, as a `transpose` codec where that is one. */
function rotation(dimensions: number, times: number): { readonly order: number[]; readonly codec: unknown[] } {
  const order = Array.from({ length: dimensions }, (_, axis) => (axis + times) % dimensions);
  return { order, codec: times === 0 || dimensions === 0 ? [] : [{ name: 'transpose', configuration: { order } }] };
}

/** Codec chain with shards inside each other, transpositions between them and other codecs around them. */
function codecChain(one: ArrayCase, compressors: unknown[]): { chunkShape: number[]; codecs: unknown[] } {
  const shapes = [one.chunkShape];
  for (const { parts } of one.shards) {
    shapes.push(shapes[shapes.length - 1].map((extent, axis) => extent * parts[axis]));
  }
  const wide = factsOf(one.dataType).storedBytes > 1;
  const chain = (level: number, axes: number[]): unknown[] => {
    if (level === 0) {
      const [first, second] = one.rotate.map((times) => rotation(one.shape.length, times));
      const bytes = { name: 'bytes', ...(wide ? { configuration: { endian: 'big' } } : {}) };
      return [...first.codec, ...second.codec, bytes, ...compressors];
    }
    const { rotate, location, endian, checksum, wrapped } = one.shards[level - 1];
    const { order, codec } = rotation(one.shape.length, rotate);
    const moved = order.map((axis) => axes[axis]);
    const index = { name: 'bytes', configuration: { endian } };
    const configuration = {
      chunk_shape: moved.map((axis) => shapes[level - 1][axis]),
      codecs: chain(level - 1, moved),
      index_codecs: checksum ? [index, { name: 'crc32c' }] : [index],
      ...(location === undefined ? {} : { index_location: location }),
    };
    const around = wrapped ? [{ name: 'gzip', configuration: { level: 1 } }] : [];
    return [...codec, { name: 'sharding_indexed', configuration }, ...around];
  };
  const identity = one.shape.map((_, axis) => axis);
  return { chunkShape: shapes[one.shards.length], codecs: chain(one.shards.length, identity) };
}

/** Metadata of a form that we read and write, but do not create; from that of an array which we do create. */
function rewriteMetadata(path: string, one: ArrayCase): void {
  // Not JSON.parse, which would round the fill value.
  const text = String(filesBelow(path).get(one.variant === 'v3 chain' ? 'zarr.json' : '.zarray'));
  const array = parseJson(text, path) as unknown as WrittenMetadata & Record<string, unknown>;
  if (one.variant === 'v3 chain') {
    const { chunkShape, codecs } = codecChain(one, array.codecs.slice(1));
    array.chunk_grid = { name: 'regular', configuration: { chunk_shape: chunkShape } };
    array.codecs = codecs;
    array.chunk_key_encoding = { name: 'v2', configuration: { separator: '/' } };
    writeFileSync(join(path, 'zarr.json'), stringifyJson(array, path));
    return;
  }
  const code = V2_CODES[one.dataType];
  array.dtype = code.startsWith('|') ? code : `>${code}`;
  array.order = 'F';
  delete array.dimension_separator;
  writeFileSync(join(path, '.zarray'), stringifyJson(array, path));
}

/** Makes an array of the case in a new folder. */
export async function makeArray(path: string, one: ArrayCase): Promise<ChunkedArray> {
  const physical = one.shape.length - one.channelAxes;
  const [level] = one.shards;
  const shards = one.variant === 'v3 shards' && level !== undefined;
  const v2 = one.variant.startsWith('v2');
  const metadata = {
    shape: one.shape,
    chunkShape: one.chunkShape,
    ...(shards ? { shardShape: one.chunkShape.map((extent, axis) => extent * level.parts[axis]) } : {}),
    dataType: one.dataType,
    channelAxes: one.channelAxes,
    offset: Coordinate.filled(physical, -6),
    voxelSize: Coordinate.filled(physical, 3),
    units: new Array<string>(physical).fill('nm'),
    axisNames: one.shape.map((_, axis) => (axis < one.channelAxes ? `c${axis}^` : `d${axis}`)),
    attributes: {},
  };
  const array = await ChunkedArray.create(path, metadata, {
    zarrFormat: v2 ? 2 : 3,
    compressor: v2 ? one.compressorV2 : one.compressor,
    checksum: one.checksum && !v2,
    fillValue: value(one.dataType, one.fill),
  });
  if (['v3', 'v3 shards', 'v2'].includes(one.variant)) return array;
  rewriteMetadata(path, one);
  return ChunkedArray.open(path);
}
