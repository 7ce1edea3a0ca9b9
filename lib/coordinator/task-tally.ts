import { z } from 'zod';
import type { BlockPlan } from '../blocks/plan.js';
import type { BlockCost } from './block-cost.js';
import { DurationSketch } from './duration-sketch.js';

/** Slowest blocks that are named. */
const NAMED_BLOCKS = 5;

const COUNT = z.int().nonnegative();
const AMOUNT = z.number().nonnegative();

const SLOW_BLOCK = z.object({
  block: COUNT,
  /** Its writeRoi, world units. */
  roi: z.object({ offset: z.array(z.number()), shape: z.array(z.number()) }),
  seconds: AMOUNT,
  attempt: COUNT,
  worker: z.string(),
});

export type SlowBlock = z.infer<typeof SLOW_BLOCK>;

/** Sums over the attempts of a task. */
const SUMS = z.object({
  /** Attempts that ended well: blocks done, and skipped. A block that was reset counts each time. */
  done: COUNT,
  skipped: COUNT,
  /** Attempts that failed, and that were lost with their worker. */
  failed: COUNT,
  lost: COUNT,
  /** Wall seconds of all attempts but the lost ones: `readSeconds` + `computeSeconds` + `writeSeconds`. */
  busySeconds: AMOUNT,
  readSeconds: AMOUNT,
  computeSeconds: AMOUNT,
  writeSeconds: AMOUNT,
  /** Of the attempts whose CPU time is known; that of blocks below a millisecond or so is not. */
  cpuSeconds: AMOUNT,
  cpuAttempts: COUNT,
  bytesRead: AMOUNT,
  bytesWritten: AMOUNT,
  gpuSeconds: AMOUNT,
  /** Highest resident memory of a worker during a block of the task; 0: not known. */
  peakMemory: AMOUNT,
  /** The longest attempt that ended well. */
  maxSeconds: AMOUNT,
  /** From the first lease to the end of the last block, of each run, added up. */
  seconds: AMOUNT,
});

export type TaskSums = z.infer<typeof SUMS>;

export const TASK_TALLY = z.object({
  name: z.string(),
  planHash: z.string(),
  sums: SUMS,
  durations: z.array(z.tuple([COUNT, COUNT])),
  slowest: z.array(SLOW_BLOCK),
});

export type TaskTallyJson = z.infer<typeof TASK_TALLY>;

/** What is told of a task, of one run or all. */
export interface TaskStatistics extends TaskSums {
  readonly name: string;
  readonly attempts: number;
  /** Wall seconds of the attempts that ended well, to 1 %. */
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  /** Blocks that ended well, a second of `seconds`. */
  readonly blocksPerSecond: number;
  /** How many workers were busy with the task, on average over `seconds`. */
  readonly workersBusy: number;
  readonly slowest: readonly SlowBlock[];
}

/** An attempt that came to an end. */
export interface Attempt {
  readonly block: number;
  readonly attempt: number;
  readonly worker: string;
  readonly outcome: 'done' | 'skipped' | 'failed';
  readonly seconds: number;
  readonly cost: BlockCost | undefined;
}

/** Adds up what the attempts of one task took. Memory: a few hundred numbers. */
export class TaskTally {
  readonly sums: { -readonly [Key in keyof TaskSums]: TaskSums[Key] };
  private readonly durations: DurationSketch;
  private slowest: SlowBlock[];

  constructor(
    readonly name: string,
    readonly planHash: string,
    known?: TaskTallyJson,
  ) {
    const zeros = Object.fromEntries(Object.keys(SUMS.shape).map((key) => [key, 0])) as TaskSums;
    this.sums = { ...zeros, ...known?.sums };
    this.durations = new DurationSketch(known?.durations);
    this.slowest = [...(known?.slowest ?? [])];
  }

  /** @param plan for the Rois of the blocks that are named */
  add({ block, attempt, worker, outcome, seconds, cost }: Attempt, plan: BlockPlan): void {
    const { sums } = this;
    sums[outcome]++;
    sums.busySeconds += seconds;
    if (cost === undefined) sums.computeSeconds += seconds;
    else this.addCost(seconds, cost);
    if (outcome === 'failed') return;
    this.durations.add(seconds);
    if (seconds > sums.maxSeconds) sums.maxSeconds = seconds;
    if (this.slowest.length < NAMED_BLOCKS || seconds > this.slowest[NAMED_BLOCKS - 1].seconds) {
      const { offset, shape } = plan.block(block).writeRoi;
      const roi = { offset: [...offset.values], shape: [...shape.values] };
      this.keepSlowest([{ block, roi, seconds, attempt, worker }]);
    }
  }

  lost(): void {
    this.sums.lost++;
  }

  /** Adds what another run counted. */
  merge(other: TaskTally): void {
    for (const key of Object.keys(this.sums) as (keyof TaskSums)[]) {
      const highest = key === 'peakMemory' || key === 'maxSeconds';
      this.sums[key] = highest ? Math.max(this.sums[key], other.sums[key]) : this.sums[key] + other.sums[key];
    }
    this.durations.merge(other.durations);
    this.keepSlowest(other.slowest);
  }

  statistics(): TaskStatistics {
    const { sums, name, slowest, durations } = this;
    const well = sums.done + sums.skipped;
    const perSecond = (amount: number) => (sums.seconds > 0 ? amount / sums.seconds : 0);
    // what the bins say is no longer than the longest
    const quantile = (part: number) => Math.min(sums.maxSeconds, durations.quantile(part));
    return {
      name,
      ...sums,
      attempts: well + sums.failed + sums.lost,
      p50: quantile(0.5),
      p90: quantile(0.9),
      p99: quantile(0.99),
      blocksPerSecond: perSecond(well),
      workersBusy: perSecond(sums.busySeconds),
      slowest,
    };
  }

  toJSON(): TaskTallyJson {
    const { name, planHash, sums, durations, slowest } = this;
    return { name, planHash, sums, durations: durations.toJSON(), slowest };
  }

  private addCost(seconds: number, cost: BlockCost): void {
    const { sums } = this;
    const { read = 0, write = 0 } = cost;
    sums.readSeconds += read;
    sums.writeSeconds += write;
    sums.computeSeconds += Math.max(0, seconds - read - write);
    sums.bytesRead += cost.bytesRead ?? 0;
    sums.bytesWritten += cost.bytesWritten ?? 0;
    sums.gpuSeconds += cost.gpu ?? 0;
    sums.peakMemory = Math.max(sums.peakMemory, cost.memory ?? 0);
    if (cost.cpu !== undefined) {
      sums.cpuSeconds += cost.cpu;
      sums.cpuAttempts++;
    }
  }

  /** A block is named once, with its longest attempt. */
  private keepSlowest(candidates: readonly SlowBlock[]): void {
    const sorted = [...this.slowest, ...candidates].sort((a, b) => b.seconds - a.seconds);
    const seen = new Set<number>();
    this.slowest = sorted.filter(({ block }) => !seen.has(block) && seen.add(block)).slice(0, NAMED_BLOCKS);
  }
}
