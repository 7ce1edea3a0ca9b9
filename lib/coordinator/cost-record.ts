import { join } from 'node:path';
import { type BlockCost, COSTS, type CostName } from './block-cost.js';
import { CostArray, type CostOwner } from './cost-array.js';

const MOST_ATTEMPTS = 255;

/** What the blocks of a task cost: arrays beside its done record, each made with its first value. One writer, the coordinator. */
export class CostRecord {
  private readonly arrays: Readonly<Record<CostName, CostArray>>;

  /** @param folder the arrays lie in it, each by its name */
  constructor(folder: string, shape: readonly number[], owner: CostOwner) {
    const names = Object.keys(COSTS) as CostName[];
    this.arrays = Object.fromEntries(
      names.map((name) => [name, new CostArray(join(folder, name), name, shape, owner)]),
    ) as Record<CostName, CostArray>;
  }

  /** An attempt at a block came to an end: with what it took, or without where its worker was lost. */
  add(block: number, took?: { readonly seconds: number; readonly cost: BlockCost | undefined }): void {
    const { arrays } = this;
    const earlier = arrays.attempts.get(block);
    arrays.attempts.set(block, Math.min(MOST_ATTEMPTS, earlier + 1));
    if (took === undefined) return;
    const { seconds, cost } = took;
    arrays.wallSeconds.set(block, seconds);
    // most short blocks: there is nothing to tell, and nothing to forget
    if (cost === undefined && earlier === 0) return;
    put(arrays.cpuSeconds, block, cost?.cpu);
    put(arrays.peakMemory, block, cost?.memory);
    put(arrays.gpuSeconds, block, cost?.gpu);
    // of a cost nothing is left out but zeros
    put(arrays.readSeconds, block, cost && (cost.read ?? 0));
    put(arrays.writeSeconds, block, cost && (cost.write ?? 0));
    put(arrays.bytesRead, block, cost && (cost.bytesRead ?? 0));
    put(arrays.bytesWritten, block, cost && (cost.bytesWritten ?? 0));
  }

  /** Throws the system's error. */
  flush(): void {
    for (const array of Object.values(this.arrays)) array.flush();
  }
}

function put(array: CostArray, block: number, value: number | undefined): void {
  if (value === undefined) array.forget(block);
  else array.set(block, value);
}
