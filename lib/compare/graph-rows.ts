import { existsSync } from 'node:fs';
import Database from 'better-sqlite3';
import { BlockwrightError, messageOf } from '../errors.js';
import { SqliteGraphStore } from '../graph/sqlite-graph-store.js';
import { type AttributeValue, attributeValue } from './attribute-value.js';

/** An attribute of all rows; numbers take 8 bytes each where there is nothing else. */
export type AttributeColumn = Float64Array | readonly AttributeValue[];

/** A graph in memory: rows ascend by id, or by (u, v) with u < v; attributes are columns, NaN where a row has none. */
export interface GraphRows {
  /** Who wrote it. */
  readonly format: 'blockwright' | 'funlib.persistence';
  readonly nodes: { readonly ids: BigUint64Array; readonly attributes: ReadonlyMap<string, AttributeColumn> };
  readonly edges: {
    readonly u: BigUint64Array;
    readonly v: BigUint64Array;
    readonly attributes: ReadonlyMap<string, AttributeColumn>;
  };
}

/** The application id of our own graph files (lib/graph/sqlite-graph-file.ts), 'BWGR'. */
const OURS = 0x42574752;

/**
 * Reads a graph store of SQLite: ours, where scores are scale * sum / count, or one of funlib.persistence as volara writes it.
 * Peak memory: twice the graph.
 *
 * @throws ERR_GRAPH where it is neither; ERR_IO
 */
export async function readGraphRows(path: string): Promise<GraphRows> {
  if (!existsSync(path)) throw graphError(path, 'no file');
  let database: Database.Database | undefined;
  try {
    database = new Database(path, { readonly: true, fileMustExist: true });
    const isOurs = database.pragma('application_id', { simple: true }) === OURS;
    if (!isOurs) return readForeign(path, database);
  } catch (error) {
    if (error instanceof BlockwrightError) throw error;
    throw graphError(path, messageOf(error), error);
  } finally {
    database?.close();
  }
  return readOurs(path);
}

function graphError(path: string, found: string, cause?: unknown): BlockwrightError {
  return new BlockwrightError(
    'ERR_GRAPH',
    `${path}: expected a graph store, ours or of funlib.persistence, found ${found}`,
    { path },
    { cause },
  );
}

async function readOurs(path: string): Promise<GraphRows> {
  const store = new SqliteGraphStore(path);
  try {
    const { ids, sizes, positions } = await store.readNodes();
    const dimensions = ids.length === 0 ? 0 : positions.length / ids.length;
    const nodeAttributes = new Map<string, AttributeColumn>();
    for (let axis = 0; axis < dimensions; axis++) {
      nodeAttributes.set(
        `position_${axis}`,
        Float64Array.from(ids, (_, row) => positions[row * dimensions + axis]),
      );
    }
    const size = new ColumnReader(sizes.length);
    for (const [row, value] of sizes.entries()) size.set(row, value);
    nodeAttributes.set('size', size.column());
    const { u, v, attributes } = await store.readEdges();
    const scales = new Map((await store.edgeAttributes()).map(({ name, scale }) => [name, scale]));
    const scores = Object.entries(attributes).map(([name, { sums, counts }]) => {
      const scale = scales.get(name) ?? 1;
      // 0 pairs are no score: 0 / 0 is NaN
      return [name, sums.map((sum, row) => (counts[row] === 0 ? Number.NaN : (scale * sum) / counts[row]))] as const;
    });
    return {
      format: 'blockwright',
      nodes: { ids, attributes: nodeAttributes },
      edges: { u, v, attributes: new Map(scores) },
    };
  } finally {
    await store.close();
  }
}

function readForeign(path: string, database: Database.Database): GraphRows {
  const tables = database.prepare<[], string>("SELECT name FROM sqlite_schema WHERE type = 'table'").pluck().all();
  const columnsOf = (table: string) =>
    database.prepare<[string], string>('SELECT name FROM pragma_table_info(?)').pluck().all(table);
  const [nodeColumns, edgeColumns] = [columnsOf('nodes'), columnsOf('edges')];
  if (!nodeColumns.includes('id') || !edgeColumns.includes('u') || !edgeColumns.includes('v')) {
    throw graphError(path, `a database with the tables ${tables.slice(0, 10).join(', ') || '(none)'}`);
  }
  const nodes = readTable(database, 'nodes', ['id'], nodeColumns);
  const edges = readTable(database, 'edges', ['u', 'v'], edgeColumns);
  return {
    format: 'funlib.persistence',
    nodes: { ids: nodes.keys[0], attributes: nodes.attributes },
    edges: { u: edges.keys[0], v: edges.keys[1], attributes: edges.attributes },
  };
}

/** The rows of a table, ascending by its keys; of two, the lower one first: the graphs are undirected. */
function readTable(
  database: Database.Database,
  table: string,
  keyNames: readonly string[],
  columns: readonly string[],
) {
  const count = database.prepare<[], number>(`SELECT count(*) FROM ${table}`).pluck().get() ?? 0;
  const names = columns.filter((name) => !keyNames.includes(name));
  const quoted = [...keyNames, ...names].map((name) => `"${name.replaceAll('"', '""')}"`).join(', ');
  const rows = database.prepare<[], unknown[]>(`SELECT ${quoted} FROM ${table}`).raw(true).safeIntegers(true);
  const keys = keyNames.map(() => new BigUint64Array(count));
  const values = names.map(() => new ColumnReader(count));
  let row = 0;
  for (const found of rows.iterate()) {
    const ids = found.slice(0, keyNames.length) as bigint[];
    if (ids.length === 2 && ids[1] < ids[0]) ids.reverse();
    for (const [column, id] of ids.entries()) keys[column][row] = id;
    for (const [column, reader] of values.entries()) reader.set(row, found[keyNames.length + column]);
    row++;
  }
  const order = Uint32Array.from({ length: row }, (_, index) => index);
  const last = keys.length - 1;
  order.sort((x, y) => compareIds(keys[0][x], keys[0][y]) || compareIds(keys[last][x], keys[last][y]));
  return {
    keys: keys.map((column) => BigUint64Array.from(order, (index) => column[index])),
    attributes: new Map(names.map((name, column) => [name, values[column].column(order)])),
  };
}

/** Takes the values of a column in; only the first one that is no float64 makes it a list. */
class ColumnReader {
  private readonly numbers: Float64Array;
  private values: AttributeValue[] | undefined;

  constructor(length: number) {
    this.numbers = new Float64Array(length);
  }

  set(row: number, found: unknown): void {
    const value = attributeValue(found);
    if (typeof value !== 'number') this.values ??= Array.from(this.numbers);
    if (this.values !== undefined) this.values[row] = value;
    else this.numbers[row] = value as number;
  }

  /** The values in this order of rows. */
  column(order?: Uint32Array): AttributeColumn {
    const { numbers, values } = this;
    if (order === undefined) return values ?? numbers;
    if (values !== undefined) return Array.from(order, (row) => values[row]);
    return Float64Array.from(order, (row) => numbers[row]);
  }
}

function compareIds(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
