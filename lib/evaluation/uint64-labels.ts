import { argumentError, typeName } from '../native/checks.js';
import type { TypedArray } from '../storage/data-type.js';

/**
 * Labels of any integer type as uint64, of 64 bits in the same memory.
 *
 * @throws ERR_ARGUMENT for a negative label, or for numbers that are no integers
 */
export function uint64Labels(parameter: string, data: TypedArray): BigUint64Array {
  const type = typeName(data);
  if (type === 'BigUint64Array') return data as BigUint64Array;
  if (type === 'BigInt64Array') {
    const { buffer, byteOffset, length } = data;
    // the upper halves: BigInts would take many times as long
    const words = new Int32Array(buffer, byteOffset, 2 * length);
    for (let at = 1; at < words.length; at += 2) if (words[at] < 0) throw negative(parameter, data[at >> 1]);
    return new BigUint64Array(buffer, byteOffset, length);
  }
  if (!/^(Uint|Int)(8|16|32)Array$/.test(type)) throw argumentError(parameter, 'integer labels', type);
  const labels = new BigUint64Array(data.length);
  const words = new Uint32Array(labels.buffer);
  const numbers = data as Int32Array;
  for (let at = 0; at < numbers.length; at++) {
    if (numbers[at] < 0) throw negative(parameter, numbers[at]);
    words[2 * at] = numbers[at];
  }
  return labels;
}

function negative(parameter: string, found: number | bigint): Error {
  return argumentError(parameter, 'labels of at least 0', found);
}
