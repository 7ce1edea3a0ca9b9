import { callNative } from './addon.js';
import { argumentError } from './checks.js';

/** What an attribute of the edges is the mean of: per edge the sum of values and their number. */
export interface EdgeSums {
  readonly sums: Float64Array;
  /** 0 = the edge has no such attribute. */
  readonly counts: Float64Array;
}

/** Edges as columns of equal length. */
export interface FragmentEdges {
  /** Ids of the two ends, in any order. */
  readonly u: BigUint64Array;
  readonly v: BigUint64Array;
  readonly attributes: Readonly<Record<string, EdgeSums>>;
}

export interface GraphMutexWatershedOptions {
  /** Attributes that are used, in this order, each with [weight, bias]; others are left out. */
  readonly weights: Readonly<Record<string, readonly [weight: number, bias: number]>>;
  /** Sums are multiplied by it: 1 / 255 where they are sums of bytes. @default 1 for each attribute */
  readonly scales?: Readonly<Record<string, number>>;
  /** Scores are multiplied by count / (count + pseudoCount), so that edges known from few voxels come late. @default 100 */
  readonly pseudoCount?: number;
  /** One score for each attribute of an edge, or their sum (0 if it has none). @default true */
  readonly edgePerAttr?: boolean;
  /** Pairs of ids that are joined before everything else; they need not be nodes. @default none */
  readonly startingLut?: { readonly fragments: BigUint64Array; readonly segments: BigUint64Array };
  readonly signal?: AbortSignal;
}

/**
 * Joins fragments to segments: the mutex watershed (Wolf et al., ECCV 2018) on a graph.
 *
 * score = (weight * mean + bias) * (count / (count + pseudoCount)), mean = sum * scale / count, in float64. In the order of
 * |score| descending, attribute, smaller id, larger id: a score > 0 joins the segments at its ends unless they are
 * exclusive, any other makes them exclusive. The result is a function of the arguments alone, on any machine.
 *
 * @param nodes ids, ascending and unique, with the pairs of `startingLut` fewer than 2^29
 * @returns for each node the smallest id of its segment; a node without edges keeps its own. Peak memory: 8 bytes
 *   an edge, 12 an attractive score (20 where nearly all are equal) and 20 a repulsive one (28 where scores tie), 25 to 45 a node, 30 to
 *   170 for each pair of segments that took long to be found exclusive, and up to 2 MiB; where that would take too long for many, 44 a
 *   repulsive score. Of `startingLut` 8 a pair, and for ids that are no nodes what nodes take and some 50 more.
 * @throws ERR_ARGUMENT, also for an edge that names an id which is no node; ERR_NOT_A_NUMBER with the edge; ERR_LIMIT;
 *   ERR_CANCELLED; ERR_OUT_OF_MEMORY
 */
export async function graphMutexWatershed(
  nodes: BigUint64Array,
  edges: FragmentEdges,
  options: GraphMutexWatershedOptions,
): Promise<BigUint64Array> {
  const { pseudoCount = 100, edgePerAttr = true, startingLut } = options;
  checkColumn('nodes', 'BigUint64Array', nodes, nodes.length);
  checkColumn('edges.u', 'BigUint64Array', edges.u, edges.u.length);
  checkColumn('edges.v', 'BigUint64Array', edges.v, edges.u.length);
  if (!(pseudoCount >= 0 && pseudoCount < Infinity))
    throw argumentError('pseudoCount', 'a finite number >= 0', pseudoCount);
  for (const name of Object.keys(options.scales ?? {})) {
    if (!(name in options.weights)) throw argumentError(`scales.${name}`, 'an attribute that has weights', 'none');
  }
  const columns: Record<string, unknown> = {};
  const scales: number[] = [];
  const weights: number[] = [];
  const biases: number[] = [];
  for (const [index, [name, pair]] of Object.entries(options.weights).entries()) {
    const scale = options.scales?.[name] ?? 1;
    if (pair.length !== 2 || !pair.every(Number.isFinite)) {
      throw argumentError(`weights.${name}`, '[weight, bias], two finite numbers', `[${pair.join(', ')}]`);
    }
    if (!Number.isFinite(scale)) throw argumentError(`scales.${name}`, 'a finite number', scale);
    const attribute = edges.attributes[name];
    if (attribute === undefined) {
      const found = Object.keys(edges.attributes).join(', ') || 'none';
      throw argumentError(`weights.${name}`, 'an attribute of the edges', `only ${found}`);
    }
    checkColumn(`edges.attributes.${name}.sums`, 'Float64Array', attribute.sums, edges.u.length);
    checkColumn(`edges.attributes.${name}.counts`, 'Float64Array', attribute.counts, edges.u.length);
    columns[`name${index}`] = name;
    columns[`sums${index}`] = attribute.sums;
    columns[`counts${index}`] = attribute.counts;
    scales.push(scale);
    weights.push(pair[0]);
    biases.push(pair[1]);
  }
  if (startingLut !== undefined) {
    const { fragments } = startingLut;
    checkColumn('startingLut.fragments', 'BigUint64Array', fragments, fragments.length);
    checkColumn('startingLut.segments', 'BigUint64Array', startingLut.segments, fragments.length);
  }
  const segments = new BigUint64Array(nodes.length);
  await callNative(
    'graphMutexWatershed',
    {
      ...columns,
      nodes,
      u: edges.u,
      v: edges.v,
      scales,
      weights,
      biases,
      pseudoCount,
      edgePerAttr,
      lutFragments: startingLut?.fragments,
      lutSegments: startingLut?.segments,
      segments,
    },
    options.signal,
  );
  return segments;
}

function checkColumn(name: string, type: string, array: ArrayLike<unknown>, length: number): void {
  const found = Object.prototype.toString.call(array).slice(8, -1);
  if (found !== type) throw argumentError(name, `a ${type}`, found);
  if (array.length !== length) throw argumentError(name, `${length} elements (one an edge)`, array.length);
}
