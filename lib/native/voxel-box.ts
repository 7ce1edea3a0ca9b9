/** A box inside an array, in voxels from the corner of the array. */
export interface VoxelBox {
  readonly offset: readonly number[];
  readonly shape: readonly number[];
}
