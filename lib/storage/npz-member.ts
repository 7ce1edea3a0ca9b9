import { readFile } from 'node:fs/promises';
import { inflateRawSync } from 'node:zlib';
import { BlockwrightError, messageOf } from '../errors.js';
import { bytesOf, type DataType, factsOf, type TypedArray } from './data-type.js';
import { ioError } from './io-error.js';
import { parseNpyHeader } from './npy-header.js';

const END_OF_DIRECTORY = 0x06054b50;
const ENTRY = 0x02014b50;
const LOCAL_HEADER = 0x04034b50;

/** An array of a .npz file. */
export interface NpzMember {
  readonly dataType: DataType;
  readonly shape: readonly number[];
  readonly data: TypedArray;
}

/**
 * Reads one array of a .npz file, which is a zip of .npy files, stored or deflated (PKWARE's APPNOTE 6.3, without zip64). Peak
 * memory: the file, and twice the array.
 *
 * @throws ERR_METADATA where there is no such member, or the file is no zip; ERR_CHUNK_CORRUPT; ERR_UNSUPPORTED; ERR_IO
 */
export async function readNpzMember(path: string, name: string): Promise<NpzMember> {
  const file = await readFile(path).catch((error: unknown) => {
    throw ioError('reading', path, error);
  });
  const where = `${path}/${name}`;
  const content = memberOf(path, file, `${name}.npy`);
  const { dataType, shape, begin } = parseNpyHeader(where, content);
  const { array, bytes } = factsOf(dataType);
  const expected = shape.reduce((product, extent) => product * extent, bytes);
  // before any memory is taken: the header may say what it will
  if (content.length - begin !== expected) {
    const found = `${content.length - begin}`;
    throw new BlockwrightError('ERR_CHUNK_CORRUPT', `${where}: expected ${expected} bytes, found ${found}`, { path });
  }
  const data = new array(expected / bytes);
  bytesOf(data).set(content.subarray(begin));
  return { dataType, shape, data };
}

function memberOf(path: string, file: Buffer, wanted: string): Uint8Array {
  const fail = (code: 'ERR_METADATA' | 'ERR_CHUNK_CORRUPT' | 'ERR_UNSUPPORTED', found: string) =>
    new BlockwrightError(code, `${path}: expected a .npz file with ${wanted}, found ${found}`, { path });
  const end = file.lastIndexOf(Buffer.from(Uint32Array.of(END_OF_DIRECTORY).buffer));
  if (end < 0 || end + 22 > file.length) throw fail('ERR_METADATA', 'no zip directory');
  const names: string[] = [];
  let at = file.readUInt32LE(end + 16);
  for (let entry = file.readUInt16LE(end + 10); entry > 0; entry--) {
    if (at + 46 > file.length || file.readUInt32LE(at) !== ENTRY)
      throw fail('ERR_CHUNK_CORRUPT', 'a damaged directory');
    const [nameLength, extra, comment] = [28, 30, 32].map((offset) => file.readUInt16LE(at + offset));
    const name = file.toString('utf8', at + 46, at + 46 + nameLength);
    names.push(name);
    if (name !== wanted) {
      at += 46 + nameLength + extra + comment;
      continue;
    }
    const method = file.readUInt16LE(at + 10);
    const [packed, size] = [file.readUInt32LE(at + 20), file.readUInt32LE(at + 24)];
    const header = file.readUInt32LE(at + 42);
    if ([packed, size, header].includes(0xffffffff)) throw fail('ERR_UNSUPPORTED', 'a member of 4 GiB or more');
    if (header + 30 > file.length || file.readUInt32LE(header) !== LOCAL_HEADER) {
      throw fail('ERR_CHUNK_CORRUPT', 'a damaged member');
    }
    const begin = header + 30 + file.readUInt16LE(header + 26) + file.readUInt16LE(header + 28);
    const bytes = file.subarray(begin, begin + packed);
    if (method !== 0 && method !== 8) throw fail('ERR_UNSUPPORTED', `compression method ${method}`);
    try {
      const content = method === 0 ? bytes : inflateRawSync(bytes, { maxOutputLength: Math.max(size, 1) });
      if (content.length === size) return content;
    } catch (error) {
      throw fail('ERR_CHUNK_CORRUPT', `a damaged member (${messageOf(error)})`);
    }
    throw fail('ERR_CHUNK_CORRUPT', 'a member of another size than its directory says');
  }
  throw fail('ERR_METADATA', `the members ${names.join(', ')}`);
}
