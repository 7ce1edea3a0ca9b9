import { z } from 'zod';

const SECONDS = z.number().nonnegative();
const BYTES = z.int().nonnegative();

/** What one attempt at a block took beside its wall seconds, as it travels. What is left out is nothing, or not known. */
export const BLOCK_COST = z.strictObject({
  /** Seconds in which something was read; left out: none. */
  read: SECONDS.optional(),
  /** Seconds in which something was written and nothing read; left out: none. */
  write: SECONDS.optional(),
  /** Of all threads of the worker; left out: not known. */
  cpu: SECONDS.optional(),
  /** Highest resident memory of the worker while the block ran, bytes; left out: not known. */
  memory: BYTES.optional(),
  /** Of decoded voxels and of graph rows; left out: none. */
  bytesRead: BYTES.optional(),
  bytesWritten: BYTES.optional(),
  /** As the task's code says; left out: it did not say. */
  gpu: SECONDS.optional(),
});

export type BlockCost = z.infer<typeof BLOCK_COST>;

/** A quantity of which there is an array. */
export interface CostQuantity {
  readonly dataType: 'float32' | 'uint8';
  readonly unit: 's' | 'bytes' | '';
  readonly meaning: string;
}

/** The arrays beside a done record, by their names. Of float32 NaN, of uint8 0: not known. */
export const COSTS = {
  wallSeconds: { dataType: 'float32', unit: 's', meaning: 'wall time of the last attempt' },
  cpuSeconds: { dataType: 'float32', unit: 's', meaning: 'CPU time of all threads of the worker in the last attempt' },
  readSeconds: {
    dataType: 'float32',
    unit: 's',
    meaning: 'time of the last attempt in which volumes or graphs were read',
  },
  writeSeconds: {
    dataType: 'float32',
    unit: 's',
    meaning: 'time of the last attempt in which volumes or graphs were written, and none read',
  },
  peakMemory: {
    dataType: 'float32',
    unit: 'bytes',
    meaning: "highest resident memory of the worker's whole process during the last attempt, rounded to 24 bits",
  },
  bytesRead: {
    dataType: 'float32',
    unit: 'bytes',
    meaning: 'decoded voxels and graph rows read in the last attempt, rounded to 24 bits',
  },
  bytesWritten: {
    dataType: 'float32',
    unit: 'bytes',
    meaning: 'voxels, before they are encoded, and graph rows written in the last attempt, rounded to 24 bits',
  },
  gpuSeconds: {
    dataType: 'float32',
    unit: 's',
    meaning: "GPU time of the last attempt, as the task's code counted it",
  },
  attempts: {
    dataType: 'uint8',
    unit: '',
    meaning: 'attempts that came to an end, good or bad, of all runs; 255 stands for more',
  },
} as const satisfies Record<string, CostQuantity>;

export type CostName = keyof typeof COSTS;
