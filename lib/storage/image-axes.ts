import type { ImageAxis } from './image-group.js';
import type { World } from './world.js';

/** Short and other names of units, and what UDUNITS and so OME-Zarr calls them; some viewers refuse other names. */
const LONG_NAMES: Readonly<Record<string, string>> = {
  pm: 'picometer',
  nm: 'nanometer',
  um: 'micrometer',
  µm: 'micrometer', // micro sign
  μm: 'micrometer', // Greek mu
  micron: 'micrometer',
  mm: 'millimeter',
  cm: 'centimeter',
  m: 'meter',
  km: 'kilometer',
  Å: 'angstrom',
  ns: 'nanosecond',
  us: 'microsecond',
  µs: 'microsecond',
  μs: 'microsecond',
  ms: 'millisecond',
  s: 'second',
  sec: 'second',
  min: 'minute',
  h: 'hour',
};
const TIME = /second$|^(minute|hour|day)$/;

/** 'nm' -> 'nanometer'; a unit that is not known stays as it is. */
export function longUnit(unit: string): string {
  if (Object.hasOwn(LONG_NAMES, unit)) return LONG_NAMES[unit];
  const singular = unit.replace(/metre(s?)$/, 'meter$1').replace(/(?<=meter|second|micron|minute|hour)s$/, '');
  return singular === 'micron' ? 'micrometer' : singular;
}

/** The axes of an array as an OME-Zarr image has them. */
export function imageAxes({ axisNames, channelAxes, units }: World): ImageAxis[] {
  return axisNames.map((written, axis) => {
    const name = written.replace(/\^$/, '');
    if (axis < channelAxes) return { name, type: name === 't' ? 'time' : 'channel', unit: '' };
    const unit = longUnit(units[axis - channelAxes]);
    return { name, type: name === 't' || TIME.test(unit) ? 'time' : 'space', unit };
  });
}

/** Why OME-Zarr has no image with these axes, or undefined where it has. */
export function whyNoImage(axes: readonly ImageAxis[]): string | undefined {
  const found = `found ${axes.map(({ name, type }) => `${name} (${type})`).join(', ')}`;
  // At most one time, at most one channel, two or three of space, in this order.
  const types = axes.map(({ type }) => (type === 'space' || type === 'time' ? type : 'channel')).join(' ');
  if (!/^(time ?)?(channel ?)?(space ?){2,3}$/.test(types)) {
    return `expected at most one time axis, then at most one channel axis, then 2 or 3 space axes, as OME-Zarr has them, ${found}`;
  }
  if (new Set(axes.map(({ name }) => name)).size < axes.length) return `expected axes with different names, ${found}`;
  return undefined;
}
