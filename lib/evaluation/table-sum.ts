import { type ContingencyTable, mergeContingencyTables } from '../native/contingency-table.js';

/**
 * Adds up the tables of many blocks. Tables of about one size are merged, so that each row is moved about as many times as
 * the number of blocks has binary digits, and there are never more than a few tables.
 */
export class TableSum {
  /** Each has more than twice the rows of the next. */
  private readonly tables: ContingencyTable[] = [];

  constructor(private readonly signal?: AbortSignal) {}

  /** Rows that are held. */
  get rows(): number {
    return this.tables.reduce((sum, table) => sum + table.a.length, 0);
  }

  async add(table: ContingencyTable): Promise<void> {
    let sum = table;
    for (
      let last = this.tables.at(-1);
      last !== undefined && last.a.length <= 2 * sum.a.length;
      last = this.tables.at(-1)
    ) {
      this.tables.pop();
      sum = await mergeContingencyTables([last, sum], { signal: this.signal });
    }
    this.tables.push(sum);
  }

  /** The table of all blocks. */
  async total(): Promise<ContingencyTable> {
    while (this.tables.length > 1) {
      const [x, y] = this.tables.splice(-2);
      this.tables.push(await mergeContingencyTables([x, y], { signal: this.signal }));
    }
    return this.tables[0] ?? mergeContingencyTables([]);
  }
}
