/** The right of a worker to run a block. */
export interface Lease {
  /** Names it on the worker's connection, ascending in the order in which the worker runs them. */
  readonly id: number;
  readonly task: number;
  readonly block: number;
  readonly attempt: number;
}

/** The leases that a worker holds, oldest first: it runs them in this order, and gives them back from the end. */
export class LeaseQueue {
  private held: Lease[] = [];
  private begin = 0;

  get size(): number {
    return this.held.length - this.begin;
  }

  get first(): Lease | undefined {
    return this.held[this.begin];
  }

  get last(): Lease | undefined {
    return this.size === 0 ? undefined : this.held[this.held.length - 1];
  }

  get(id: number): Lease | undefined {
    let low = this.begin;
    let high = this.held.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.held[middle].id < id) low = middle + 1;
      else high = middle;
    }
    const found = this.held[low];
    return found?.id === id ? found : undefined;
  }

  /** How many are newer than one. */
  newerThan(id: number): number {
    let count = 0;
    while (count < this.size && this.held[this.held.length - 1 - count].id > id) count++;
    return count;
  }

  push(lease: Lease): void {
    this.held.push(lease);
  }

  /** Takes the oldest out. */
  shift(): void {
    this.begin++;
    // the room of what is gone is used again
    if (this.begin === this.held.length) this.clear();
    else if (this.begin >= 1024) {
      this.held = this.held.slice(this.begin);
      this.begin = 0;
    }
  }

  /** Takes the newest out. */
  pop(): void {
    this.held.pop();
    if (this.size === 0) this.clear();
  }

  /** Takes all out; gives them, oldest first. */
  drain(): Lease[] {
    const all = this.held.slice(this.begin);
    this.clear();
    return all;
  }

  /** All, oldest first. */
  all(): readonly Lease[] {
    return this.held.slice(this.begin);
  }

  /** Takes one out, wherever it is. */
  remove(lease: Lease): void {
    const place = this.held.indexOf(lease, this.begin);
    if (place >= 0) this.held.splice(place, 1);
  }

  private clear(): void {
    this.held = [];
    this.begin = 0;
  }
}
