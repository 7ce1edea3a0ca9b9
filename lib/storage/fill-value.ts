import { BlockwrightError } from '../errors.js';
import { bytesOf, type DataType, factsOf } from './data-type.js';
import { show } from './document.js';
import type { Json } from './exact-json.js';
import { float16Bits, float16Value } from './float16.js';

/** The value of voxels that were never written. bool is 0 or 1; 64-bit integers are bigints. */
export type FillValue = number | bigint;

const SPECIAL: Readonly<Record<string, number>> = {
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  '-Infinity': Number.NEGATIVE_INFINITY,
};

function fail(dataType: DataType, where: string, value: unknown): never {
  throw new BlockwrightError(
    'ERR_METADATA',
    `${where}: fill_value: expected a value of ${dataType}, found ${show(value)}`,
    {
      path: where,
      key: 'fill_value',
      found: value,
    },
  );
}

function integerBytes(value: Json, dataType: DataType, where: string): Uint8Array {
  const { bytes, kind, array: TypedArray } = factsOf(dataType);
  if (typeof value !== 'bigint' && !Number.isSafeInteger(value)) fail(dataType, where, value);
  const integer = BigInt(value as bigint | number);
  const bits = 8 * bytes;
  const fits = kind === 'unsigned' ? BigInt.asUintN(bits, integer) : BigInt.asIntN(bits, integer);
  if (fits !== integer) fail(dataType, where, value);
  const element = new TypedArray(1);
  element[0] = bytes === 8 ? integer : Number(integer);
  return bytesOf(element);
}

function floatBytes(value: Json, dataType: DataType, where: string): Uint8Array {
  const { storedBytes, array: TypedArray } = factsOf(dataType);
  if (typeof value === 'string' && /^0x[0-9a-fA-F]+$/.test(value)) {
    // The bits, also of a particular NaN. They go through an integer, because a float register may quieten a NaN.
    if (value.length !== 2 + 2 * storedBytes) fail(dataType, where, value);
    const bits = BigInt(value);
    if (storedBytes === 8) return bytesOf(BigUint64Array.of(bits));
    return bytesOf(storedBytes === 4 ? Uint32Array.of(Number(bits)) : Uint16Array.of(Number(bits)));
  }
  // Not a Float32Array for float16, which would round twice.
  const element = dataType === 'float16' ? new Float64Array(1) : new TypedArray(1);
  if (typeof value === 'number' || typeof value === 'bigint') element[0] = Number(value);
  else if (typeof value === 'string' && Object.hasOwn(SPECIAL, value)) element[0] = SPECIAL[value];
  else fail(dataType, where, value);
  return bytesOf(dataType === 'float16' ? Uint16Array.of(float16Bits(element[0] as number)) : element);
}

/**
 * The stored bytes, in this machine's order, of a fill value as it stands in zarr metadata.
 *
 * @throws ERR_METADATA when it is no value of the data type
 */
export function parseFillValue(value: Json, dataType: DataType, where: string): Uint8Array {
  switch (factsOf(dataType).kind) {
    case 'boolean':
      if (value !== true && value !== false && value !== 0 && value !== 1) fail(dataType, where, value);
      return Uint8Array.of(value ? 1 : 0);
    case 'float':
      return floatBytes(value, dataType, where);
    default:
      return integerBytes(value, dataType, where);
  }
}

/** The value behind the stored bytes. */
export function fillValueOf(fill: Uint8Array, dataType: DataType): FillValue {
  if (dataType === 'float16') return float16Value(new Uint16Array(fill.slice().buffer)[0]);
  const element = new (factsOf(dataType).array)(1);
  bytesOf(element).set(fill);
  return element[0];
}

/** The form in which zarr metadata holds the value. */
export function formatFillValue(fill: Uint8Array, dataType: DataType): Json {
  const value = fillValueOf(fill, dataType);
  if (dataType === 'bool') return value !== 0;
  return typeof value === 'bigint' || Number.isFinite(value) ? value : String(value);
}
