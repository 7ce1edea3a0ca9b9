import type { Roi } from '../geometry/roi.js';
import type { ReadRoiOptions, Volume } from './volume.js';

/** 1 where the mask is > 0 (in all of its channels) over a Roi, else 0; 0 outside the mask's array. */
export async function readMask(mask: Volume, roi: Roi, signal?: AbortSignal): Promise<Uint8Array> {
  const options: ReadRoiOptions = signal === undefined ? {} : { signal };
  const { data, shape } = await mask.readRoi(roi, options);
  const voxels = shape.slice(mask.metadata.channelAxes).reduce((product, extent) => product * extent, 1);
  const result = new Uint8Array(voxels).fill(1);
  for (let index = 0; index < data.length; index++) {
    if (!(data[index] > 0)) result[index % voxels] = 0;
  }
  return result;
}
