import { BlockwrightError } from '../errors.js';
import type { Document } from './document.js';
import type { ArrayMetadata } from './metadata.js';
import { isPhysical, type World, worldOf } from './world.js';

/** Array attributes of funlib.persistence (daisy, volara); the last two have an entry an axis, the others one a physical axis. */
const KEYS = ['offset', 'voxel_size', 'units', 'axis_names', 'types'] as const;

/** Names of the axes in the attributes of a v2 array, as xarray has them; v3 has a place for them in zarr.json. */
export const DIMENSION_NAMES_V2 = '_ARRAY_DIMENSIONS';

/** Whether the attributes place the array in the world. */
export function hasWorldAttributes(attributes: Document): boolean {
  return KEYS.some((key) => attributes.has(key));
}

function checkCount(
  attributes: Document,
  key: string,
  entries: readonly unknown[],
  expected: number,
  of: string,
): void {
  if (entries.length !== expected) attributes.fail(key, `${expected} entries, one ${of}`);
}

/** Types of the axes: as written, or by a '^' at the end of names, or leading channels where other keys have fewer entries. */
function axisTypes(
  attributes: Document,
  axisNames: readonly string[] | undefined,
  dimensions: number,
  dimensionNames: readonly (string | null)[] = [],
): string[] {
  if (attributes.has('types')) {
    const types = attributes.texts('types');
    checkCount(attributes, 'types', types, dimensions, 'an axis');
    return types;
  }
  if (axisNames?.some((name) => name.endsWith('^'))) {
    return axisNames.map((name) => (name.endsWith('^') ? 'channel' : 'space'));
  }
  const key = KEYS.slice(0, 3).find((name) => attributes.has(name));
  const physical = key === undefined ? dimensions - namedChannels(dimensionNames) : attributes.list(key).length;
  return Array.from({ length: dimensions }, (_, axis) => (axis < dimensions - physical ? 'channel' : 'space'));
}

/** How many leading dimensions have the name of a channel; at least one is none. */
function namedChannels(names: readonly (string | null)[]): number {
  const first = names.findIndex((name) => name === null || !/^(c|channels?)$|\^$/.test(name));
  return first < 0 ? Math.max(0, names.length - 1) : first;
}

/**
 * Reads the world from an array's attributes, with the defaults of funlib.persistence: offset 0, voxel size 1, units '',
 * names c0^, c1^, ... for channels and d0, d1, ... for the others.
 *
 * @param dimensionNames of zarr v3 or of xarray, used where `axis_names` is missing
 * @throws ERR_METADATA when an entry has another count, or is no whole number
 */
export function parseWorldAttributes(
  attributes: Document,
  dimensions: number,
  dimensionNames?: readonly (string | null)[],
): World {
  const written = attributes.has('axis_names') ? attributes.texts('axis_names') : undefined;
  if (written !== undefined) checkCount(attributes, 'axis_names', written, dimensions, 'an axis');
  const types = axisTypes(attributes, written, dimensions, dimensionNames);
  const physical = types.filter(isPhysical).length;
  const offset = attributes.has('offset') ? attributes.integers('offset') : new Array<number>(physical).fill(0);
  const voxelSize = attributes.has('voxel_size')
    ? attributes.integers('voxel_size', 1)
    : new Array<number>(physical).fill(1);
  const units = attributes.has('units') ? attributes.texts('units') : new Array<string>(physical).fill('');
  checkCount(attributes, 'offset', offset, physical, 'a physical axis');
  checkCount(attributes, 'voxel_size', voxelSize, physical, 'a physical axis');
  checkCount(attributes, 'units', units, physical, 'a physical axis');
  let channelsSeen = 0;
  let physicalSeen = 0;
  const axes = types.map((type, axis) => {
    const isChannel = !isPhysical(type);
    const fallback = isChannel ? `c${channelsSeen++}^` : `d${physicalSeen}`;
    const entry = physicalSeen;
    if (!isChannel) physicalSeen += 1;
    return {
      name: written?.[axis] ?? dimensionNames?.[axis] ?? fallback,
      type,
      offset: isChannel ? 0 : offset[entry],
      voxelSize: isChannel ? 1 : voxelSize[entry],
      unit: isChannel ? '' : units[entry],
    };
  });
  return worldOf(axes, attributes);
}

/** Attributes of an array beside those that describe its place in the world. */
export function otherAttributes(attributes: Document): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(attributes.members).filter(
      ([key]) => key !== DIMENSION_NAMES_V2 && !KEYS.some((name) => name === key),
    ),
  );
}

/** All attributes of a new array. */
export function formatWorldAttributes(metadata: ArrayMetadata): Record<string, unknown> {
  for (const key of KEYS) {
    if (Object.hasOwn(metadata.attributes, key)) {
      throw new BlockwrightError('ERR_ARGUMENT', `attributes: ${key} is written from the metadata, do not give it`, {
        key,
      });
    }
  }
  return {
    offset: metadata.offset.values,
    voxel_size: metadata.voxelSize.values,
    units: metadata.units,
    axis_names: metadata.axisNames,
    types: metadata.shape.map((_, axis) => (axis < metadata.channelAxes ? 'channel' : 'space')),
    ...metadata.attributes,
  };
}
