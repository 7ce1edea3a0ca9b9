import { callNative } from '../../native/addon.js';
import { type DataType, factsOf, type TypedArray } from '../data-type.js';

/** One computation for every voxel; see native/kernels/voxel_steps.h. */
export interface VoxelStep {
  readonly kind: 'convert' | 'affine' | 'normalise' | 'threshold';
  /** Type of the result. */
  readonly to: DataType;
  /**
   * Pairs: affine [scale, shift], normalise [low, high], threshold [value, 0]; one pair, or one an entry of the first axis. None
   * for convert.
   */
  readonly parameters: readonly number[];
}

/** Voxels that are computed and put into a box of the target. */
export interface VoxelPass {
  readonly source: TypedArray;
  readonly sourceType: DataType;
  /** Of the source, C order; has the target's axes. */
  readonly shape: readonly number[];
  /** Axes along which the source is read backwards, from 0. */
  readonly flipped: readonly number[];
  readonly steps: readonly VoxelStep[];
  /** May be the source's memory where items have one size, nothing is flipped and the shapes are equal. */
  readonly target: TypedArray;
  readonly targetShape: readonly number[];
  /** Where in the target the box of `shape` begins. */
  readonly targetBegin: readonly number[];
}

/** Computes all voxels in one native pass over threads; neither memory may be touched until the promise settles. */
export async function runVoxelPass(
  pass: VoxelPass,
  { threads, signal }: { readonly threads: number; readonly signal?: AbortSignal | undefined },
): Promise<void> {
  const steps = pass.steps.map((step) => ({ ...step, to: elementType(step.to) }));
  return callNative<void>('voxelSteps', { ...pass, steps, sourceType: elementType(pass.sourceType), threads }, signal);
}

/** The type of an element in memory. */
function elementType(dataType: DataType): string {
  const { kind, bytes } = factsOf(dataType);
  if (kind === 'boolean') return 'bool';
  return `${{ unsigned: 'uint', signed: 'int', float: 'float' }[kind]}${8 * bytes}`;
}
