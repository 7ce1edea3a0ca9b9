import type { Roi } from '../geometry/roi.js';
import type { Volume } from '../storage/volume.js';

/** 1 where the mask is > 0 (in all of its channels) over a Roi, else 0; 0 outside the mask's array. */
export async function readMask(mask: Volume, roi: Roi, signal: AbortSignal): Promise<Uint8Array> {
  const { data, shape } = await mask.readRoi(roi, { signal });
  const voxels = shape.slice(mask.metadata.channelAxes).reduce((product, extent) => product * extent, 1);
  const result = new Uint8Array(voxels).fill(1);
  for (let index = 0; index < data.length; index++) {
    if (!(data[index] > 0)) result[index % voxels] = 0;
  }
  return result;
}

/** Sets [channels, ...spatial] affinities to 0, in place, where the mask is 0. */
export function clearOutside(affinities: Uint8Array | Float32Array, mask: Uint8Array): void {
  const voxels = mask.length;
  for (let voxel = 0; voxel < voxels; voxel++) {
    if (mask[voxel] !== 0) continue;
    for (let at = voxel; at < affinities.length; at += voxels) affinities[at] = 0;
  }
}
