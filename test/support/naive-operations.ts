import type { DataType } from '../../lib/storage/data-type.js';
import type { VolumeOperation } from '../../lib/storage/operations/operation.js';

export type Value = number | bigint;

/** A volume in memory, as the slow twin of operations sees it. */
export interface PlainVolume {
  readonly shape: readonly number[];
  readonly channelAxes: number;
  readonly dataType: DataType;
  /** C order. */
  readonly voxels: readonly Value[];
}

/** Calls make(position) for every voxel of a shape. */
function voxelsOf(shape: readonly number[], make: (position: readonly number[]) => Value): Value[] {
  const position = shape.map(() => 0);
  const count = shape.reduce((a, b) => a * b, 1);
  return Array.from({ length: count }, () => {
    const value = make(position);
    for (let axis = shape.length - 1; axis >= 0; axis -= 1) {
      position[axis] += 1;
      if (position[axis] < shape[axis]) break;
      position[axis] = 0;
    }
    return value;
  });
}

export function voxelAt({ shape, voxels }: PlainVolume, position: readonly number[]): Value {
  return voxels[position.reduce((sum, value, axis) => sum * shape[axis] + value, 0)];
}

/** Another shape, whose voxels come from places of the volume. */
function rearranged(
  volume: PlainVolume,
  shape: readonly number[],
  channelAxes: number,
  place: (position: readonly number[]) => readonly number[],
): PlainVolume {
  const voxels = voxelsOf(shape, (position) => voxelAt(volume, place(position)));
  return { ...volume, shape, channelAxes, voxels };
}

/** Every voxel computed by itself; `channel` is its place on the first axis. */
function computed(volume: PlainVolume, dataType: DataType, compute: (value: Value, channel: number) => Value) {
  const voxels = voxelsOf(volume.shape, (position) => compute(voxelAt(volume, position), position[0]));
  return { ...volume, dataType, voxels };
}

const INTEGERS = /^(u?)int(\d+)$/;

function limits(dataType: DataType): readonly [bigint, bigint] {
  const [, unsigned, bits] = INTEGERS.exec(dataType) as RegExpExecArray;
  const size = 1n << BigInt(bits);
  return unsigned === 'u' ? [0n, size - 1n] : [-size / 2n, size / 2n - 1n];
}

function halfToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return rest < 0.5 ? floor : floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}

/** The float32 nearest to an integer, ties to even; Math.fround(Number(value)) would round twice. */
function float32Of(value: bigint): number {
  const near = new Float32Array([Math.fround(Number(value))]);
  const bits = new Uint32Array(near.buffer);
  const candidates = [bits[0] - 1, bits[0], bits[0] + 1].map((one) => {
    const number = new Float32Array(Uint32Array.of(one).buffer)[0];
    return { one, number };
  });
  if (Math.abs(near[0]) < 2 ** 24) return near[0];
  const distance = ({ number }: { number: number }) => {
    const apart = BigInt(number) - value;
    return apart < 0n ? -apart : apart;
  };
  candidates.sort((a, b) => {
    const apart = distance(a) - distance(b);
    return apart < 0n ? -1 : apart > 0n ? 1 : (a.one % 2) - (b.one % 2);
  });
  return candidates[0].number;
}

export function convertValue(value: Value, to: DataType): Value {
  if (to === 'bool') return Number(value) !== 0 && !Number.isNaN(Number(value)) ? 1 : 0;
  if (to === 'float32') return typeof value === 'bigint' ? float32Of(value) : Math.fround(value);
  if (to === 'float64') return Number(value);
  const [low, high] = limits(to);
  let integer: bigint;
  if (typeof value === 'bigint') integer = value;
  else if (Number.isNaN(value)) integer = 0n;
  else if (!Number.isFinite(value)) integer = value > 0 ? high : low;
  else integer = BigInt(halfToEven(value));
  const held = integer < low ? low : integer > high ? high : integer;
  return to.endsWith('64') ? held : Number(held);
}

export function scaledType(dataType: DataType): DataType {
  return ['int32', 'uint32', 'int64', 'uint64', 'float64'].includes(dataType) ? 'float64' : 'float32';
}

/** What one operation makes of a volume. `windows` are those of the volume's channels as they are now. */
export function applyNaively(
  volume: PlainVolume,
  operation: VolumeOperation,
  windows: readonly (readonly [number, number])[] = [],
): PlainVolume {
  const { shape, channelAxes, dataType } = volume;
  switch (operation.type) {
    case 'place':
      return volume; // voxels stay as they are
    case 'channels': {
      const { channels } = operation;
      if (typeof channels === 'number') {
        return rearranged(volume, shape.slice(1), channelAxes - 1, (position) => [channels, ...position]);
      }
      const place = ([channel, ...rest]: readonly number[]) => [channels[channel], ...rest];
      return rearranged(volume, [channels.length, ...shape.slice(1)], channelAxes, place);
    }
    case 'slice': {
      const begin = operation.begin ?? shape.slice(channelAxes).map(() => 0);
      const end = operation.end ?? shape.slice(channelAxes);
      const extent = end.map((last, axis) => last - begin[axis]);
      return rearranged(volume, [...shape.slice(0, channelAxes), ...extent], channelAxes, (position) =>
        position.map((value, axis) => (axis < channelAxes ? value : value + begin[axis - channelAxes])),
      );
    }
    case 'flip':
      return rearranged(volume, shape, channelAxes, (position) =>
        position.map((value, axis) => (operation.axes.includes(axis - channelAxes) ? shape[axis] - 1 - value : value)),
      );
    case 'scale-shift': {
      const { scale = 1, shift = 0 } = operation;
      const to = scaledType(dataType);
      return computed(volume, to, (value) => convertValue(Number(value) * scale + shift, to));
    }
    case 'normalise':
      return computed(volume, 'float32', (value, channel) => {
        const [low, high] = operation.range === 'omero' ? windows[channelAxes === 0 ? 0 : channel] : operation.range;
        const inRange = (Number(value) - low) / (high - low);
        return Math.fround(inRange < 0 ? 0 : Math.min(inRange, 1));
      });
    case 'threshold': {
      const limit = dataType === 'float32' ? Math.fround(operation.value) : operation.value;
      return computed(volume, 'uint8', (value) => (value > limit ? 1 : 0));
    }
    case 'convert':
      return computed(volume, operation.dataType, (value) => convertValue(value, operation.dataType));
  }
}
