/** A small seeded generator (mulberry32): the same numbers everywhere, good enough for inputs. */
export class Random {
  private state: number;

  constructor(seed: number) {
    this.state = seed >>> 0;
  }

  /** A whole number of 32 bits. */
  bits(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let mixed = this.state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }

  /** A number of 53 bits in [0, 1). */
  uniform(): number {
    return ((this.bits() >>> 5) * 0x4000000 + (this.bits() >>> 6)) / 0x20000000000000;
  }

  /** A whole number in 0..count-1; count below 2^53. */
  below(count: number): number {
    return Math.floor(this.uniform() * count);
  }
}

/** Calls `visit` with 0..count-1 (up to 2^31), each once, in an order that looks random. */
export function inScatteredOrder(count: number, visit: (index: number) => void): void {
  let bits = 2;
  while (2 ** bits < count) bits++;
  const size = 2 ** bits;
  const mask = size - 1;
  const half = bits >> 1;
  for (let n = 0; n < size; n++) {
    // Each step is a bijection of `bits` bits: a product with an odd number, a shift to the right that is xored in.
    let index = Math.imul(n, 0x9e3779b1) & mask;
    index ^= index >>> half;
    index = Math.imul(index, 0x85ebca6b) & mask;
    index ^= index >>> half;
    if (index < count) visit(index);
  }
}
