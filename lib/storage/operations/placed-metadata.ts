import { Coordinate } from '../../geometry/coordinate.js';
import type { ArrayMetadata } from '../metadata.js';
import type { OperationPath, VolumeOperation } from './operation.js';

type Place = Extract<VolumeOperation, { type: 'place' }>;
type Fail = (path: OperationPath, expected: string, found: unknown) => never;

/** The metadata of a volume with another place in the world. What is not given stays, where it still has one entry an axis. */
export function placedMetadata(metadata: ArrayMetadata, place: Place, fail: Fail): ArrayMetadata {
  const dimensions = metadata.shape.length;
  const physical = physicalAxes(metadata, place, fail);
  const channelAxes = dimensions - physical;
  const keep = channelAxes === metadata.channelAxes;
  const checked = <Entry>(key: 'voxelSize' | 'offset' | 'units', right: (entry: unknown) => boolean, what: string) => {
    const list = place[key] as readonly Entry[] | undefined;
    if (list !== undefined && (list.length !== physical || !list.every(right))) {
      fail([key], `${physical} ${what}, one a physical axis`, list);
    }
    return list;
  };
  const voxelSize = checked<number>(
    'voxelSize',
    (one) => Number.isSafeInteger(one) && (one as number) > 0,
    'whole numbers above 0',
  );
  const offset = checked<number>('offset', Number.isSafeInteger, 'whole numbers');
  const units = checked<string>('units', (one) => typeof one === 'string', 'texts');
  const names = place.axisNames ?? metadata.axisNames;
  return {
    ...metadata,
    channelAxes,
    axisNames: names.map((name, axis) => name.replace(/\^?$/, axis < channelAxes ? '^' : '')),
    voxelSize:
      voxelSize === undefined
        ? keep
          ? metadata.voxelSize
          : Coordinate.filled(physical, 1)
        : new Coordinate(voxelSize),
    offset: offset === undefined ? (keep ? metadata.offset : Coordinate.filled(physical, 0)) : new Coordinate(offset),
    units: units ?? (keep ? metadata.units : new Array<string>(physical).fill('')),
  };
}

/** By the names' '^', else by how many entries there are. */
function physicalAxes(metadata: ArrayMetadata, place: Place, fail: Fail): number {
  const dimensions = metadata.shape.length;
  const { axisNames } = place;
  if (axisNames !== undefined) {
    const channels = axisNames.findLastIndex((name) => name.endsWith('^')) + 1;
    const first = axisNames.slice(0, channels).every((name) => name.endsWith('^'));
    if (axisNames.length !== dimensions || !first || channels >= dimensions) {
      fail(
        ['axisNames'],
        `${dimensions} names, channels first and with a '^' at the end, the last one physical`,
        axisNames,
      );
    }
    return dimensions - channels;
  }
  const [key, list] = Object.entries({ voxelSize: place.voxelSize, offset: place.offset, units: place.units }).find(
    ([, one]) => one !== undefined,
  ) ?? ['', undefined];
  if (list === undefined) return fail([], 'axisNames, voxelSize, offset or units', 'none of them');
  if (list.length === 0 || list.length > dimensions) fail([key], `1 to ${dimensions} entries`, list);
  return list.length;
}
