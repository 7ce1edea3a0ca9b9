import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { unzipSync } from 'fflate';
import type { NumericArray } from '../../lib/native/numeric-array.js';

/** The folder of golden results: copies of published reference outputs, see test/goldens/README.md. */
export const goldens = join(import.meta.dirname, '..', '..', '..', 'test', 'goldens');

/** Any array of numbers that a .npy file can hold. */
export type NumpyData = NumericArray;

export interface NumpyArray {
  readonly shape: number[];
  readonly dtype: string;
  readonly data: NumpyData;
}

const TYPES: Record<string, new (buffer: ArrayBuffer) => NumpyData> = {
  '|b1': Uint8Array,
  '|u1': Uint8Array,
  '|i1': Int8Array,
  '<u2': Uint16Array,
  '<i2': Int16Array,
  '<u4': Uint32Array,
  '<i4': Int32Array,
  '<u8': BigUint64Array,
  '<i8': BigInt64Array,
  '<f2': Uint16Array, // the bits
  '<f4': Float32Array,
  '<f8': Float64Array,
};

/** Reads one .npy file (C order, little-endian). */
export function parseNpy(bytes: Uint8Array): NumpyArray {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const long = bytes[6] >= 2;
  const begin = long ? 12 : 10;
  const length = long ? view.getUint32(8, true) : view.getUint16(8, true);
  const header = Buffer.from(bytes.subarray(begin, begin + length)).toString('latin1');
  const dtype = /'descr': '([^']+)'/.exec(header)?.[1] ?? '';
  const shape = (/'shape': \(([^)]*)\)/.exec(header)?.[1] ?? '')
    .split(',')
    .filter((text) => text.trim() !== '')
    .map(Number);
  const type = TYPES[dtype];
  if (type === undefined || header.includes("'fortran_order': True")) throw new Error(`npy: cannot read ${header}`);
  return { shape, dtype, data: new type(bytes.slice(begin + length).buffer as ArrayBuffer) };
}

/** Reads all arrays of a .npz file, by name. */
export function readNpz(path: string): Record<string, NumpyArray> {
  const members = unzipSync(readFileSync(path));
  return Object.fromEntries(
    Object.entries(members).map(([name, bytes]) => [name.replace(/\.npy$/, ''), parseNpy(bytes)]),
  );
}

/** Reads a JSON file, gzipped or not. */
export function readJson<Content>(path: string): Content {
  const bytes = readFileSync(path);
  return JSON.parse((path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8')) as Content;
}
