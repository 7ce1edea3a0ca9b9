import { BlockwrightError } from '../errors.js';
import { Roi } from '../geometry/roi.js';
import type { TypedArray } from './data-type.js';
import type { FillValue } from './fill-value.js';
import type { ArrayMetadata } from './metadata.js';
import type { ReadOptions, ReadRoiOptions, Volume } from './volume.js';

/** What volumes that cannot be written have in common. */
export abstract class ReadOnlyVolume implements Volume {
  protected constructor(
    readonly path: string,
    readonly metadata: ArrayMetadata,
    readonly fillValue: FillValue,
  ) {}

  /** Why it cannot be written, e.g. 'is read through operations'. */
  protected abstract readonly nature: string;

  get shape(): readonly number[] {
    return this.metadata.shape;
  }

  get dimensions(): number {
    return this.metadata.shape.length;
  }

  get roi(): Roi {
    const { shape, channelAxes, offset, voxelSize } = this.metadata;
    return new Roi(offset, voxelSize.multiply(shape.slice(channelAxes)));
  }

  abstract readRegion(begin: readonly number[], end: readonly number[], options?: ReadOptions): Promise<TypedArray>;

  abstract readRoi(
    roi: Roi,
    options?: ReadRoiOptions,
  ): Promise<{ readonly data: TypedArray; readonly shape: number[] }>;

  writeRegion(): Promise<void> {
    return Promise.reject(this.refusal());
  }

  writeRoi(): Promise<void> {
    return Promise.reject(this.refusal());
  }

  private refusal(): BlockwrightError {
    return new BlockwrightError('ERR_UNSUPPORTED', `${this.path}: ${this.nature} and cannot be written`, {
      path: this.path,
    });
  }
}
