import { callNative } from './addon.js';
import { argumentError, checkLength, checkShape, checkThreads, checkType, labelsOutput } from './checks.js';
import { type Connectivity, reachOf } from './connected-components.js';
import type { NumericArray } from './numeric-array.js';

export type ComponentLabels = Exclude<NumericArray, Float32Array | Float64Array>;

/** Where the labels of a block lie in its volume, in voxels. */
export interface BlockPlace {
  /** Of each axis: 1 where the labels begin with a layer of voxels of the block before, else 0. */
  readonly low: readonly number[];
  /** First voxel of the block. */
  readonly begin: readonly number[];
  /** Shape of the volume. */
  readonly volume: readonly number[];
}

export interface BlockComponentsOptions {
  /** @default 'full' */
  readonly connectivity?: Connectivity;
  /** Whether all labels but 0 are one. @default false */
  readonly binary?: boolean;
  /** Threads of this call; the result does not depend on them. @default 1 */
  readonly threads?: number;
  readonly signal?: AbortSignal;
}

export interface BlockComponents {
  /** [the block's shape]: 0, or the name of the component: 1 + the place of its first voxel in the volume, raster order. */
  readonly components: BigUint64Array;
  readonly count: number;
  /** Further names that `u` and `v` use: first voxels of parts of components where other blocks meet them. Ascending. */
  readonly pieces: BigUint64Array;
  /** Pairs of names that belong together, u < v: those that this block knows of. */
  readonly u: BigUint64Array;
  readonly v: BigUint64Array;
}

/**
 * Connected components of one block of a volume, and how they go on in its neighbours. The pairs of all blocks, put
 * together by {@link joinComponents}, make the components of the volume: a block needs no other's result, only one layer of
 * its input before it along each axis.
 *
 * @param labels any integers, C order, of `shape` = `low` + the block's shape (1 to 6 dimensions); 0 is background
 * Peak memory beside labels and result: that of connectedComponents, one byte a voxel with `binary`, about 100 a voxel of
 * the block's faces.
 * @throws ERR_ARGUMENT; ERR_LIMIT for volumes of more than 2^62 voxels; ERR_CANCELLED
 */
export async function blockComponents(
  labels: ComponentLabels,
  shape: readonly number[],
  place: BlockPlace,
  options: BlockComponentsOptions = {},
): Promise<BlockComponents> {
  checkType('labels', labels, ...LABEL_TYPES);
  checkLength('labels', labels, shape);
  const reach = reachOf(options.connectivity ?? 'full', shape.length);
  const { low, begin, volume } = place;
  for (const [name, vector] of Object.entries({ low, begin, volume })) {
    if (vector.length !== shape.length || vector.some((value) => !Number.isSafeInteger(value) || value < 0)) {
      throw argumentError(name, `${shape.length} non-negative whole numbers`, `[${vector.join(', ')}]`);
    }
  }
  const block = shape.map((extent, axis) => extent - low[axis]);
  const fits = (extent: number, axis: number) =>
    low[axis] <= 1 && extent >= 0 && begin[axis] >= low[axis] && begin[axis] + extent <= volume[axis];
  if (!block.every(fits)) {
    throw argumentError(
      'begin',
      `a block of [${block.join(', ')}] inside the volume [${volume.join(', ')}], behind its layers [${low.join(', ')}]`,
      `[${begin.join(', ')}]`,
    );
  }
  const components = labelsOutput(undefined, checkShape('shape', block));
  const found = await callNative<Omit<BlockComponents, 'components'>>(
    'blockComponents',
    {
      labels,
      shape,
      low,
      begin,
      volume,
      reach,
      binary: options.binary ?? false,
      threads: checkThreads(options.threads),
      output: components,
    },
    options.signal,
  );
  return { components, ...found };
}

const LABEL_TYPES = [
  'Uint8Array',
  'Int8Array',
  'Uint16Array',
  'Int16Array',
  'Uint32Array',
  'Int32Array',
  'BigUint64Array',
  'BigInt64Array',
] as const;
