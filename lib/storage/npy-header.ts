import { BlockwrightError } from '../errors.js';
import { type DataType, NUMPY_TYPES } from './data-type.js';

/** What the header of a .npy file says. */
export interface NpyHeader {
  readonly dataType: DataType;
  readonly shape: readonly number[];
  /** Whether the first axis is the fastest in the file, not the last. */
  readonly fortranOrder: boolean;
  /** Whether the first byte of an element is its highest. */
  readonly bigEndian: boolean;
  /** Bytes before the first element. */
  readonly begin: number;
}

/** Bytes in which a header ends that numpy wrote, unless it has thousands of fields. */
export const NPY_HEADER_BYTES = 4096;

/**
 * Reads the header of a .npy file, versions 1 to 3 (numpy.lib.format).
 *
 * @param start the first bytes of the file, at least {@link NPY_HEADER_BYTES} or all
 * @throws ERR_METADATA where it is none; ERR_UNSUPPORTED for structured, complex, text and half-precision types
 */
export function parseNpyHeader(path: string, start: Uint8Array): NpyHeader {
  const bytes = Buffer.from(start.buffer, start.byteOffset, start.byteLength);
  const wrong = (found: string) =>
    new BlockwrightError('ERR_METADATA', `${path}: expected a .npy file, found ${found}`, { path });
  if (bytes.length < 10 || bytes.toString('latin1', 0, 6) !== '\x93NUMPY') throw wrong('something else');
  const version = bytes[6];
  if (version < 1 || version > 3) throw wrong(`version ${version}`);
  const header = version === 1 ? 10 : 12;
  if (bytes.length < header) throw wrong('a cut header');
  const begin = header + (version === 1 ? bytes.readUInt16LE(8) : bytes.readUInt32LE(8));
  if (begin > bytes.length) throw wrong('a header that is cut or too long');
  const text = bytes.toString('latin1', header, begin);
  const type = /'descr':\s*'([^']*)'/.exec(text)?.[1];
  const order = /'fortran_order':\s*(True|False)/.exec(text)?.[1];
  const extents = /'shape':\s*\(([\d\s,]*)\)/.exec(text)?.[1];
  const unsupported = (found: string) => new BlockwrightError('ERR_UNSUPPORTED', `${path}: ${found}`, { path });
  if (order === undefined || extents === undefined) throw wrong(`the header ${text.trim()}`);
  const [, byteOrder, kind] = /^([<>|=])(..)$/.exec(type ?? '') ?? [];
  const dataType =
    kind !== undefined && kind !== 'f2' && Object.hasOwn(NUMPY_TYPES, kind) ? NUMPY_TYPES[kind] : undefined;
  if (dataType === undefined) {
    throw unsupported(`expected integers, floats of 32 or 64 bits or bool, found ${type ?? 'a structured type'}`);
  }
  const shape = (extents.match(/\d+/g) ?? []).map(Number);
  if (shape.length > 6 || !shape.every(Number.isSafeInteger)) throw unsupported(`the shape (${extents})`);
  return { dataType, shape, fortranOrder: order === 'True', bigEndian: byteOrder === '>', begin };
}
