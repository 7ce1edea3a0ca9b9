import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Pipeline, pipeline } from '../lib/pipeline/pipeline.js';
import { runPipeline } from '../lib/pipeline/run.js';
import { Scheduler } from '../lib/scheduler/scheduler.js';
import type { Benchmark, BenchmarkOptions, MakeOurSide } from './benchmark.js';
import { compare, isChosen } from './compare.js';
import { noOpPlan } from './no-op-task.js';
import type { Row } from './row.js';

interface Settings {
  /** core: acquire and complete in one thread; workers: a run with worker processes; resume: over a run that is done. */
  readonly how: 'core' | 'workers' | 'resume';
  /** Blocks an axis. */
  readonly blocks: readonly number[];
  readonly conflict: boolean;
  readonly workers: number;
  readonly folder: string;
}

export const ours: MakeOurSide = async (given) => {
  const settings = given as Settings;
  const { how, blocks, conflict } = settings;
  if (how === 'core') return { run: async () => ({ result: null, blocks: schedule(blocks, conflict) }) };
  let runDirectory = join(settings.folder, 'none');
  const fresh = () => {
    rmSync(runDirectory, { recursive: true, force: true });
    runDirectory = mkdtempSync(join(settings.folder, 'run-'));
    return noOpPipeline(settings, runDirectory);
  };
  const run = async (of: Pipeline) => {
    const { complete, tasks } = await runPipeline(of, { workers: settings.workers });
    if (!complete) throw new Error('the run is not complete');
    return { result: null, blocks: how === 'resume' ? tasks[0].alreadyDone : tasks[0].done };
  };
  if (how === 'workers') return { run: async () => run(await fresh()) };
  const done = await fresh();
  await run(done);
  return { run: () => run(done) };
};

function noOpPipeline({ blocks, conflict }: Settings, runDirectory: string): Promise<Pipeline> {
  return pipeline(
    {
      name: 'no-op',
      runDirectory,
      plugins: [join(import.meta.dirname, 'no-op-task.js')],
      tasks: { 'no-op': { type: 'no-op', blocks, conflict } },
    },
    { definitions: [] },
  );
}

/** Plans and schedules all blocks, one after the other; returns how many there were. */
function schedule(blocks: readonly number[], conflict: boolean): number {
  const scheduler = new Scheduler([{ name: 'no-op', plan: noOpPlan(blocks, conflict), upstream: [] }]);
  let done = 0;
  for (let next = scheduler.acquire(); next !== undefined; next = scheduler.acquire()) {
    scheduler.complete(next.task, next.block, next.attempt, 'done');
    done++;
  }
  if (!scheduler.finished) throw new Error(`stuck after ${done} blocks: ${scheduler.idleReason()}`);
  return done;
}

const BLOCKS: Record<string, readonly number[]> = {
  smoke: [5, 4, 4],
  '1e4': [25, 20, 20],
  '1e5': [50, 50, 40],
  '1e6': [100, 100, 100],
};

type Case = Pick<Settings, 'how' | 'conflict' | 'workers'>;

const CASES = [true, false].flatMap((conflict): Case[] => [
  { how: 'core', conflict, workers: 1 },
  { how: 'workers', conflict, workers: 1 },
  { how: 'workers', conflict, workers: 2 },
  { how: 'resume', conflict, workers: 1 },
]);

const SMOKE: readonly Case[] = [
  { how: 'core', conflict: true, workers: 1 },
  { how: 'workers', conflict: false, workers: 2 },
  { how: 'resume', conflict: true, workers: 1 },
];

async function* rows(options: BenchmarkOptions): AsyncGenerator<Row> {
  for (const size of options.smoke ? ['smoke'] : options.sizes) {
    const blocks = BLOCKS[size];
    const count = blocks.reduce((product, extent) => product * extent, 1);
    for (const { how, conflict, workers } of options.smoke ? SMOKE : CASES) {
      // Runs of a million blocks take the reference minutes.
      if (how !== 'core' && count > 1e5) continue;
      const what = { core: 'in core', workers: `${workers} worker${workers > 1 ? 's' : ''}`, resume: 'resumed' }[how];
      const title = `${size} blocks, ${what}, ${conflict ? 'conflicts' : 'no conflicts'}`;
      const reference = how === 'core' ? 'daisy 2 Scheduler' : 'daisy 2 run_blockwise';
      if (!isChosen(options, title, reference)) continue;
      const settings: Settings = { how, blocks, conflict, workers, folder: options.folder };
      yield await compare(
        {
          bench: 'scheduler',
          case: title,
          unit: 'k blocks/s',
          scale: 1e-3,
          items: count,
          settings,
          reference: {
            name: reference,
            environment: 'daisy2',
            script: 'scheduler',
            settings,
            ...((count > 1e5 && conflict) || (count > 1e4 && how !== 'core') ? { repetitions: 1 } : {}),
          },
          memory: how === 'core' ? 'growth' : 'tree',
          equal: 'the blocks do nothing; that the plans are the same is tested in test/blocks',
          inspect: (_, cost) => {
            if (cost.blocks !== count)
              throw new Error(`${title}: expected ${count} blocks done, found ${String(cost.blocks)}`);
          },
        },
        options,
      );
    }
  }
}

export const benchmark: Benchmark = {
  name: 'scheduler',
  description: 'blocks that do nothing, with and without conflicts between neighbours',
  sizes: { '1e4': '10 000 blocks', '1e5': '100 000 blocks', '1e6': '1 000 000 blocks' },
  defaultSizes: ['1e4', '1e5', '1e6'],
  rows,
};
