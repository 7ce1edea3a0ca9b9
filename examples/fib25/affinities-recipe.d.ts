/** Types of affinities-recipe.js, for TypeScript that imports it. */

export interface LabelBox {
  readonly labels: Uint8Array | Uint16Array | Uint32Array;
  readonly begin: readonly number[];
  readonly shape: readonly number[];
}

export interface AffinityRecipe {
  readonly offsets: readonly (readonly number[])[];
  readonly seed: number;
  readonly volumeShape: readonly number[];
  readonly noise?: boolean;
}

export function recipeHalo(offsets: readonly (readonly number[])[]): number[];
export function affinitiesFromLabels(
  source: LabelBox,
  begin: readonly number[],
  end: readonly number[],
  recipe: AffinityRecipe,
): Uint8Array;
export function fmix32(value: number): number;
export function chain(seed: number, ...values: readonly number[]): number;
export function rankedValues(affinities: Uint8Array, thresholds: readonly number[], seed: number): Float32Array;
