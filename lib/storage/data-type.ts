import type { NumericArray } from '../native/numeric-array.js';
/** Data types of array elements. */
export type DataType =
  | 'uint8'
  | 'int8'
  | 'uint16'
  | 'int16'
  | 'uint32'
  | 'int32'
  | 'uint64'
  | 'int64'
  | 'float16'
  | 'float32'
  | 'float64'
  | 'bool';

/** By numpy's name without the byte order, as zarr v2 and .npy files have it. */
export const NUMPY_TYPES: Readonly<Record<string, DataType>> = {
  b1: 'bool',
  u1: 'uint8',
  i1: 'int8',
  u2: 'uint16',
  i2: 'int16',
  u4: 'uint32',
  i4: 'int32',
  u8: 'uint64',
  i8: 'int64',
  f2: 'float16',
  f4: 'float32',
  f8: 'float64',
};

/** A typed array that holds a region. bool comes as Uint8Array of 0 and 1, float16 as Float32Array. */
export type TypedArray = NumericArray;

export type DataKind = 'boolean' | 'unsigned' | 'signed' | 'float';

export interface DataTypeFacts {
  /** Bytes of one element in memory. */
  readonly bytes: number;
  /** Bytes of one element in a chunk, before compression. */
  readonly storedBytes: number;
  readonly kind: DataKind;
  readonly array: (new (length: number) => TypedArray) & (new (memory: ArrayBufferLike) => TypedArray);
}

const FACTS: Readonly<Record<DataType, DataTypeFacts>> = {
  bool: { bytes: 1, storedBytes: 1, kind: 'boolean', array: Uint8Array },
  uint8: { bytes: 1, storedBytes: 1, kind: 'unsigned', array: Uint8Array },
  int8: { bytes: 1, storedBytes: 1, kind: 'signed', array: Int8Array },
  uint16: { bytes: 2, storedBytes: 2, kind: 'unsigned', array: Uint16Array },
  int16: { bytes: 2, storedBytes: 2, kind: 'signed', array: Int16Array },
  uint32: { bytes: 4, storedBytes: 4, kind: 'unsigned', array: Uint32Array },
  int32: { bytes: 4, storedBytes: 4, kind: 'signed', array: Int32Array },
  uint64: { bytes: 8, storedBytes: 8, kind: 'unsigned', array: BigUint64Array },
  int64: { bytes: 8, storedBytes: 8, kind: 'signed', array: BigInt64Array },
  float16: { bytes: 4, storedBytes: 2, kind: 'float', array: Float32Array },
  float32: { bytes: 4, storedBytes: 4, kind: 'float', array: Float32Array },
  float64: { bytes: 8, storedBytes: 8, kind: 'float', array: Float64Array },
};

export function isDataType(name: unknown): name is DataType {
  return typeof name === 'string' && Object.hasOwn(FACTS, name);
}

export function factsOf(dataType: DataType): DataTypeFacts {
  return FACTS[dataType];
}

/** The name of a value's class, also for objects of another realm: 'Uint8Array', 'Array', 'String', ... */
export function className(value: unknown): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}

/** The bytes of a typed array, without a copy. */
export function bytesOf(array: TypedArray): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}
