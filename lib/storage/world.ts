import { Coordinate } from '../geometry/coordinate.js';
import type { Document } from './document.js';
import type { ArrayMetadata } from './metadata.js';

/** Where an array's voxels lie in the world: the part of the metadata that zarr itself does not know. */
export type World = Pick<ArrayMetadata, 'channelAxes' | 'offset' | 'voxelSize' | 'units' | 'axisNames'>;

export type AxisType = 'space' | 'time' | 'channel';

/** One axis of an array; `offset`, `voxelSize` and `unit` have a meaning where it is physical. */
export interface Axis {
  readonly name: string;
  /** A type other than space and time is a channel ('batch', ...). */
  readonly type: string;
  readonly offset: number;
  readonly voxelSize: number;
  readonly unit: string;
}

export function isPhysical(type: string): boolean {
  return type === 'space' || type === 'time';
}

/**
 * Splits the axes into leading channels and physical axes. A time axis before a channel axis (t, c, z, y, x) counts as a
 * channel: its place in the world is then not known to us.
 *
 * @throws ERR_UNSUPPORTED when a space axis comes before a channel axis, or no axis is physical
 */
export function worldOf(axes: readonly Axis[], source: Document): World {
  const channelAxes = axes.findLastIndex((axis) => !isPhysical(axis.type)) + 1;
  if (
    (channelAxes > 0 && channelAxes === axes.length) ||
    axes.slice(0, channelAxes).some((axis) => axis.type === 'space')
  ) {
    source.unsupported('axes', `channel axes before space axes, not ${axes.map((axis) => axis.type).join(', ')}`);
  }
  const physical = axes.slice(channelAxes);
  return {
    channelAxes,
    offset: new Coordinate(physical.map((axis) => axis.offset)),
    voxelSize: new Coordinate(physical.map((axis) => axis.voxelSize)),
    units: physical.map((axis) => axis.unit),
    axisNames: axes.map((axis, index) =>
      index < channelAxes && !axis.name.endsWith('^') ? `${axis.name}^` : axis.name,
    ),
  };
}
