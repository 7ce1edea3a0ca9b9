import { callNative } from './addon.js';
import { argumentError, checkBox, checkLength, checkThreads, checkType } from './checks.js';
import { newOutput } from './output-memory.js';
import type { VoxelBox } from './voxel-box.js';

/**
 * Which voxels are neighbours: those that share a face, all that share at least a corner, a number of neighbours (2-D 4, 8;
 * 3-D 6, 18, 26), or in how many coordinates they may differ (1 = face, up to the dimensions = full).
 */
export type Connectivity = 'face' | 'full' | 1 | 2 | 3 | 4 | 5 | 6 | 8 | 18 | 26;

/** Types of ids. */
export type ComponentIds = BigUint64Array | Uint32Array;

export interface ConnectedComponentsOptions<Ids extends ComponentIds = BigUint64Array> {
  /** @default 'full' */
  readonly connectivity?: Connectivity;
  /** Only this part of the labels is looked at and returned. @default all of it */
  readonly crop?: VoxelBox;
  /** Added to every id above 0. @default 0n */
  readonly idOffset?: bigint;
  /** Threads of this call; the result does not depend on them. @default 1 */
  readonly threads?: number;
  /**
   * Where the result goes, to reuse memory or to have ids of 32 bits: voxels of the crop (or shape). May be `labels` itself, as
   * all of them are read before anything is written.
   * @default a new BigUint64Array; a large one cannot be transferred to another thread
   */
  readonly output?: Ids;
  readonly signal?: AbortSignal;
}

export interface ConnectedComponents<Ids extends ComponentIds = BigUint64Array> {
  /** [crop.shape]: 0 where the label is 0, else idOffset + 1, + 2, ... in raster order of a component's first voxel. */
  readonly labels: Ids;
  readonly count: number;
}

/** How many coordinates of two neighbours may differ by one. @throws ERR_ARGUMENT */
export function reachOf(connectivity: Connectivity, dimensions: number): number {
  if (connectivity === 'face') return 1;
  if (connectivity === 'full') return dimensions;
  const reach = { 2: { 4: 1, 8: 2 }, 3: { 6: 1, 18: 2, 26: 3 } }[dimensions] as Record<number, number> | undefined;
  const isReach = Number.isInteger(connectivity) && connectivity >= 1 && connectivity <= dimensions;
  const found = isReach ? connectivity : reach?.[connectivity];
  if (found === undefined) {
    throw argumentError(
      'connectivity',
      `face, full, 1 to ${dimensions} or a number of neighbours in ${dimensions} dimensions`,
      connectivity,
    );
  }
  return found;
}

/**
 * Connected components of labels that are kept apart: two voxels are joined when they are neighbours with one label
 * other than 0.
 *
 * Peak memory beside labels and result: 20 bytes for each 64 voxels of a row along the last axis, or part of them, at most
 * 10 bytes a run of equal labels, and for each thread, where rows have neighbours, 16 bytes a voxel of a row but no more than 2 MB.
 *
 * @param labels uint8, uint16, uint32 or uint64, C order, of `shape` (1 to 6 dimensions); a mask is a uint8 array of 0 and 1
 * @throws ERR_ARGUMENT; ERR_LIMIT when an id would exceed 2^64 - 1, or 2^32 - 1 in a Uint32Array; ERR_CANCELLED
 */
export async function connectedComponents<Ids extends ComponentIds = BigUint64Array>(
  labels: Uint8Array | Uint16Array | Uint32Array | BigUint64Array,
  shape: readonly number[],
  options: ConnectedComponentsOptions<Ids> = {},
): Promise<ConnectedComponents<Ids>> {
  checkType('labels', labels, 'BigUint64Array', 'Uint32Array', 'Uint16Array', 'Uint8Array');
  checkLength('labels', labels, shape);
  const reach = reachOf(options.connectivity ?? 'full', shape.length);
  const crop = options.crop ?? { offset: shape.map(() => 0), shape };
  const voxels = checkBox('crop', crop, shape);
  const idOffset = options.idOffset ?? 0n;
  if (typeof idOffset !== 'bigint' || idOffset < 0n || idOffset >= 1n << 64n) {
    throw argumentError('idOffset', 'a bigint in [0, 2^64)', idOffset);
  }
  const threads = checkThreads(options.threads);
  const output: ComponentIds = options.output ?? (await newOutput(BigUint64Array, voxels));
  checkType('output', output, 'BigUint64Array', 'Uint32Array');
  if (output.length !== voxels) throw argumentError('output', `${voxels} elements`, output.length);
  const count = await callNative<number>(
    'connectedComponents',
    { labels, shape, cropOffset: crop.offset, cropShape: crop.shape, reach, idOffset, threads, output },
    options.signal,
  );
  return { labels: output as Ids, count };
}
