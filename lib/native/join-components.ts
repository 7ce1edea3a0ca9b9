import { callNative } from './addon.js';
import { checkType, checkWholeNumber } from './checks.js';
import { firstElements } from './merge-edges.js';

/** Pairs of names that belong together: those of a block, or of a part of one. */
export interface PairRun {
  readonly u: BigUint64Array;
  readonly v: BigUint64Array;
}

export interface JoinedComponents {
  /** The names that have voxels, ascending. */
  readonly fragments: BigUint64Array;
  /** The component of each: 1, 2, ... in the order of their smallest names; 0 where it is smaller than `minSize`. */
  readonly segments: BigUint64Array;
  /** Voxels of that component. */
  readonly sizes: BigUint64Array;
  /** Components that have a number. */
  readonly count: number;
}

/**
 * The components of a volume out of those of its blocks (see blockComponents): a union-find over their names. As a name is
 * the place of a first voxel, the numbers are those of connectedComponents of the whole volume.
 *
 * @param names ascending, each once
 * @param sizes voxels of each; 0 of names of mere pieces
 * @param runs pairs with a name that is not among `names` are left out (their block has not been run)
 * @param options.minSize voxels that a component has at least. @default 0
 * Peak memory beside inputs and outputs: 32 bytes a name. The outputs have 24 bytes a name.
 * @throws ERR_ARGUMENT when columns differ in length or names do not ascend; ERR_LIMIT at 2^31 names; ERR_CANCELLED
 */
export async function joinComponents(
  names: BigUint64Array,
  sizes: BigUint64Array,
  runs: readonly PairRun[],
  options: { readonly minSize?: number; readonly signal?: AbortSignal } = {},
): Promise<JoinedComponents> {
  checkType('names', names, 'BigUint64Array');
  const minimumSize = checkWholeNumber('minSize', options.minSize ?? 0, 0);
  const output = () => new BigUint64Array(names.length);
  const [fragments, segments, segmentSizes] = [output(), output(), output()];
  const { rows, components } = await callNative<{ rows: number; components: number }>(
    'joinComponents',
    { names, sizes, runs, minimumSize, fragments, segments, segmentSizes },
    options.signal,
  );
  return {
    fragments: firstElements(fragments, rows),
    segments: firstElements(segments, rows),
    sizes: firstElements(segmentSizes, rows),
    count: components,
  };
}
