import type { Roi } from '../geometry/roi.js';
import type { TypedArray } from './data-type.js';
import { ReadOnlyVolume } from './read-only-volume.js';
import { checkRegion, fillArray, type RegionMemory, regionMemory, worldBox } from './region-memory.js';
import type { ReadOptions, ReadRoiOptions } from './volume.js';

/** A volume that cannot be written and reads any region into any memory: the rest follows. */
export abstract class RegionVolume extends ReadOnlyVolume {
  /** Sets the region's voxels in the memory, and no others. */
  protected abstract read(region: RegionMemory, options: ReadOptions): Promise<void>;

  /** As {@link Volume.readRegion}. */
  async readRegion(begin: readonly number[], end: readonly number[], options: ReadOptions = {}): Promise<TypedArray> {
    checkRegion(this.metadata, begin, end);
    const dataShape = begin.map((first, axis) => end[axis] - first);
    const data = regionMemory(this.path, this.metadata, dataShape, options.into);
    await this.read({ begin, end, data, dataBegin: begin, dataShape }, options);
    return data;
  }

  /** As {@link Volume.readRoi}; voxels outside the volume have the value `fill`. */
  async readRoi(
    roi: Roi,
    options: ReadRoiOptions = {},
  ): Promise<{ readonly data: TypedArray; readonly shape: number[] }> {
    const box = worldBox(this.metadata, roi);
    const data = regionMemory(this.path, this.metadata, box.dataShape, options.into);
    const fill = options.fill ?? 0;
    if (!box.inside && (options.into !== undefined || Number(fill) !== 0)) fillArray(data, fill);
    if (!box.empty) await this.read({ ...box, data }, options);
    return { data, shape: box.dataShape };
  }
}
