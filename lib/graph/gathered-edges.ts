import { newOutput } from '../native/output-memory.js';
import type { EdgeColumns } from './graph-store.js';

/** Columns up to this size lie behind each other in one piece of memory, which then comes in large pages. */
const ONE_PIECE = 2 ** 30;

/** Rows of many blocks behind each other, in one memory: a block's own columns are not needed any more when it was added. */
export class GatheredEdges {
  private count = 0;

  private constructor(
    private readonly attributes: readonly string[],
    private columns: EdgeColumns,
  ) {}

  /**
   * @param attributes those of the columns; rows that lack one have count 0
   * @param room rows that are expected. Where more come the columns grow, which takes the memory of three times as many for a moment.
   */
  static async make(attributes: readonly string[], room: number): Promise<GatheredEdges> {
    return new GatheredEdges(attributes, await emptyColumns(attributes, room));
  }

  /** Only before the first {@link rows}. */
  async add(rows: EdgeColumns): Promise<void> {
    const count = this.count + rows.u.length;
    if (count > this.columns.u.length) {
      const before = this.rows();
      this.columns = await emptyColumns(this.attributes, 2 * count);
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

  private put({ u, v, attributes }: EdgeColumns, at: number): void {
    this.columns.u.set(u, at);
    this.columns.v.set(v, at);
    for (const name of this.attributes) {
      const { sums, counts } = this.columns.attributes[name];
      if (Object.hasOwn(attributes, name)) {
        sums.set(attributes[name].sums, at);
        counts.set(attributes[name].counts, at);
      } else {
        sums.fill(0, at, at + u.length);
        counts.fill(0, at, at + u.length);
      }
    }
  }
}

/** Columns of `room` rows, with anything in them. */
async function emptyColumns(attributes: readonly string[], room: number): Promise<EdgeColumns> {
  const bytes = 8 * room;
  const columns = 2 + 2 * attributes.length;
  const piece = bytes * columns <= ONE_PIECE ? (await newOutput(Uint8Array, bytes * columns)).buffer : undefined;
  let at = 0;
  const next = () => [piece ?? new ArrayBuffer(bytes), piece === undefined ? 0 : bytes * at++, room] as const;
  return {
    u: new BigUint64Array(...next()),
    v: new BigUint64Array(...next()),
    attributes: Object.fromEntries(
      attributes.map((name) => [name, { sums: new Float64Array(...next()), counts: new Float64Array(...next()) }]),
    ),
  };
}
