import { type AttributeValue, distance } from './attribute-value.js';
import { type FragmentMatch, renameRows, rowsAlone } from './fragment-match.js';
import { type AttributeColumn, type GraphRows, readGraphRows } from './graph-rows.js';
import { joinKeys } from './sorted-keys.js';

/** Rows of one table, nodes or edges. */
export interface RowsComparison {
  readonly rows: readonly [number, number];
  readonly common: number;
  readonly onlyA: RowList;
  /** With the ids that B gives them. */
  readonly onlyB: RowList;
  /** Of rows in both. */
  readonly attributes: readonly AttributeComparison[];
  /** Names of attributes that one alone has; they do not count. */
  readonly attributesOnlyA: readonly string[];
  readonly attributesOnlyB: readonly string[];
}

export interface RowList {
  readonly count: number;
  /** The id of a node, or both of an edge. */
  readonly first: readonly (readonly bigint[])[];
}

export interface AttributeComparison {
  readonly name: string;
  /** Rows that are not equal, and those whose difference exceeds the tolerance; no value equals no value. */
  readonly unequal: number;
  readonly different: number;
  /** Rows where one alone has a value. */
  readonly missing: number;
  /** Of two numbers, also where it is within the tolerance. */
  readonly largest: (AttributeDifference & { readonly difference: number }) | undefined;
  readonly first: readonly AttributeDifference[];
}

export interface AttributeDifference {
  readonly row: readonly bigint[];
  readonly a: AttributeValue;
  readonly b: AttributeValue;
}

export interface GraphComparison {
  readonly kind: 'graphs';
  readonly a: string;
  readonly b: string;
  readonly sense: 'exact' | 'tolerance';
  readonly tolerance: number;
  /** Whether the rows are the same (unless only those of both were asked for), and attributes of both within the tolerance. */
  readonly equal: boolean;
  readonly formats: readonly [GraphRows['format'], GraphRows['format']];
  readonly nodes: RowsComparison;
  readonly edges: RowsComparison;
}

export interface GraphOptions {
  /** How far two numbers may be apart. @default 0 */
  readonly tolerance?: number | undefined;
  /** Only nodes and edges of both count. */
  readonly overlap?: boolean | undefined;
  /** What is listed of each kind, at most. @default 10 */
  readonly limit?: number | undefined;
  /** Which fragment of A each of B is. @default the one of its id */
  readonly match?: FragmentMatch | undefined;
}

/** Compares two graph stores, row by row. Peak memory: twice both graphs. @throws as {@link readGraphRows} */
export async function compareGraphs(a: string, b: string, options: GraphOptions = {}): Promise<GraphComparison> {
  const { tolerance = 0, overlap = false } = options;
  const one = await readGraphRows(a);
  const other = await readGraphRows(b);
  const nodes = await compareRows(
    { ...one.nodes, keys: [one.nodes.ids] },
    { ...other.nodes, keys: [other.nodes.ids] },
    options,
  );
  const edges = await compareRows(
    { ...one.edges, keys: [one.edges.u, one.edges.v] },
    { ...other.edges, keys: [other.edges.u, other.edges.v] },
    options,
  );
  const isEqual = ({ onlyA, onlyB, attributes }: RowsComparison) =>
    (overlap || (onlyA.count === 0 && onlyB.count === 0)) && attributes.every(({ different }) => different === 0);
  return {
    kind: 'graphs',
    a,
    b,
    sense: tolerance === 0 ? 'exact' : 'tolerance',
    tolerance,
    equal: isEqual(nodes) && isEqual(edges),
    formats: [one.format, other.format],
    nodes,
    edges,
  };
}

interface Table {
  readonly keys: readonly BigUint64Array[];
  readonly attributes: ReadonlyMap<string, AttributeColumn>;
}

async function compareRows(
  a: Table,
  b: Table,
  { tolerance = 0, limit = 10, match }: GraphOptions,
): Promise<RowsComparison> {
  const renamed = await renameRows(b.keys, match);
  const joined = joinKeys(a.keys, renamed.keys);
  const onlyB = rowsAlone(joined.onlyB, renamed);
  const list = (rows: Uint32Array, { keys }: Table): RowList => ({
    count: rows.length,
    first: Array.from(rows.subarray(0, limit), (row) => keys.map((column) => column[row])),
  });
  const attributes: AttributeComparison[] = [];
  for (const [name, valuesA] of a.attributes) {
    const valuesB = b.attributes.get(name);
    if (valuesB === undefined) continue;
    let [unequal, different, missing] = [0, 0, 0];
    let largest: AttributeComparison['largest'];
    const first: AttributeDifference[] = [];
    for (let pair = 0; pair < joined.a.length; pair++) {
      const [x, y] = [valuesA[joined.a[pair]], valuesB[renamed.rows[joined.b[pair]]]];
      if (x === y || (Number.isNaN(x) && Number.isNaN(y))) continue;
      const difference = distance(x, y);
      if (difference === 0) continue;
      unequal++;
      const found = { row: a.keys.map((column) => column[joined.a[pair]]), a: x, b: y };
      if (Number.isNaN(x) || Number.isNaN(y)) missing++;
      else if (difference > (largest?.difference ?? 0)) largest = { ...found, difference };
      if (difference <= tolerance) continue;
      different++;
      if (first.length < limit) first.push(found);
    }
    attributes.push({ name, unequal, different, missing, largest, first });
  }
  const alone = (of: Table, than: Table) => [...of.attributes.keys()].filter((name) => !than.attributes.has(name));
  return {
    rows: [a.keys[0].length, b.keys[0].length],
    common: joined.a.length,
    onlyA: list(joined.onlyA, a),
    onlyB: list(onlyB, b),
    attributes,
    attributesOnlyA: alone(a, b),
    attributesOnlyB: alone(b, a),
  };
}
