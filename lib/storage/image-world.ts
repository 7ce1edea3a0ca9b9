import { basename, dirname, join } from 'node:path';
import type { Decimal } from './decimal.js';
import { findImages, type Image, type ImageLevel } from './image-group.js';
import { isPhysical, type World, worldOf } from './world.js';

const MAX_GROUPS_ABOVE = 8;
const PREFIXES: Readonly<Record<string, number>> = {
  kilo: 3,
  '': 0,
  centi: -2,
  milli: -3,
  micro: -6,
  nano: -9,
  pico: -12,
};
/** What decimal coordinates are converted to, coarsest first. */
const FINER_PREFIXES = ['milli', 'micro', 'nano', 'pico'] as const;

/** 'micrometer' -> {power: -6, base: 'meter'}; undefined for a unit that is not metric. */
function parseUnit(unit: string): { readonly power: number; readonly base: string } | undefined {
  const found = /^(kilo|centi|milli|micro|nano|pico|)(meter|second)$/.exec(unit);
  return found === null ? undefined : { power: PREFIXES[found[1]], base: found[2] };
}

/** Power of ten and unit by which an axis is converted. */
interface Conversion {
  readonly power: number;
  readonly unit: string;
}

/**
 * World coordinates are whole numbers, images often have decimal ones (0.5 micrometer). Where the axes of one type have metric
 * units, all of them are then converted to the coarsest unit in which every level's voxel size and position is whole
 * (500 nanometer). All levels are converted alike. Where there is no such unit nothing is converted.
 */
function conversionsOf(image: Image): Conversion[] {
  const conversions: Conversion[] = image.axes.map(({ unit }) => ({ power: 0, unit }));
  for (const type of ['space', 'time']) {
    const axes = image.axes.flatMap((axis, index) => (axis.type === type ? [index] : []));
    const whole = (list: readonly Conversion[]) =>
      image.levels.every((level) =>
        axes.every((axis) =>
          [level.scale[axis], level.translation[axis]].every(
            (value) => value.timesPowerOfTen(list[axis].power).toInteger() !== undefined,
          ),
        ),
      );
    const units = image.axes.map(({ unit }) => parseUnit(unit));
    if (whole(conversions) || axes.some((axis) => units[axis] === undefined)) continue;
    for (const prefix of FINER_PREFIXES) {
      const converted = conversions.map((conversion, axis) => {
        const unit = units[axis];
        if (!axes.includes(axis) || unit === undefined) return conversion;
        return { power: unit.power - PREFIXES[prefix], unit: prefix + unit.base };
      });
      if (!axes.every((axis) => converted[axis].power >= 0) || !whole(converted)) continue;
      conversions.splice(0, conversions.length, ...converted);
      break;
    }
  }
  return conversions;
}

/**
 * The world of one level of an image.
 *
 * @throws ERR_METADATA when a voxel size or position is no whole number in any unit; ERR_UNSUPPORTED
 */
export function imageWorld(image: Image, level: ImageLevel): World {
  const conversions = conversionsOf(image);
  const integer = (value: Decimal, axis: number, what: string): number => {
    const result = value.timesPowerOfTen(conversions[axis].power).toInteger();
    if (result !== undefined) return result;
    const { name, unit } = image.axes[axis];
    const found = `${value.toNumber()} ${unit || '(no unit)'} for the ${what} of level ${level.path}, axis ${name}`;
    return image.source.fail('datasets', `whole numbers of world units, but there is ${found}`);
  };
  const axes = image.axes.map(({ name, type }, axis) => ({
    name,
    type,
    offset: isPhysical(type) ? integer(level.translation[axis], axis, 'translation') : 0,
    voxelSize: isPhysical(type) ? integer(level.scale[axis], axis, 'scale') : 1,
    unit: conversions[axis].unit,
  }));
  return worldOf(axes, image.source);
}

/** The image that an array is a level of, and which level; undefined when it is none. */
export async function findImageOf(
  arrayPath: string,
): Promise<{ readonly image: Image; readonly level: ImageLevel } | undefined> {
  let below = basename(arrayPath);
  let folder = dirname(arrayPath);
  for (let depth = 0; depth < MAX_GROUPS_ABOVE && folder !== dirname(folder); depth += 1) {
    const images = await findImages(folder);
    if (images === undefined) return undefined;
    for (const image of images) {
      const level = image.levels.find(({ path }) => path === below);
      if (level !== undefined) return { image, level };
    }
    below = join(basename(folder), below);
    folder = dirname(folder);
  }
  return undefined;
}

/** The world that the image around an array gives it; undefined when the array is no level of an image. */
export async function findImageWorld(arrayPath: string, dimensions: number): Promise<World | undefined> {
  const found = await findImageOf(arrayPath);
  if (found === undefined) return undefined;
  const { image, level } = found;
  if (image.axes.length !== dimensions) {
    image.source.fail('axes', `${dimensions} axes, as the array ${level.path} has`);
  }
  return imageWorld(image, level);
}
