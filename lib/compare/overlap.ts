import { BlockwrightError } from '../errors.js';
import { Coordinate } from '../geometry/coordinate.js';
import { Roi } from '../geometry/roi.js';
import type { Volume } from '../storage/volume.js';
import type { VoxelRange } from '../storage/voxel-boxes.js';

/** The voxels that two volumes are compared in. */
export interface Overlap {
  /** The box in voxels of the first volume, all axes. */
  readonly box: VoxelRange;
  /** What is added to a position of the first volume to get that of the second. */
  readonly shift: readonly number[];
  /** The box in the world, by the first volume's place in it. */
  readonly roi: Roi;
  readonly voxels: number;
  /** Voxels of each volume (or of the part of it that was asked for) that the other does not have. */
  readonly outside: readonly [number, number];
  /** Set where positions in the world are not what was compared by: why. */
  readonly byIndex?: string;
}

export interface OverlapOptions {
  /** Only this part, in world units of the first volume. */
  readonly roi?: Roi | undefined;
  /** The first voxel with the first, wherever they lie in the world. */
  readonly byIndex?: boolean | undefined;
}

const countOf = (shape: readonly number[]) => shape.reduce((product, extent) => product * extent, 1);

/**
 * Where two volumes are both, in the world; or, where their voxels have different sizes but there are as many along every
 * axis, from index to index.
 *
 * @throws ERR_ARGUMENT where they do not overlap, or their voxels do not match
 */
export function overlapOf(a: Volume, b: Volume, options: OverlapOptions = {}): Overlap {
  const [one, other] = [a.metadata, b.metadata];
  if (one.shape.length !== other.shape.length) {
    throw mismatch(a, b, 'as many axes', `[${one.shape}] and [${other.shape}]`);
  }
  let reason = options.byIndex === true ? 'as was asked for' : undefined;
  if (reason === undefined) {
    const unlike =
      one.channelAxes !== other.channelAxes
        ? `${one.channelAxes} and ${other.channelAxes} channel axes`
        : one.voxelSize.equals(other.voxelSize)
          ? undefined
          : `voxel sizes ${one.voxelSize} and ${other.voxelSize}`;
    const sameShape = one.shape.every((extent, axis) => extent === other.shape[axis]);
    if (unlike !== undefined && !sameShape) {
      throw mismatch(a, b, 'voxels of one size', `${unlike}; --by-index compares the first voxel with the first`);
    }
    if (unlike !== undefined) reason = `${unlike}, but one shape`;
  }
  const shift = one.shape.map(() => 0);
  if (reason === undefined) {
    const apart = one.offset.subtract(other.offset);
    const voxels = apart.values.map((distance, axis) => distance / one.voxelSize.at(axis));
    if (!voxels.every(Number.isInteger)) {
      const found = `offsets ${one.offset} and ${other.offset} with voxels of ${one.voxelSize}`;
      throw mismatch(
        a,
        b,
        'offsets that differ by whole voxels',
        `${found}; --by-index compares the first voxel with the first`,
      );
    }
    for (const [axis, distance] of voxels.entries()) shift[one.channelAxes + axis] = distance;
  }
  const wanted = wantedBox(a, options.roi);
  const begin = wanted.begin.map((first, axis) => Math.max(first, -shift[axis]));
  const end = wanted.end.map((last, axis) => Math.min(last, other.shape[axis] - shift[axis]));
  if (begin.some((first, axis) => first >= end[axis]) && !(countOf(one.shape) === 0 && countOf(other.shape) === 0)) {
    throw mismatch(
      a,
      b,
      'arrays that overlap',
      `[${a.roi}] and [${b.roi}]${options.roi === undefined ? '' : `, of them ${options.roi}`}`,
    );
  }
  const shape = begin.map((first, axis) => Math.max(0, end[axis] - first));
  const voxels = countOf(shape);
  // of the second, the part that was asked for is the wanted box moved into it, cut to its extents
  const otherShape =
    options.roi === undefined
      ? other.shape
      : shape.map((_, axis) => {
          const last = Math.min(other.shape[axis], roiEnd(a, options.roi!, axis) + shift[axis]);
          return Math.max(0, last - Math.max(0, roiBegin(a, options.roi!, axis) + shift[axis]));
        });
  return {
    box: { begin, end },
    shift,
    roi: worldOf(a, begin, shape),
    voxels,
    outside: [
      countOf(wanted.end.map((last, axis) => Math.max(0, last - wanted.begin[axis]))) - voxels,
      countOf(otherShape) - voxels,
    ],
    ...(reason === undefined ? {} : { byIndex: reason }),
  };
}

function mismatch(a: Volume, b: Volume, expected: string, found: string): BlockwrightError {
  return new BlockwrightError('ERR_ARGUMENT', `${a.path}, ${b.path}: expected ${expected}, found ${found}`, {
    expected,
    found,
  });
}

/** The first voxel of a part along an axis, which may lie outside the volume; channels are taken whole. */
function roiBegin({ metadata }: Volume, roi: Roi, axis: number): number {
  const physical = axis - metadata.channelAxes;
  if (physical < 0) return 0;
  return Math.floor((roi.begin.at(physical) - metadata.offset.at(physical)) / metadata.voxelSize.at(physical));
}

function roiEnd({ metadata }: Volume, roi: Roi, axis: number): number {
  const physical = axis - metadata.channelAxes;
  if (physical < 0) return metadata.shape[axis];
  return Math.ceil((roi.end.at(physical) - metadata.offset.at(physical)) / metadata.voxelSize.at(physical));
}

function wantedBox(volume: Volume, roi: Roi | undefined): { begin: number[]; end: number[] } {
  const { shape, channelAxes } = volume.metadata;
  if (roi === undefined) return { begin: shape.map(() => 0), end: [...shape] };
  if (roi.dimensions !== shape.length - channelAxes) {
    const found = `${roi.dimensions}`;
    throw new BlockwrightError(
      'ERR_ARGUMENT',
      `roi: expected ${shape.length - channelAxes} axes as ${volume.path} has, found ${found}`,
    );
  }
  return {
    begin: shape.map((_, axis) => Math.max(0, roiBegin(volume, roi, axis))),
    end: shape.map((extent, axis) => Math.min(extent, roiEnd(volume, roi, axis))),
  };
}

function worldOf({ metadata }: Volume, begin: readonly number[], shape: readonly number[]): Roi {
  const { channelAxes, offset, voxelSize } = metadata;
  const corner = offset.add(voxelSize.multiply(new Coordinate(begin.slice(channelAxes))));
  return new Roi(corner, voxelSize.multiply(new Coordinate(shape.slice(channelAxes))));
}

/** The corner of a voxel of a volume in the world. */
export function worldPosition({ metadata }: Volume, index: readonly number[]): number[] {
  const { channelAxes, offset, voxelSize } = metadata;
  return index.slice(channelAxes).map((voxel, axis) => offset.at(axis) + voxel * voxelSize.at(axis));
}
