import { callNative } from './addon.js';
import { argumentError, checkShape, checkThreads } from './checks.js';

export interface MutexWatershedOptions {
  /**
   * One integer vector a channel: channel c at voxel p is the edge from p to p + offsets[c]. It exists where both ends
   * are inside; an offset as long as an axis has no edges.
   */
  readonly offsets: readonly (readonly number[])[];
  /**
   * One vector of whole numbers >= 1 a channel: only edges at every stride-th voxel of an axis, from max(0, -offset) on.
   * @default all edges
   */
  readonly strides?: readonly (readonly number[])[];
  /**
   * Instead of the regular grid of `strides`, keep each edge with probability 1 / product(stride), by `seed`.
   * @default false
   */
  readonly randomizedStrides?: boolean;
  /** Added to the affinities: one number, or one a channel. @default 0 */
  readonly bias?: number | readonly number[];
  /** Standard deviation of normal noise added to every affinity; breaks ties and rounding. @default 0 */
  readonly noiseEps?: number;
  /** Seed of noise and of randomised strides, a whole number from 0 to 2^53 - 1. @default 0 */
  readonly seed?: number;
  /** Makes independent random numbers from one seed, for example a block's index; 0 to 2^53 - 1. @default 0 */
  readonly stream?: number;
  /**
   * Voxel coordinates of the array's first voxel in the volume: random numbers belong to positions in the volume, so blocks
   * of one seed and stream see the same noise where they overlap. @default 0
   */
  readonly origin?: readonly number[];
  /** [...spatial]: affinities count as 0 where it is 0. @default none */
  readonly mask?: Uint8Array;
  /** [C, ...spatial]: the affinities, smoothed; adds (smoothed - affinity) to the values. @default none */
  readonly smoothed?: Float32Array;
  /** [...spatial]: voxels of equal ids > 0 are one cluster, different ids are never joined. @default none */
  readonly seeds?: BigUint64Array;
  /** Edges between seed ids, visited before all others, in this order, and before different seeds exclude each other. */
  readonly edges?: readonly (readonly [attractive: boolean, a: bigint, b: bigint])[];
  /** Threads of what can be shared (see below); the result does not depend on them. @default 1 */
  readonly threads?: number;
  readonly signal?: AbortSignal;
}

/**
 * Segments affinities with the mutex watershed (Wolf et al., ECCV 2018).
 *
 * An edge's value is float32(((a + noiseEps * normal) + (smoothed - a)) + bias), computed in float64 in this order, where
 * a = byte / 255 or the float itself. Edges with a value > 0 are attractive, others repulsive. In the order of |value|
 * descending, channel, raster index of the edge's first voxel: an attractive edge joins two clusters unless they are
 * exclusive, a repulsive edge makes them exclusive. The result is a function of the arguments alone, on any machine.
 *
 * The normal deviate is 40 coins and 24 bits between their sums (mean 0, variance 1, excess kurtosis -0.05, at most 6.46),
 * from Philox4x32-10 with the counter (last three coordinates of the voxel, channel / 2) and a key made of seed, stream
 * and the other coordinates.
 *
 * @param affinities [C, ...spatial], C order: bytes (255 = 1) or floats
 * @param shape [C, ...spatial], 1 to 6 spatial axes, fewer than 2^31 voxels and 2^32 edges
 * @returns labels [...spatial]: 0 where no attractive edge and no seed touches the voxel; seed ids for seeded clusters
 *   (the smallest, where `edges` joined several); other clusters are numbered in raster order of their first voxel,
 *   from 1 or from the largest seed id + 1. Peak memory besides inputs and labels: 20 bytes a voxel, 4 an edge (2 for bytes
 *   without noise and smoothing), a quarter of a byte a voxel for each channel with strides, 30 to 165 bytes for each pair of clusters
 *   that was found exclusive, 8 to 24 a voxel with a seed and 45 a seed. Threads share the making of edges, first joins, listing and sorting, not the visits of sorted edges.
 * @throws ERR_ARGUMENT; ERR_NOT_A_NUMBER with channel and voxel; ERR_LIMIT; ERR_CANCELLED; ERR_OUT_OF_MEMORY
 */
export async function mutexWatershed(
  affinities: Uint8Array | Float32Array,
  shape: readonly number[],
  options: MutexWatershedOptions,
): Promise<BigUint64Array> {
  const type = typeName(affinities);
  if (type !== 'Uint8Array' && type !== 'Float32Array') {
    throw argumentError('affinities', 'a Uint8Array or a Float32Array', type);
  }
  if (shape.length < 2 || shape.length > 7) throw argumentError('shape', 'channels and 1 to 6 axes', `[${shape}]`);
  const [channels, ...spatial] = shape;
  const voxels = checkShape('shape', spatial);
  if (!Number.isSafeInteger(channels) || channels < 0 || !Number.isSafeInteger(channels * voxels)) {
    throw argumentError('shape', 'a whole number of channels', `[${shape}]`);
  }
  if (affinities.length !== channels * voxels) {
    throw argumentError('affinities', `${channels * voxels} elements (shape [${shape.join(', ')}])`, affinities.length);
  }
  const { offsets, strides, randomizedStrides = false, noiseEps = 0, seed = 0, stream = 0, origin } = options;
  checkVectors('offsets', offsets, channels, spatial.length, Number.MIN_SAFE_INTEGER);
  if (strides !== undefined) checkVectors('strides', strides, channels, spatial.length, 1);
  if (randomizedStrides && strides === undefined) {
    throw argumentError('randomizedStrides', 'strides to be given too', 'none');
  }
  const bias = typeof options.bias === 'object' ? [...options.bias] : new Array(channels).fill(options.bias ?? 0);
  if (bias.length !== channels) throw argumentError('bias', `one number, or ${channels} (one a channel)`, bias.length);
  for (const value of bias) if (!Number.isFinite(value)) throw argumentError('bias', 'finite numbers', value);
  if (!(noiseEps >= 0 && noiseEps < Infinity)) throw argumentError('noiseEps', 'a finite number >= 0', noiseEps);
  for (const [name, value] of Object.entries({ seed, stream })) {
    if (!Number.isSafeInteger(value) || value < 0)
      throw argumentError(name, 'a whole number from 0 to 2^53 - 1', value);
  }
  if (origin !== undefined && (origin.length !== spatial.length || !origin.every(Number.isSafeInteger))) {
    throw argumentError('origin', `${spatial.length} whole numbers`, `[${origin.join(', ')}]`);
  }
  if (options.mask !== undefined) checkArray('mask', 'Uint8Array', options.mask, spatial);
  if (options.smoothed !== undefined) checkArray('smoothed', 'Float32Array', options.smoothed, shape);
  if (options.seeds !== undefined) checkArray('seeds', 'BigUint64Array', options.seeds, spatial);
  const edges = options.edges ?? [];
  edges.forEach((edge, index) => {
    if (edge.length !== 3 || typeof edge[0] !== 'boolean' || !isUint64(edge[1]) || !isUint64(edge[2])) {
      throw argumentError(`edges[${index}]`, '[attractive: boolean, seed id: bigint, seed id: bigint]', `[${edge}]`);
    }
  });
  const threads = checkThreads(options.threads);
  const labels = new BigUint64Array(voxels);
  await callNative(
    'mutexWatershed',
    {
      affinities,
      shape: spatial,
      offsets,
      strides,
      randomizedStrides,
      bias,
      noiseEps,
      seed,
      stream,
      origin,
      mask: options.mask,
      smoothed: options.smoothed,
      seeds: options.seeds,
      edgeKinds: Uint8Array.from(edges, ([attractive]) => Number(attractive)),
      edgeIds: BigUint64Array.from(edges.flatMap(([, a, b]) => [a, b])),
      threads,
      labels,
    },
    options.signal,
  );
  return labels;
}

/** Name of a value's type, also of typed arrays of another realm. */
function typeName(value: unknown): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}

function isUint64(value: unknown): boolean {
  return typeof value === 'bigint' && value >= 0n && value < 1n << 64n;
}

function checkArray(name: string, type: string, array: ArrayLike<unknown>, shape: readonly number[]): void {
  if (typeName(array) !== type) throw argumentError(name, `a ${type}`, typeName(array));
  const count = shape.reduce((product, extent) => product * extent, 1);
  if (array.length !== count)
    throw argumentError(name, `${count} elements (shape [${shape.join(', ')}])`, array.length);
}

function checkVectors(
  name: string,
  vectors: readonly (readonly number[])[],
  channels: number,
  axes: number,
  minimum: number,
): void {
  if (vectors.length !== channels) throw argumentError(name, `${channels} vectors (one a channel)`, vectors.length);
  vectors.forEach((vector, channel) => {
    if (vector.length !== axes || !vector.every((value) => Number.isSafeInteger(value) && value >= minimum)) {
      const range = minimum === 1 ? 'whole numbers >= 1' : 'whole numbers';
      throw argumentError(`${name}[${channel}]`, `${axes} ${range} (one an axis)`, `[${vector.join(', ')}]`);
    }
  });
}
