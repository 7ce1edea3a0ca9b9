import { join } from 'node:path';
import { affinitiesFromLabels } from '#examples/fib25/affinities-recipe.js';
import { goldens, readNpz } from './goldens.js';

/** Voxels [begin, end) of the FIB-25 labels, every `step`-th one. */
export interface Crop {
  readonly begin: readonly number[];
  readonly end: readonly number[];
  readonly step?: readonly number[];
  /** A volume of one slice becomes an image. */
  readonly squeeze?: boolean;
}

export interface LabelVolume {
  readonly labels: Uint8Array;
  readonly shape: number[];
}

let volume: { data: Uint8Array; shape: number[] } | undefined;

/** A part of the FIB-25 labels, which is then a volume of its own. */
export function cropOfLabels({ begin, end, step = [1, 1, 1], squeeze = false }: Crop): LabelVolume {
  volume ??= readNpz(join(goldens, 'fib25/labels.npz')).labels as unknown as { data: Uint8Array; shape: number[] };
  const shape = begin.map((low, axis) => Math.ceil((end[axis] - low) / step[axis]));
  const labels = new Uint8Array(shape[0] * shape[1] * shape[2]);
  let at = 0;
  for (let z = begin[0]; z < end[0]; z += step[0]) {
    for (let y = begin[1]; y < end[1]; y += step[1]) {
      for (let x = begin[2]; x < end[2]; x += step[2]) {
        labels[at++] = volume.data[(z * volume.shape[1] + y) * volume.shape[2] + x];
      }
    }
  }
  return { labels, shape: squeeze ? shape.slice(1) : shape };
}

/** Affinities of a whole volume by the example's recipe: [offsets, ...shape], uint8. */
export function affinitiesOf(
  { labels, shape }: LabelVolume,
  offsets: readonly (readonly number[])[],
  seed: number,
): Uint8Array {
  const begin = shape.map(() => 0);
  return affinitiesFromLabels({ labels, begin, shape }, begin, shape, { offsets, volumeShape: shape, seed });
}
