/**
 * The blocks of one task that can run, taken lowest index first: the order in which they came does not matter, so a run
 * is repeatable, blocks that follow each other lie near each other, and what is downstream becomes ready early.
 *
 * A set of bits (one a block) with a summary on top, one bit for each word below that is not 0, and so on up to a single
 * word (the first two steps of a van Emde Boas tree, made of words of 32): adding and taking cost a few words, memory is 0.13
 * bytes a block and does not depend on how many are ready. Blocks that come back after a failure stand behind all others,
 * first come first served, which gives what made them fail time to pass.
 */
export class ReadyQueue {
  private readonly bits: readonly Uint32Array[];
  private retries: number[] = [];
  private retriesTaken = 0;
  private ready = 0;

  constructor(count: number) {
    const bits: Uint32Array[] = [];
    let length = count;
    do {
      length = Math.ceil(length / 32);
      bits.push(new Uint32Array(length));
    } while (length > 1);
    this.bits = bits;
  }

  get length(): number {
    return this.ready + this.retries.length - this.retriesTaken;
  }

  /** Adds a block that is not in the queue. */
  add(block: number): void {
    let index = block;
    for (const words of this.bits) {
      const bit = index & 31; // 32 divides 2^32, so this is right beyond it too
      const word = (index - bit) / 32;
      const before = words[word];
      words[word] = before | (1 << bit);
      if (before !== 0) break;
      index = word;
    }
    this.ready++;
  }

  /** Adds the blocks 0 to count - 1 to a new queue. */
  addAll(count: number): void {
    let length = count;
    for (const words of this.bits) {
      const full = Math.floor(length / 32);
      words.fill(0xffffffff, 0, full);
      if (length % 32 > 0) words[full] = 2 ** (length % 32) - 1;
      length = Math.ceil(length / 32);
    }
    this.ready = count;
  }

  /** The lowest block that did not come back; undefined when there is none. */
  lowest(): number | undefined {
    if (this.ready === 0) return undefined;
    let index = 0;
    for (let level = this.bits.length - 1; level >= 0; level--) {
      const word = this.bits[level][index];
      index = index * 32 + 31 - Math.clz32(word & -word);
    }
    return index;
  }

  /** Whether a block that did not come back is in the queue. */
  has(block: number): boolean {
    const bit = block & 31;
    return (this.bits[0][(block - bit) / 32] & (1 << bit)) !== 0;
  }

  /** Adds a block behind all others. */
  addLast(block: number): void {
    this.retries.push(block);
  }

  /** Takes a block out, wherever it stands; false when it is not in the queue. */
  remove(block: number): boolean {
    if (this.ready > 0 && this.has(block)) {
      this.clear(block);
      return true;
    }
    const place = this.retries.indexOf(block, this.retriesTaken);
    if (place < 0) return false;
    this.retries.splice(place, 1);
    return true;
  }

  /** Takes the next block out; undefined when there is none. */
  take(): number | undefined {
    if (this.ready > 0) return this.takeLowest();
    if (this.retriesTaken === this.retries.length) return undefined;
    const block = this.retries[this.retriesTaken++];
    if (this.retriesTaken === this.retries.length) {
      this.retries = [];
      this.retriesTaken = 0;
    }
    return block;
  }

  private takeLowest(): number {
    const block = this.lowest()!;
    this.clear(block);
    return block;
  }

  private clear(block: number): void {
    let index = block;
    for (const words of this.bits) {
      const bit = index & 31;
      index = (index - bit) / 32;
      words[index] &= ~(1 << bit);
      if (words[index] !== 0) break;
    }
    this.ready--;
  }
}
