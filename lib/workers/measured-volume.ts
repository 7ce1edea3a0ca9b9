import type { Roi } from '../geometry/roi.js';
import { factsOf, type TypedArray } from '../storage/data-type.js';
import type { ReadOptions, ReadRoiOptions, Volume, WriteOptions } from '../storage/volume.js';
import type { BlockMeter } from './block-meter.js';

/** A volume whose reads and writes count for one block. Bytes are those of decoded voxels inside the volume. */
export class MeasuredVolume implements Volume {
  constructor(
    private readonly volume: Volume,
    private readonly meter: BlockMeter,
  ) {}

  get path() {
    return this.volume.path;
  }

  get metadata() {
    return this.volume.metadata;
  }

  get shape() {
    return this.volume.shape;
  }

  get dimensions() {
    return this.volume.dimensions;
  }

  get roi() {
    return this.volume.roi;
  }

  get fillValue() {
    return this.volume.fillValue;
  }

  readRegion(begin: readonly number[], end: readonly number[], options?: ReadOptions): Promise<TypedArray> {
    return this.meter.during(
      'read',
      () => this.volume.readRegion(begin, end, options),
      (data) => data.byteLength,
    );
  }

  readRoi(roi: Roi, options?: ReadRoiOptions): Promise<{ readonly data: TypedArray; readonly shape: number[] }> {
    return this.meter.during(
      'read',
      () => this.volume.readRoi(roi, options),
      () => this.bytesIn(roi),
    );
  }

  writeRegion(
    begin: readonly number[],
    end: readonly number[],
    data: TypedArray,
    options?: WriteOptions,
  ): Promise<void> {
    return this.meter.during(
      'write',
      () => this.volume.writeRegion(begin, end, data, options),
      () => data.byteLength,
    );
  }

  writeRoi(roi: Roi, data: TypedArray, options?: WriteOptions): Promise<void> {
    return this.meter.during(
      'write',
      () => this.volume.writeRoi(roi, data, options),
      () => this.bytesIn(roi),
    );
  }

  private bytesIn(roi: Roi): number {
    const { shape, channelAxes, voxelSize, dataType } = this.metadata;
    const inside = roi.intersect(this.roi);
    const channels = shape.slice(0, channelAxes).reduce((product, count) => product * count, 1);
    return inside.empty ? 0 : (inside.size / voxelSize.product()) * channels * factsOf(dataType).bytes;
  }
}
