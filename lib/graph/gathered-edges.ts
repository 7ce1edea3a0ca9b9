import type { EdgeColumns } from './graph-store.js';

/** Rows of many blocks behind each other, in one memory: a block's own columns are not needed any more when it was added. */
export class GatheredEdges {
  private columns: EdgeColumns;
  private count = 0;

  /**
   * @param attributes those of the columns; rows that lack one have count 0
   * @param room rows that are expected. Where more come the columns grow, which takes the memory of three times as many for a moment.
   */
  constructor(
    private readonly attributes: readonly string[],
    room: number,
  ) {
    this.columns = this.empty(room);
  }

  /** Only before the first {@link rows}. */
  add(rows: EdgeColumns): void {
    const count = this.count + rows.u.length;
    if (count > this.columns.u.length) {
      const before = this.rows();
      this.columns = this.empty(2 * count);
      this.put(before, 0);
    }
    this.put(rows, this.count);
    this.count = count;
  }

  /** All rows that were added, in their order. */
  rows(): EdgeColumns {
    const { u, v, attributes } = this.columns;
    return {
      u: u.subarray(0, this.count),
      v: v.subarray(0, this.count),
      attributes: Object.fromEntries(
        Object.entries(attributes).map(([name, { sums, counts }]) => [
          name,
          { sums: sums.subarray(0, this.count), counts: counts.subarray(0, this.count) },
        ]),
      ),
    };
  }

  private empty(room: number): EdgeColumns {
    const attributes = this.attributes.map((name) => [
      name,
      { sums: new Float64Array(room), counts: new Float64Array(room) },
    ]);
    return { u: new BigUint64Array(room), v: new BigUint64Array(room), attributes: Object.fromEntries(attributes) };
  }

  private put({ u, v, attributes }: EdgeColumns, at: number): void {
    this.columns.u.set(u, at);
    this.columns.v.set(v, at);
    for (const name of this.attributes) {
      if (!Object.hasOwn(attributes, name)) continue;
      this.columns.attributes[name].sums.set(attributes[name].sums, at);
      this.columns.attributes[name].counts.set(attributes[name].counts, at);
    }
  }
}
