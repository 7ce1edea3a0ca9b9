import { BlockwrightError } from '../../errors.js';
import type { DataType } from '../metadata.js';

/**
 * Something that is done to a volume while it is read, as plain data. Channels and voxels are counted from 0; physical axes are
 * counted without the channels (0 = z of z, y, x).
 *
 * - `place`: where the volume lies in the world, and which axes are channels, where its own attributes do not say so or are
 *   wrong; only as the first operation.
 * - `channels`: these channels of the first axis, in this order; a single number takes the axis away.
 * - `slice`: the voxels [begin, end) of the physical axes. The offset moves along: what is left stays where it was in the world.
 * - `flip`: mirrors physical axes inside the volume's box; offsets of a `neighborhood` change their sign.
 * - `scale-shift`: v * scale + shift, computed in float64. float32, or float64 of 32- and 64-bit integers and of float64.
 * - `normalise`: (v - low) / (high - low), computed in float64, clipped to [0, 1]; NaN stays. float32. `omero` takes low and high
 *   of each channel from the `omero` display windows of the OME-Zarr image around the array.
 * - `threshold`: 1 where v > value, else 0; uint8. For float32 the value is rounded to float32, integers are compared exactly.
 * - `convert`: to another type. Floats become integers by rounding half to even; what the type cannot hold becomes the nearest
 *   value that it can, NaN becomes 0. bool is 0 or 1: whether the value is neither 0 nor NaN.
 */
export type VolumeOperation =
  | {
      readonly type: 'place';
      /** One a axis; channels come first and end in '^'. @default the volume's */
      readonly axisNames?: readonly string[] | undefined;
      /** World units a voxel, one entry a physical axis. Fewer entries than axes: the leading axes are channels. @default the volume's, else 1 */
      readonly voxelSize?: readonly number[] | undefined;
      /** World units of the corner. @default the volume's, else 0 */
      readonly offset?: readonly number[] | undefined;
      /** One a physical axis, e.g. 'nm'. @default the volume's, else unknown */
      readonly units?: readonly string[] | undefined;
    }
  | { readonly type: 'channels'; readonly channels: number | readonly number[] }
  | {
      readonly type: 'slice';
      /** @default the first voxel */
      readonly begin?: readonly number[] | undefined;
      /** @default the end of the volume */
      readonly end?: readonly number[] | undefined;
    }
  | { readonly type: 'flip'; readonly axes: readonly number[] }
  | {
      readonly type: 'scale-shift';
      /** @default 1 */
      readonly scale?: number | undefined;
      /** @default 0 */
      readonly shift?: number | undefined;
    }
  | { readonly type: 'normalise'; readonly range: readonly [number, number] | 'omero' }
  | { readonly type: 'threshold'; readonly value: number }
  | { readonly type: 'convert'; readonly dataType: ConvertedType };

/** The types that voxels can be converted to. */
export const CONVERTED_TYPES = [
  'bool',
  'uint8',
  'int8',
  'uint16',
  'int16',
  'uint32',
  'int32',
  'uint64',
  'int64',
  'float32',
  'float64',
] as const satisfies readonly DataType[];

export type ConvertedType = (typeof CONVERTED_TYPES)[number];

/** Where in a volume's source a problem is, e.g. ['operations', 0, 'channels', 1]. */
export type OperationPath = readonly (string | number)[];

/** ERR_ARGUMENT for an operation (or stack) that its volume does not allow; `details` has path, expected and found. */
export function operationError(path: OperationPath, expected: string, found: string): BlockwrightError {
  const key = path.map((part, i) => (typeof part === 'number' ? `[${part}]` : i === 0 ? part : `.${part}`)).join('');
  return new BlockwrightError('ERR_ARGUMENT', `${key}: expected ${expected}, found ${found}`, {
    path,
    expected,
    found,
  });
}

/** Whether voxels move in the world, so that a part of the result does not come from the same part of the source. */
export function movesVoxels(operations: readonly VolumeOperation[] = []): boolean {
  return operations.some(({ type }) => type === 'flip' || type === 'place');
}

export function needsWindows(operations: readonly VolumeOperation[] = []): boolean {
  return operations.some((one) => one.type === 'normalise' && one.range === 'omero');
}
