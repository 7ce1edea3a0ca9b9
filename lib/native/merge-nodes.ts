import type { Roi } from '../geometry/roi.js';
import { callNative } from './addon.js';
import { firstElements } from './merge-edges.js';

/** Node rows of one block, or of a part of one. */
export interface NodeRun {
  readonly ids: BigUint64Array;
  readonly sizes: BigUint64Array;
  /** [ids, dimensions], world units. */
  readonly positions: Float64Array;
}

export interface MergedNodes extends NodeRun {
  /** The first id that came twice, and the indices of its runs: the columns then hold the nodes before it. */
  readonly duplicate?: { readonly id: bigint; readonly firstRun: number; readonly secondRun: number };
}

/**
 * The nodes of all runs, ascending by id. Radix sort. Peak memory: 32 bytes a row beside inputs and outputs.
 *
 * @param options.roi only nodes whose position lies inside, world units
 * @throws ERR_ARGUMENT when columns of a run differ in length; ERR_CANCELLED
 */
export async function mergeNodes(
  runs: readonly NodeRun[],
  dimensions: number,
  options: { readonly roi?: Roi; readonly signal?: AbortSignal } = {},
): Promise<MergedNodes> {
  const total = runs.reduce((sum, run) => sum + run.ids.length, 0);
  const merged = {
    ids: new BigUint64Array(total),
    sizes: new BigUint64Array(total),
    positions: new Float64Array(total * dimensions),
  };
  const { count, duplicate } = await callNative<{ count: number; duplicate?: MergedNodes['duplicate'] }>(
    'mergeNodes',
    { runs, dimensions, begin: options.roi?.begin.values, end: options.roi?.end.values, merged },
    options.signal,
  );
  return {
    ids: firstElements(merged.ids, count),
    sizes: firstElements(merged.sizes, count),
    positions: firstElements(merged.positions, count * dimensions),
    ...(duplicate !== undefined && { duplicate }),
  };
}
