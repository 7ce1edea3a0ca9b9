import type { Roi } from '../geometry/roi.js';

/** What happens at the end of the volume: see plan.ts for the drawings. */
export type Fit = 'valid' | 'overhang' | 'shrink';

/** One unit of work. Rois are in world units; readRoi = writeRoi grown by the task's context. */
export interface Block {
  /** Raster (C order) index in the task's grid of blocks, 0..count-1. */
  readonly index: number;
  readonly readRoi: Roi;
  readonly writeRoi: Roi;
}
