import { type DataType, factsOf, type TypedArray } from '../data-type.js';
import type { FillValue } from '../fill-value.js';
import type { OmeroWindows } from '../omero-windows.js';
import { fillArray, type RegionMemory, regionMemory, threadsOf } from '../region-memory.js';
import { RegionVolume } from '../region-volume.js';
import type { ReadOptions, Volume } from '../volume.js';
import type { VolumeOperation } from './operation.js';
import { type OperationPlan, planOperations } from './operation-plan.js';
import { runVoxelPass, type VoxelStep } from './voxel-pass.js';

/**
 * A volume seen through operations. A read reads the part of the source that it needs and computes it in one native pass over
 * threads: in place where the types have one size and nothing is flipped, else with the region in the source's type beside it. The
 * value of voxels outside the volume, `fill`, is one of the result: no operation changes it.
 */
export class LazyVolume extends RegionVolume {
  protected override readonly nature = 'is read through operations';

  private constructor(
    private readonly source: Volume,
    private readonly plan: OperationPlan,
    fillValue: FillValue,
  ) {
    super(source.path, plan.metadata, fillValue);
  }

  /** @throws as {@link planOperations} */
  static async over(
    source: Volume,
    operations: readonly VolumeOperation[],
    windows?: OmeroWindows,
  ): Promise<LazyVolume> {
    const plan = planOperations(source.metadata, operations, windows);
    return new LazyVolume(source, plan, await filled(source, plan));
  }

  protected override async read(
    { begin, end, data, dataBegin, dataShape }: RegionMemory,
    options: ReadOptions,
  ): Promise<void> {
    const { metadata, axes, steps } = this.plan;
    const shape = begin.map((first, axis) => end[axis] - first);
    const flipped = axes.flatMap(({ step }, axis) => (step < 0 ? [metadata.channelAxes + axis] : []));
    if (shape.includes(0)) return;
    const isWhole = shape.every((extent, axis) => extent === dataShape[axis]);
    const asItLies = isWhole && flipped.length === 0;
    const read =
      asItLies && hasItemSize(data, this.source.metadata.dataType)
        ? sharedMemory(data, this.source.metadata.dataType)
        : regionMemory(this.path, this.source.metadata, shape);
    await this.readSource(begin, end, { ...options, into: read });
    if (asItLies && steps.length === 0) return;
    await runVoxelPass(
      {
        source: read,
        sourceType: this.source.metadata.dataType,
        shape,
        flipped,
        steps: steps.map((step) => ofChannels(step, begin[0], end[0])),
        target: data,
        targetShape: dataShape,
        targetBegin: begin.map((first, axis) => first - dataBegin[axis]),
      },
      { threads: threadsOf(options), signal: options.signal },
    );
  }

  /** Reads what the voxels [begin, end) of the result come from: as many voxels, axes not yet flipped. */
  private async readSource(
    begin: readonly number[],
    end: readonly number[],
    options: ReadOptions & { readonly into: TypedArray },
  ): Promise<void> {
    const { metadata, channels, channelTaken, axes } = this.plan;
    const first: number[] = begin.slice(0, metadata.channelAxes);
    const last: number[] = end.slice(0, metadata.channelAxes);
    for (const [axis, { origin, step }] of axes.entries()) {
      const [low, high] = [begin[metadata.channelAxes + axis], end[metadata.channelAxes + axis]];
      first.push(step === 1 ? origin + low : origin - high + 1);
      last.push(step === 1 ? origin + high : origin - low + 1);
    }
    if (channels === undefined) {
      await this.source.readRegion(first, last, options);
      return;
    }
    const { into } = options;
    // One read for each run of channels that lie beside each other.
    const rest = channelTaken ? 0 : 1;
    const wanted = channelTaken ? channels : channels.slice(begin[0], end[0]);
    const voxels = wanted.length === 0 ? 0 : into.length / wanted.length;
    for (let from = 0; from < wanted.length; ) {
      let to = from + 1;
      while (to < wanted.length && wanted[to] === wanted[to - 1] + 1) to += 1;
      await this.source.readRegion([wanted[from], ...first.slice(rest)], [wanted[to - 1] + 1, ...last.slice(rest)], {
        ...options,
        into: into.subarray(from * voxels, to * voxels),
      });
      from = to;
    }
  }
}

function hasItemSize(data: TypedArray, dataType: DataType): boolean {
  return data.BYTES_PER_ELEMENT === factsOf(dataType).bytes;
}

/** A step for the channels [begin, end) of the first axis alone. */
function ofChannels(step: VoxelStep, begin: number, end: number): VoxelStep {
  return step.parameters.length <= 2 ? step : { ...step, parameters: step.parameters.slice(2 * begin, 2 * end) };
}

type Viewing = new (buffer: ArrayBufferLike, byteOffset: number, length: number) => TypedArray;

/** The same memory as voxels of another type of the same size. */
function sharedMemory(data: TypedArray, dataType: DataType): TypedArray {
  const View = factsOf(dataType).array as unknown as Viewing;
  return new View(data.buffer, data.byteOffset, data.length);
}

/** The value of voxels that were never written; of the first channel where channels are computed differently. */
async function filled(source: Volume, { metadata, steps }: OperationPlan): Promise<FillValue> {
  const voxel = regionMemory(source.path, source.metadata, [1]);
  fillArray(voxel, source.fillValue);
  const target = regionMemory(source.path, metadata, [1]);
  await runVoxelPass(
    {
      source: voxel,
      sourceType: source.metadata.dataType,
      shape: [1],
      flipped: [],
      steps: steps.map((step) => ofChannels(step, 0, 1)),
      target,
      targetShape: [1],
      targetBegin: [0],
    },
    { threads: 1 },
  );
  return target[0];
}
