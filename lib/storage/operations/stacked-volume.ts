import type { Roi } from '../../geometry/roi.js';
import { MAX_DIMENSIONS } from '../array-limits.js';
import type { TypedArray } from '../data-type.js';
import type { ArrayMetadata } from '../metadata.js';
import { ReadOnlyVolume } from '../read-only-volume.js';
import { checkRegion, countOf, regionMemory, worldBox } from '../region-memory.js';
import type { ReadOptions, ReadRoiOptions, Volume } from '../volume.js';
import { operationError } from './operation.js';

/**
 * What a stack of volumes is: their channels one after the other, or a new channel axis where they have none. They must have one
 * data type, equal physical axes (shape, offset, voxel size) and, beside the first, equal channel axes. Attributes that all
 * have alike are kept; their neighborhoods are put one after the other.
 *
 * @throws ERR_ARGUMENT with path, expected and found for a volume that does not fit the first one
 */
export function stackMetadata(parts: readonly ArrayMetadata[]): ArrayMetadata {
  const [first] = parts;
  if (first === undefined) throw operationError(['stack'], 'at least one array', 'none');
  if (first.voxelSize.dimensions === 0) throw operationError(['stack', 0], 'an array with physical axes', 'none');
  const isNew = first.channelAxes === 0;
  if (isNew && first.shape.length === MAX_DIMENSIONS) {
    throw operationError(
      ['stack', 0],
      `an array of at most ${MAX_DIMENSIONS - 1} axes, as channels are one more`,
      `${MAX_DIMENSIONS}`,
    );
  }
  const below = (one: ArrayMetadata) => (isNew ? one.shape : one.shape.slice(1));
  for (const [i, one] of parts.entries()) {
    const compare = (what: string, of: (one: ArrayMetadata) => unknown) => {
      const [expected, found] = [String(of(first)), String(of(one))];
      if (expected !== found) {
        throw operationError(['stack', i], `${what} ${expected}, as the first array has`, found);
      }
    };
    compare('the data type', ({ dataType }) => dataType);
    compare('a number of channel axes of', ({ channelAxes }) => channelAxes);
    compare(isNew ? 'the shape' : 'the shape below the first axis', (metadata) => `[${below(metadata).join(', ')}]`);
    compare('the offset', ({ offset }) => offset);
    compare('the voxel size', ({ voxelSize }) => voxelSize);
  }
  const { shardShape: _, ...rest } = first;
  const channels = parts.reduce((sum, one) => sum + (isNew ? 1 : one.shape[0]), 0);
  return {
    ...rest,
    shape: [channels, ...below(first)],
    chunkShape: isNew ? [1, ...first.chunkShape] : first.chunkShape,
    channelAxes: Math.max(1, first.channelAxes),
    axisNames: isNew ? ['c^', ...first.axisNames] : first.axisNames,
    attributes: commonAttributes(parts),
  };
}

function commonAttributes(parts: readonly ArrayMetadata[]): Record<string, unknown> {
  const text = (value: unknown) => JSON.stringify(value, (_, one) => (typeof one === 'bigint' ? `${one}n` : one));
  const common = Object.entries(parts[0].attributes).filter(
    ([key, value]) => key !== 'neighborhood' && parts.every(({ attributes }) => text(attributes[key]) === text(value)),
  );
  const neighborhoods = parts.map(({ attributes }) => attributes.neighborhood);
  if (parts[0].channelAxes === 1 && neighborhoods.every((one) => Array.isArray(one))) {
    common.push(['neighborhood', neighborhoods.flat()]);
  }
  return Object.fromEntries(common);
}

/** Volumes as the channels of one. Each is read straight into its part of the result. */
export class StackedVolume extends ReadOnlyVolume {
  protected override readonly nature = 'is a stack of arrays';

  /** @throws as {@link stackMetadata} */
  constructor(private readonly parts: readonly Volume[]) {
    super(
      parts.map(({ path }) => path).join(' + '),
      stackMetadata(parts.map(({ metadata }) => metadata)),
      parts[0].fillValue,
    );
  }

  async readRegion(begin: readonly number[], end: readonly number[], options: ReadOptions = {}): Promise<TypedArray> {
    checkRegion(this.metadata, begin, end);
    const shape = begin.map((first, axis) => end[axis] - first);
    const data = regionMemory(this.path, this.metadata, shape, options.into);
    const voxels = countOf(shape.slice(1));
    let passed = 0;
    for (const part of this.parts) {
      const { isNew, channels } = channelsOf(part);
      const low = Math.max(begin[0], passed);
      const high = Math.min(end[0], passed + channels);
      if (low < high) {
        const into = data.subarray((low - begin[0]) * voxels, (high - begin[0]) * voxels);
        const from = isNew ? begin.slice(1) : [low - passed, ...begin.slice(1)];
        const to = isNew ? end.slice(1) : [high - passed, ...end.slice(1)];
        await part.readRegion(from, to, { ...options, into });
      }
      passed += channels;
    }
    return data;
  }

  async readRoi(
    roi: Roi,
    options: ReadRoiOptions = {},
  ): Promise<{ readonly data: TypedArray; readonly shape: number[] }> {
    const { dataShape: shape } = worldBox(this.metadata, roi);
    const data = regionMemory(this.path, this.metadata, shape, options.into);
    const voxels = countOf(shape.slice(1));
    let passed = 0;
    for (const part of this.parts) {
      const { channels } = channelsOf(part);
      const into = data.subarray(passed * voxels, (passed + channels) * voxels);
      await part.readRoi(roi, { ...options, into });
      passed += channels;
    }
    return { data, shape };
  }
}

function channelsOf({ metadata: { channelAxes, shape } }: Volume): { isNew: boolean; channels: number } {
  return channelAxes === 0 ? { isNew: true, channels: 1 } : { isNew: false, channels: shape[0] };
}
