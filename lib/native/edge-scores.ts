import { callNative } from './addon.js';
import { argumentError, checkAffinities, checkBox, checkChannels, checkLabels } from './checks.js';
import type { VoxelBox } from './voxel-box.js';

export interface EdgeScoresOptions {
  /** One integer vector a channel of the affinities, in voxels. */
  readonly offsets: readonly (readonly number[])[];
  /** The channels behind each score, at least one each. Other channels are not read. */
  readonly scores: Readonly<Record<string, readonly number[]>>;
  /** Where the first voxel of a counted pair lies. @default all of the array */
  readonly box?: VoxelBox;
  readonly signal?: AbortSignal;
}

/** Partial sums of one score. */
export interface EdgeScoreSums {
  /** Sum of the stored values: of 0..255 for uint8 (exact; the score is sum / 255 / count), of the values for float32. */
  readonly sums: Float64Array;
  /** Voxel pairs; 0 = the edge has no such score. */
  readonly counts: Float64Array;
}

/** Edges as columns, ascending by (u, v), u < v. */
export interface EdgeScores {
  readonly u: BigUint64Array;
  readonly v: BigUint64Array;
  readonly attributes: Record<string, EdgeScoreSums>;
}

/**
 * Sums of affinities over the voxel pairs (p, p + offset) of different fragments, by edge and score. A pair counts when
 * p lies in `box`, both ends lie in the array and both fragments are above 0, so boxes that tile a volume count every
 * pair once and their sums add up to those of the volume.
 *
 * Float sums are float64 in a fixed order: row by row, channel by channel, runs of one pair summed first. Peak memory
 * beside the inputs: 5 bytes a voxel, at most 130 bytes an edge and 64 an edge and score.
 *
 * @param fragments uint64, C order, of `shape` (1 to 6 dimensions)
 * @param affinities [offsets, ...shape], read at p
 * @throws ERR_ARGUMENT; ERR_NOT_A_NUMBER when a counted affinity is NaN; ERR_CANCELLED
 */
export async function edgeScores(
  fragments: BigUint64Array,
  affinities: Uint8Array | Float32Array,
  shape: readonly number[],
  options: EdgeScoresOptions,
): Promise<EdgeScores> {
  const count = checkLabels('fragments', fragments, shape);
  const available = checkAffinities(affinities, shape);
  const { offsets, scores } = options;
  if (count > 0 && offsets.length !== available) {
    throw argumentError('offsets', `one for each of the ${available} channels of the affinities`, offsets.length);
  }
  for (const offset of offsets) {
    if (offset.length !== shape.length || !offset.every(Number.isSafeInteger)) {
      throw argumentError('offsets', `${shape.length} whole numbers each`, `[${offset.join(', ')}]`);
    }
  }
  const box = options.box ?? { offset: shape.map(() => 0), shape };
  checkBox('box', box, shape);
  const names = Object.keys(scores);
  if (names.length === 0) throw argumentError('scores', 'at least one score', 'none');
  for (const name of names) checkChannels(`scores.${name}`, scores[name], offsets.length, false);
  const channels = offsets
    .map((_, channel) => channel)
    .filter((channel) => names.some((name) => scores[name].includes(channel)));
  const columns = await callNative<{
    u: BigUint64Array;
    v: BigUint64Array;
    sums: Float64Array[];
    counts: Float64Array[];
  }>(
    'edgeScores',
    {
      fragments,
      affinities,
      shape,
      boxOffset: box.offset,
      boxShape: box.shape,
      channels,
      offsets: channels.map((channel) => offsets[channel]),
      channelScores: channels.map((channel) =>
        [...names.keys()].filter((index) => scores[names[index]].includes(channel)),
      ),
      scores: names.length,
    },
    options.signal,
  );
  const attributes = Object.fromEntries(
    names.map((name, index) => [name, { sums: columns.sums[index], counts: columns.counts[index] }]),
  );
  return { u: columns.u, v: columns.v, attributes };
}
