import { factsOf } from '../data-type.js';
import type { ArrayMetadata, DataType } from '../metadata.js';
import type { OmeroWindows } from '../omero-windows.js';
import { CONVERTED_TYPES, type OperationPath, operationError, type VolumeOperation } from './operation.js';
import { placedMetadata } from './placed-metadata.js';
import type { VoxelStep } from './voxel-pass.js';

/** Voxel i of the result is voxel origin + step * i of the source, along one physical axis. */
export interface AxisMap {
  readonly origin: number;
  readonly step: 1 | -1;
}

/** What operations make of a volume, and how its voxels are computed. */
export interface OperationPlan {
  readonly metadata: ArrayMetadata;
  /** Channels of the source's first axis, in the order of the result; undefined where all are kept as they are. */
  readonly channels?: readonly number[];
  /** Whether that axis, of one channel then, is no axis of the result. */
  readonly channelTaken: boolean;
  /** One entry a physical axis. */
  readonly axes: readonly AxisMap[];
  /** What is computed for each voxel, in this order. */
  readonly steps: readonly VoxelStep[];
}

type Fail = (path: OperationPath, expected: string, found: unknown) => never;

/**
 * Works out what operations make of a volume, without reading it.
 *
 * @param windows for `normalise` with the range `omero`
 * @throws ERR_ARGUMENT with path, expected and found for an operation that this volume does not allow
 */
export function planOperations(
  source: ArrayMetadata,
  operations: readonly VolumeOperation[],
  windows: OmeroWindows = { missing: 'none' },
): OperationPlan {
  let plan: OperationPlan = {
    metadata: withoutShards(source),
    channelTaken: false,
    axes: source.voxelSize.values.map(() => ({ origin: 0, step: 1 })),
    steps: [],
  };
  for (const [index, operation] of operations.entries()) {
    const fail: Fail = (path, expected, found) => {
      throw operationError(['operations', index, ...path], expected, show(found));
    };
    if (operation.type === 'place' && index > 0)
      fail([], 'place before all other operations', `it as number ${index + 1}`);
    plan = applied(plan, operation, () => windowsOf(source, windows, fail), fail);
  }
  return plan;
}

function applied(
  plan: OperationPlan,
  operation: VolumeOperation,
  windows: () => readonly (readonly [number, number])[],
  fail: Fail,
): OperationPlan {
  switch (operation.type) {
    case 'place': {
      const metadata = placedMetadata(plan.metadata, operation, fail);
      return { ...plan, metadata, axes: metadata.voxelSize.values.map(() => ({ origin: 0, step: 1 })) };
    }
    case 'channels':
      return selectChannels(plan, operation.channels, fail);
    case 'slice':
      return slice(plan, operation, fail);
    case 'flip':
      return flip(plan, operation.axes, fail);
    case 'scale-shift': {
      const { scale = 1, shift = 0 } = operation;
      notBoolean(plan, fail);
      numbers({ scale, shift }, fail);
      return withStep(plan, { kind: 'affine', to: scaledType(plan), parameters: [scale, shift] });
    }
    case 'normalise':
      notBoolean(plan, fail);
      return withStep(plan, {
        kind: 'normalise',
        to: 'float32',
        parameters: rangesOf(plan, operation.range, windows, fail),
      });
    case 'threshold':
      notBoolean(plan, fail);
      numbers({ value: operation.value }, fail);
      return withStep(plan, { kind: 'threshold', to: 'uint8', parameters: [operation.value, 0] });
    case 'convert': {
      const to = operation.dataType;
      if (!CONVERTED_TYPES.includes(to)) fail(['dataType'], CONVERTED_TYPES.join(', '), to);
      return to === plan.metadata.dataType ? plan : withStep(plan, { kind: 'convert', to, parameters: [] });
    }
    default: {
      const { type } = operation as { readonly type: unknown };
      return fail(
        ['type'],
        'place, channels, slice, flip, scale-shift, normalise, threshold or convert',
        type ?? 'nothing',
      );
    }
  }
}

function selectChannels(plan: OperationPlan, channels: number | readonly number[], fail: Fail): OperationPlan {
  const { metadata } = plan;
  const { shape, chunkShape, channelAxes, axisNames, attributes } = metadata;
  if (plan.channelTaken || channelAxes === 0) {
    fail([], 'an array with its first channel axis', channelAxes === 0 ? 'one without channels' : 'one without it');
  }
  const single = typeof channels === 'number';
  const list = single ? [channels] : channels;
  if (!Array.isArray(list) || list.length === 0) fail(['channels'], 'at least one channel', list);
  for (const [i, channel] of list.entries()) {
    if (Number.isInteger(channel) && channel >= 0 && channel < shape[0]) continue;
    fail(single ? ['channels'] : ['channels', i], `a channel from 0 to ${shape[0] - 1}`, channel);
  }
  const own = plan.channels;
  const withoutFirst = single ? 1 : 0;
  const count = single ? [] : [list.length];
  return {
    ...plan,
    metadata: {
      ...metadata,
      shape: [...count, ...shape.slice(1)],
      chunkShape: [...count.map((one) => Math.min(one, chunkShape[0])), ...chunkShape.slice(1)],
      channelAxes: channelAxes - withoutFirst,
      axisNames: axisNames.slice(withoutFirst),
      attributes: withNeighborhood(attributes, (offsets) =>
        single ? undefined : offsets.length === shape[0] ? list.map((channel) => offsets[channel]) : offsets,
      ),
    },
    channels: list.map((channel) => own?.[channel] ?? channel),
    channelTaken: single,
    steps: plan.steps.map((step) => ({
      ...step,
      parameters:
        step.parameters.length <= 2
          ? step.parameters
          : list.flatMap((one) => step.parameters.slice(2 * one, 2 * one + 2)),
    })),
  };
}

function slice(
  plan: OperationPlan,
  { begin, end }: { readonly begin?: readonly number[] | undefined; readonly end?: readonly number[] | undefined },
  fail: Fail,
): OperationPlan {
  const { metadata } = plan;
  const { shape, chunkShape, channelAxes, offset, voxelSize } = metadata;
  const extent = shape.slice(channelAxes);
  const from = begin ?? extent.map(() => 0);
  const to = end ?? extent;
  for (const [key, list] of [
    ['begin', from],
    ['end', to],
  ] as const) {
    if (!Array.isArray(list) || list.length !== extent.length || !list.every(Number.isSafeInteger)) {
      fail([key], `${extent.length} whole numbers, one a physical axis`, list);
    }
  }
  for (const [axis, length] of extent.entries()) {
    if (from[axis] < 0 || from[axis] >= length) fail(['begin', axis], `a voxel from 0 to ${length - 1}`, from[axis]);
    if (to[axis] <= from[axis] || to[axis] > length) {
      fail(['end', axis], `a voxel above ${from[axis]} and up to ${length}`, to[axis]);
    }
  }
  const left = extent.map((_, axis) => to[axis] - from[axis]);
  return {
    ...plan,
    metadata: {
      ...metadata,
      shape: [...shape.slice(0, channelAxes), ...left],
      chunkShape: [
        ...chunkShape.slice(0, channelAxes),
        ...left.map((one, axis) => Math.min(one, chunkShape[channelAxes + axis])),
      ],
      offset: offset.add(voxelSize.multiply(from)),
    },
    axes: plan.axes.map(({ origin, step }, axis) => ({ origin: origin + step * from[axis], step })),
  };
}

function flip(plan: OperationPlan, axes: readonly number[], fail: Fail): OperationPlan {
  const { metadata } = plan;
  const extent = metadata.shape.slice(metadata.channelAxes);
  if (!Array.isArray(axes) || axes.length === 0) fail(['axes'], 'at least one axis', axes);
  for (const [i, axis] of axes.entries()) {
    if (!Number.isInteger(axis) || axis < 0 || axis >= extent.length) {
      fail(['axes', i], `a physical axis from 0 to ${extent.length - 1}`, axis);
    }
    if (axes.indexOf(axis) !== i) fail(['axes', i], 'each axis once', axis);
  }
  return {
    ...plan,
    metadata: {
      ...metadata,
      attributes: withNeighborhood(metadata.attributes, (offsets) =>
        offsets.map((one) =>
          Array.isArray(one) ? one.map((value, axis) => (axes.includes(axis) && value !== 0 ? -value : value)) : one,
        ),
      ),
    },
    axes: plan.axes.map(({ origin, step }, axis) =>
      axes.includes(axis)
        ? { origin: origin + step * (extent[axis] - 1), step: step === 1 ? -1 : 1 }
        : { origin, step },
    ),
  };
}

/** [low, high], or one such pair a channel, as a flat list. */
function rangesOf(
  { channels }: OperationPlan,
  range: readonly [number, number] | 'omero',
  windows: () => readonly (readonly [number, number])[],
  fail: Fail,
): readonly number[] {
  if (range === 'omero') {
    const all = windows();
    return channels === undefined ? all.flat() : channels.flatMap((channel) => all[channel]);
  }
  const right = Array.isArray(range) && range.length === 2 && range.every(Number.isFinite) && range[0] < range[1];
  return right ? range : fail(['range'], 'omero or two numbers, the lower one first', range);
}

/** The display windows of the source's channels; a source without a channel axis has one channel. */
function windowsOf({ shape, channelAxes }: ArrayMetadata, { windows, missing }: OmeroWindows, fail: Fail) {
  if (windows === undefined) return fail(['range'], 'an OME-Zarr image with display windows', missing);
  const channels = channelAxes === 0 ? 1 : shape[0];
  if (channelAxes > 1) fail(['range'], 'at most one channel axis where display windows are used', channelAxes);
  if (windows.length !== channels) fail(['range'], `${channels} display windows, one a channel`, windows.length);
  return windows;
}

/** The smallest float that holds every value of the type, from float32 on. */
function scaledType({ metadata: { dataType } }: OperationPlan): DataType {
  const { kind, bytes } = factsOf(dataType);
  return bytes === 8 || (kind !== 'float' && bytes === 4) ? 'float64' : 'float32';
}

function notBoolean({ metadata: { dataType } }: OperationPlan, fail: Fail): void {
  if (dataType === 'bool') fail([], 'an array of numbers (convert it first)', 'bool');
}

function numbers(values: Readonly<Record<string, unknown>>, fail: Fail): void {
  for (const [key, value] of Object.entries(values)) {
    if (!Number.isFinite(value)) fail([key], 'a finite number', value);
  }
}

function withStep(plan: OperationPlan, step: VoxelStep): OperationPlan {
  return { ...plan, metadata: { ...plan.metadata, dataType: step.to }, steps: [...plan.steps, step] };
}

/** The attribute `neighborhood`, where it is a list, changed or (undefined) left out. */
function withNeighborhood(
  attributes: Readonly<Record<string, unknown>>,
  change: (offsets: readonly unknown[]) => readonly unknown[] | undefined,
): Readonly<Record<string, unknown>> {
  const { neighborhood, ...others } = attributes;
  if (!Array.isArray(neighborhood)) return attributes;
  const changed = change(neighborhood);
  return changed === undefined ? others : { ...others, neighborhood: changed };
}

/** What is computed has no files of its own. */
function withoutShards({ shardShape: _, ...metadata }: ArrayMetadata): ArrayMetadata {
  return metadata;
}

function show(value: unknown): string {
  return Array.isArray(value) ? `[${value.join(', ')}]` : String(value);
}
