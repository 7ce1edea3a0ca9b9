/** A box of voxels of an array, half-open. */
export interface VoxelRange {
  readonly begin: readonly number[];
  readonly end: readonly number[];
}

/** Cuts a box into boxes of `shape` from its begin on, in raster order; those at its end are shorter. */
export function* boxesOf({ begin, end }: VoxelRange, shape: readonly number[]): Generator<VoxelRange, void> {
  if (begin.some((first, axis) => first >= end[axis])) return;
  const low = [...begin];
  for (;;) {
    yield { begin: [...low], end: low.map((first, axis) => Math.min(end[axis], first + shape[axis])) };
    let axis = low.length - 1;
    for (; axis >= 0; axis--) {
      low[axis] += shape[axis];
      if (low[axis] < end[axis]) break;
      low[axis] = begin[axis];
    }
    if (axis < 0) return;
  }
}

/**
 * A box of whole steps, as large as `limit` voxels allow but at least one step: rows first, so that it lies in few pieces.
 *
 * @param extent the box that it need not exceed
 */
export function boxWithin(step: readonly number[], extent: readonly number[], limit: number): number[] {
  const box = [...step];
  let voxels = box.reduce((product, length) => product * length, 1);
  for (let axis = box.length - 1; axis >= 0; axis--) {
    const steps = Math.max(1, Math.min(Math.ceil(extent[axis] / step[axis]), Math.floor(limit / voxels)));
    box[axis] *= steps;
    voxels *= steps;
  }
  return box;
}
