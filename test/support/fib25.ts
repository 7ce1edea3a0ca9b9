import { join } from 'node:path';
import { affinitiesFromLabels, rankedValues } from '#examples/fib25/affinities-recipe.js';
import { ChunkedArray } from '../../lib/storage/chunked-array.js';
import { goldens, readJson } from './goldens.js';

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

/** The labels of the whole volume. Goldens name them `../fib25/labels.npz`; they lie with the example. */
export const fib25Labels: LabelVolume = await readLabels();

async function readLabels(): Promise<LabelVolume> {
  const array = await ChunkedArray.open(join(goldens, '../../examples/fib25/labels.zarr'));
  const labels = await array.readRegion([0, 0, 0], array.shape);
  return { labels: labels as Uint8Array, shape: [...array.shape] };
}

/** A part of the FIB-25 labels, which is then a volume of its own. */
export function cropOfLabels({ begin, end, step = [1, 1, 1], squeeze = false }: Crop): LabelVolume {
  const { labels: whole, shape: extent } = fib25Labels;
  const shape = begin.map((low, axis) => Math.ceil((end[axis] - low) / step[axis]));
  const labels = new Uint8Array(shape[0] * shape[1] * shape[2]);
  let at = 0;
  for (let z = begin[0]; z < end[0]; z += step[0]) {
    for (let y = begin[1]; y < end[1]; y += step[1]) {
      for (let x = begin[2]; x < end[2]; x += step[2]) {
        labels[at++] = whole[(z * extent[1] + y) * extent[2] + x];
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

/** What the goldens of mws/ and pipeline/ say about their input: a crop of the labels and a recipe for affinities. */
export interface Fib25Case {
  readonly crop: Crop;
  readonly offsets: number[][];
  readonly thresholds: number[];
  readonly seed?: number;
  readonly recipe: { readonly seed?: number };
}

export interface Fib25Input {
  readonly shape: number[];
  readonly truth: Uint8Array;
  readonly offsets: number[][];
  readonly affinities: Uint8Array;
  readonly json: Fib25Case & Record<string, unknown>;
}

/** The labels and affinities behind a golden, from its JSON file. */
export function fib25Input(path: string): Fib25Input {
  const json = readJson<Fib25Case & Record<string, unknown>>(join(goldens, path));
  const volume = cropOfLabels(json.crop);
  const affinities = affinitiesOf(volume, json.offsets, json.recipe.seed ?? json.seed!);
  return { shape: volume.shape, truth: volume.labels, offsets: json.offsets, affinities, json };
}

/** The affinities of a golden of pipeline/: 0.5 + 0.5 * ranked values, exact in float32. */
export function rankedAffinities(input: Fib25Input): Float32Array {
  return rankedValues(input.affinities, input.json.thresholds, input.json.seed!).map((value) => 0.5 + 0.5 * value);
}
