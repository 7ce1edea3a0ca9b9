import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import type { TypedArray } from '../lib/storage/metadata.js';

const TYPES = {
  '|u1': Uint8Array,
  '<u4': Uint32Array,
  '<u8': BigUint64Array,
  '<f4': Float32Array,
  '<f8': Float64Array,
} as const;
type Code = keyof typeof TYPES;

/** The system reads and writes at most this much at once. */
const PIECE = 1 << 30;

function codeOf(data: TypedArray): Code {
  const found = Object.entries(TYPES).find(([, type]) => type.name === data.constructor.name);
  if (found === undefined) throw new Error(`npy: no code for ${data.constructor.name}`);
  return found[0] as Code;
}

/** Writes a C-order array as a .npy file (version 1). */
export function writeNpy(path: string, shape: readonly number[], data: TypedArray): void {
  const dictionary = `{'descr': '${codeOf(data)}', 'fortran_order': False, 'shape': (${shape.join(', ')}${shape.length === 1 ? ',' : ''}), }`;
  const length = Math.ceil((10 + dictionary.length + 1) / 64) * 64 - 10;
  const header = Buffer.alloc(10 + length, ' ');
  header.write('\x93NUMPY\x01\x00', 'latin1');
  header.writeUInt16LE(length, 8);
  header.write(dictionary, 10, 'latin1');
  header[header.length - 1] = 0x0a;
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const file = openSync(path, 'w');
  try {
    writeSync(file, header);
    for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at, Math.min(PIECE, bytes.length - at));
  } finally {
    closeSync(file);
  }
}

/** Reads a .npy file that `writeNpy` or numpy wrote (C order, little-endian, one of the types above). */
export function readNpy<Data extends TypedArray>(path: string): { readonly shape: number[]; readonly data: Data } {
  const file = openSync(path, 'r');
  try {
    const start = Buffer.alloc(12);
    readSync(file, start, 0, 12, 0);
    const long = start[6] >= 2;
    const begin = long ? 12 : 10;
    const header = Buffer.alloc(long ? start.readUInt32LE(8) : start.readUInt16LE(8));
    readSync(file, header, 0, header.length, begin);
    const text = header.toString('latin1');
    const type = TYPES[/'descr': '([^']+)'/.exec(text)?.[1] as Code];
    if (type === undefined || text.includes("'fortran_order': True")) throw new Error(`${path}: cannot read ${text}`);
    const shape = [.../'shape': \(([^)]*)\)/.exec(text)![1].matchAll(/\d+/g)].map(Number);
    const data = new type(shape.reduce((product, extent) => product * extent, 1));
    const bytes = new Uint8Array(data.buffer);
    for (let at = 0; at < bytes.length; ) {
      const read = readSync(file, bytes, at, Math.min(PIECE, bytes.length - at), begin + header.length + at);
      if (read === 0) throw new Error(`${path}: ends too early`);
      at += read;
    }
    return { shape, data: data as unknown as Data };
  } finally {
    closeSync(file);
  }
}
