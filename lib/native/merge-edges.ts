import { callNative } from './addon.js';

/** Edge rows of one block, or of a part of one. */
export interface EdgeRun {
  readonly u: BigUint64Array;
  readonly v: BigUint64Array;
  /** Partial sums and counts of each score, one entry a row; a run may lack some. */
  readonly attributes: Readonly<Record<string, { readonly sums: Float64Array; readonly counts: Float64Array }>>;
}

export interface MergedEdges {
  readonly u: BigUint64Array;
  readonly v: BigUint64Array;
  readonly attributes: Readonly<Record<string, { readonly sums: Float64Array; readonly counts: Float64Array }>>;
}

/**
 * Every distinct (u, v) of the runs once, ascending by (u, v). Sums and counts are added in float64, from 0, in the order
 * of the runs and of the rows in them; an attribute that a run lacks adds nothing. Radix sort by u, then v within each u.
 * Peak memory: 32 bytes a row beside inputs and outputs.
 *
 * @param attributes names of the attributes of the result
 * @param options.nodes ascending ids: only edges whose u or v is among them
 * @throws ERR_ARGUMENT when columns of a run differ in length; ERR_CANCELLED
 */
export async function mergeEdges(
  runs: readonly EdgeRun[],
  attributes: readonly string[],
  options: { readonly nodes?: BigUint64Array; readonly signal?: AbortSignal } = {},
): Promise<MergedEdges> {
  const total = runs.reduce((sum, run) => sum + run.u.length, 0);
  const columns = () => attributes.map(() => new Float64Array(total));
  const merged = { u: new BigUint64Array(total), v: new BigUint64Array(total), sums: columns(), counts: columns() };
  const count = await callNative<number>(
    'mergeEdges',
    {
      runs: runs.map((run) => ({
        u: run.u,
        v: run.v,
        sums: attributes.map((name) => run.attributes[name]?.sums),
        counts: attributes.map((name) => run.attributes[name]?.counts),
      })),
      attributes: attributes.length,
      nodes: options.nodes,
      merged,
    },
    options.signal,
  );
  return {
    u: firstElements(merged.u, count),
    v: firstElements(merged.v, count),
    attributes: Object.fromEntries(
      attributes.map((name, index) => [
        name,
        { sums: firstElements(merged.sums[index], count), counts: firstElements(merged.counts[index], count) },
      ]),
    ),
  };
}

/**
 * {@link mergeEdges} for rows that lie in one memory, in the order of their runs: the result takes their place. A row that lacks an
 * attribute has 0 in its columns. Peak memory: nothing beside the rows where they ascend by (u, v) already, else 32 bytes a row.
 *
 * @param rows used up, also where this fails
 * @throws as {@link mergeEdges}
 */
export async function addUpEdges(
  { u, v, attributes }: MergedEdges,
  options: { readonly signal?: AbortSignal } = {},
): Promise<MergedEdges> {
  const columns = Object.values(attributes);
  const rows = { u, v, sums: columns.map(({ sums }) => sums), counts: columns.map(({ counts }) => counts) };
  const count = await callNative<number>('addUpEdges', { ...rows, attributes: columns.length }, options.signal);
  return {
    u: firstElements(u, count),
    v: firstElements(v, count),
    attributes: Object.fromEntries(
      Object.entries(attributes).map(([name, { sums, counts }]) => [
        name,
        { sums: firstElements(sums, count), counts: firstElements(counts, count) },
      ]),
    ),
  };
}

/** The first elements: a view while most are wanted, else a copy that lets go of the rest. */
export function firstElements<Elements extends BigUint64Array | Float64Array | Uint32Array>(
  array: Elements,
  count: number,
): Elements {
  return (count * 2 >= array.length ? array.subarray(0, count) : array.slice(0, count)) as Elements;
}
