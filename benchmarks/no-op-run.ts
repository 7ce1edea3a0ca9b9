import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Pipeline, pipeline } from '../lib/pipeline/pipeline.js';
import { runPipeline } from '../lib/pipeline/run.js';
import type { Cost } from './side.js';

/** Blocks that do nothing, on worker processes. */
export interface NoOpRun {
  /** Blocks an axis. */
  readonly blocks: readonly number[];
  readonly conflict: boolean;
  readonly workers: number;
  readonly folder: string;
}

/** Runs all blocks in a new run folder; gives the pipeline and how many blocks were done. */
export async function runFresh(settings: NoOpRun): Promise<{ pipeline: Pipeline; done: number }> {
  const { blocks, conflict, folder } = settings;
  const made = await pipeline(
    {
      name: 'no-op',
      runDirectory: mkdtempSync(join(folder, 'run-')),
      plugins: [join(import.meta.dirname, 'no-op-task.js')],
      tasks: { 'no-op': { type: 'no-op', blocks, conflict } },
    },
    { definitions: [] },
  );
  const { done, alreadyDone } = await run(made, settings.workers);
  return { pipeline: made, done: done - alreadyDone };
}

/** Runs a pipeline again whose blocks are all done; gives how many were. */
export async function runAgain(made: Pipeline, workers: number): Promise<number> {
  return (await run(made, workers)).alreadyDone;
}

export function removeRun(made: Pipeline): void {
  rmSync(made.runDirectory, { recursive: true, force: true });
}

async function run(made: Pipeline, workers: number) {
  const { complete, tasks } = await runPipeline(made, { workers });
  if (!complete) throw new Error('the run is not complete');
  return tasks[0];
}

/** Sizes of the benchmarks of runs: blocks an axis. */
export const RUN_SIZES: Readonly<Record<string, readonly number[]>> = {
  smoke: [5, 4, 4],
  '1e3': [10, 10, 10],
  '1e4': [25, 20, 20],
  '1e5': [50, 50, 40],
  '1e6': [100, 100, 100],
};

export const SIZE_TEXTS = {
  '1e3': '1 000 blocks',
  '1e4': '10 000 blocks',
  '1e5': '100 000 blocks',
  '1e6': '1 000 000 blocks',
};

export const countOf = (blocks: readonly number[]) => blocks.reduce((product, extent) => product * extent, 1);

export const EQUAL = 'the blocks do nothing; each side says that it did every block once';

/** Throws when a side did not do every block. */
export function expectBlocks(title: string, count: number) {
  return (side: string, { blocks }: Cost): void => {
    if (blocks !== count) throw new Error(`${title}, ${side}: expected ${count} blocks, found ${String(blocks)}`);
  };
}
