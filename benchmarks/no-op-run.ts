import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Pipeline, pipeline } from '../lib/pipeline/pipeline.js';
import { runPipeline } from '../lib/pipeline/run.js';
import type { BenchmarkOptions } from './benchmark.js';
import { compare, isChosen } from './compare.js';
import type { Row } from './row.js';
import type { Cost } from './side.js';

/** Blocks that do nothing, on worker processes. */
export interface NoOpRun {
  /** Blocks an axis. */
  readonly blocks: readonly number[];
  readonly conflict: boolean;
  readonly workers: number;
  readonly folder: string;
  /** Blocks that one lease may hold. @default as in any run */
  readonly leaseBlocks?: number;
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
  const { done, alreadyDone } = await run(made, settings.workers, settings.leaseBlocks);
  return { pipeline: made, done: done - alreadyDone };
}

/** Runs a pipeline again whose blocks are all done; gives how many were. */
export async function runAgain(made: Pipeline, workers: number): Promise<number> {
  return (await run(made, workers)).alreadyDone;
}

export function removeRun(made: Pipeline): void {
  rmSync(made.runDirectory, { recursive: true, force: true });
}

async function run(made: Pipeline, workers: number, leaseBlocks?: number) {
  const { complete, tasks } = await runPipeline(made, { workers, leaseBlocks });
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

const countOf = (blocks: readonly number[]) => blocks.reduce((product, extent) => product * extent, 1);

/** Blocks up to which daisy runs: it needs minutes for more. */
const REFERENCE_BLOCKS = 1e5;

/** A case of a benchmark of runs. */
export interface RunCase {
  readonly bench: string;
  readonly case: string;
  readonly settings: NoOpRun;
  /** What daisy does, and the name of that in reference/scheduler.py. */
  readonly reference: { readonly name: string; readonly how: string };
  /** Runs of daisy from 1e5 blocks on. @default as many as ours */
  readonly manyBlocksRepetitions?: number;
}

/** Measures a case beside daisy 2, unless it was not asked for; each side says how many blocks it did. */
export async function* besideDaisy(one: RunCase, options: BenchmarkOptions): AsyncGenerator<Row> {
  const { settings, manyBlocksRepetitions } = one;
  const items = countOf(settings.blocks);
  const blocks = items > REFERENCE_BLOCKS ? RUN_SIZES['1e5'] : settings.blocks;
  const name = `daisy 2 ${one.reference.name}${items > REFERENCE_BLOCKS ? ' (1e5 blocks)' : ''}`;
  if (!isChosen(options, one.case, name)) return;
  yield await compare(
    {
      bench: one.bench,
      case: one.case,
      unit: 'k blocks/s',
      scale: 1e-3,
      items,
      settings,
      reference: {
        name,
        environment: 'daisy2',
        script: 'scheduler',
        settings: { ...settings, how: one.reference.how, blocks },
        items: countOf(blocks),
        ...(items >= REFERENCE_BLOCKS && manyBlocksRepetitions !== undefined
          ? { repetitions: manyBlocksRepetitions }
          : {}),
      },
      memory: 'tree',
      equal: 'the blocks do nothing; each side says that it did every block once',
      inspect: (side, cost: Cost) => {
        const expected = side === 'ours' ? items : countOf(blocks);
        if (cost.blocks === expected) return;
        throw new Error(`${one.case}, ${side}: expected ${expected} blocks, found ${String(cost.blocks)}`);
      },
    },
    options,
  );
}
