import { join } from 'node:path';
import { affinitiesFromLabels, rankedValues } from '#examples/fib25/affinities-recipe.js';
import { goldens, readJson, readNpz } from './goldens.js';

/** What the goldens of mws/ and pipeline/ say about their input: a crop of the labels and a recipe for affinities. */
export interface Fib25Case {
  readonly crop: {
    readonly begin: number[];
    readonly end: number[];
    readonly step?: number[];
    readonly squeeze?: boolean;
  };
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

const volume = readNpz(join(goldens, 'fib25/labels.npz')).labels;

/** The labels and affinities behind a golden, from its JSON file. */
export function fib25Input(path: string): Fib25Input {
  const json = readJson<Fib25Case & Record<string, unknown>>(join(goldens, path));
  const { begin, end, step = [1, 1, 1], squeeze } = json.crop;
  const whole = begin.map((low, axis) => Math.ceil((end[axis] - low) / step[axis]));
  const truth = new Uint8Array(whole[0] * whole[1] * whole[2]);
  let at = 0;
  for (let z = begin[0]; z < end[0]; z += step[0]) {
    for (let y = begin[1]; y < end[1]; y += step[1]) {
      for (let x = begin[2]; x < end[2]; x += step[2]) {
        truth[at++] = Number(volume.data[(z * volume.shape[1] + y) * volume.shape[2] + x]);
      }
    }
  }
  const shape = squeeze === true ? whole.slice(1) : whole;
  const origin = shape.map(() => 0);
  const recipe = { offsets: json.offsets, volumeShape: shape, noise: true, seed: json.recipe.seed ?? json.seed! };
  const affinities = affinitiesFromLabels({ labels: truth, begin: origin, shape }, origin, shape, recipe);
  return { shape, truth, offsets: json.offsets, affinities, json };
}

/** The affinities of a golden of pipeline/: 0.5 + 0.5 * ranked values, exact in float32. */
export function rankedAffinities(input: Fib25Input): Float32Array {
  return rankedValues(input.affinities, input.json.thresholds, input.json.seed!).map((value) => 0.5 + 0.5 * value);
}
