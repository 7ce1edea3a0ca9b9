/** Sets [channels, ...spatial] affinities to 0, in place, where the mask is 0. */
export function clearOutside(affinities: Uint8Array | Float32Array, mask: Uint8Array): void {
  const voxels = mask.length;
  for (let voxel = 0; voxel < voxels; voxel++) {
    if (mask[voxel] !== 0) continue;
    for (let at = voxel; at < affinities.length; at += voxels) affinities[at] = 0;
  }
}
