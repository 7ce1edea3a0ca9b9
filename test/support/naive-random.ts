/** The slow twin of native/core/philox.h, with BigInt arithmetic. */

export type RandomKey = readonly [number, number];

/** Philox4x32-10: four 32-bit words from a counter of four and a key of two. */
export function philox(counter: readonly number[], key: RandomKey): number[] {
  const word = (value: bigint) => value & 0xffffffffn;
  let [a, b, c, d] = counter.map((value) => word(BigInt(value)));
  let [k, l] = key.map((value) => word(BigInt(value)));
  for (let round = 0; round < 10; ++round) {
    const p = 0xd2511f53n * a;
    const q = 0xcd9e8d57n * c;
    [a, b, c, d] = [(q >> 32n) ^ b ^ k, word(q), (p >> 32n) ^ d ^ l, word(p)];
    k = word(k + 0x9e3779b9n);
    l = word(l + 0xbb67ae85n);
  }
  return [a, b, c, d].map(Number);
}

/** The key for one purpose, from a seed or another key and a stream (both whole numbers, taken modulo 2^64). */
export function randomKey(seed: number | RandomKey, stream: number, purpose: number): RandomKey {
  const words = (value: number) => {
    const wrapped = BigInt.asUintN(64, BigInt(value));
    return [Number(wrapped & 0xffffffffn), Number(wrapped >> 32n)] as const;
  };
  const [a, b] = philox([...words(stream), purpose, 0], typeof seed === 'number' ? words(seed) : seed);
  return [a, b];
}

/** An odd integer: 40 coins, and 24 bits between their sums. */
export function normalDeviate(a: number, b: number): number {
  const ones = [...a.toString(2), ...(b >>> 24).toString(2)].filter((digit) => digit === '1').length;
  return 2 * ((ones - 20) * 2 ** 24 + (b & 0xffffff) - 2 ** 23) + 1;
}
