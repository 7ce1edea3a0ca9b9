import { Scheduler } from '../lib/scheduler/scheduler.js';
import type { Benchmark, BenchmarkOptions, MakeOurSide } from './benchmark.js';
import { compare, isChosen } from './compare.js';
import { noOpPlan } from './no-op-task.js';
import type { Row } from './row.js';

interface Settings {
  /** Blocks an axis. */
  readonly blocks: readonly number[];
  readonly conflict: boolean;
  readonly folder: string;
}

export const ours: MakeOurSide = async (given) => {
  const { blocks, conflict } = given as Settings;
  return { run: async () => ({ result: null, blocks: schedule(blocks, conflict) }) };
};

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

async function* rows(options: BenchmarkOptions): AsyncGenerator<Row> {
  for (const size of options.smoke ? ['smoke'] : options.sizes) {
    const blocks = BLOCKS[size];
    const count = blocks.reduce((product, extent) => product * extent, 1);
    for (const conflict of options.smoke ? [true] : [true, false]) {
      const title = `${size} blocks, in core, ${conflict ? 'conflicts' : 'no conflicts'}`;
      const reference = 'daisy 2 Scheduler';
      if (!isChosen(options, title, reference)) continue;
      const settings: Settings = { blocks, conflict, folder: options.folder };
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
            settings: { ...settings, how: 'core', workers: 1 },
            ...(count > 1e5 && conflict ? { repetitions: 1 } : {}),
          },
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
  description: 'the schedule alone, of blocks that do nothing, with and without conflicts between neighbours',
  sizes: { '1e4': '10 000 blocks', '1e5': '100 000 blocks', '1e6': '1 000 000 blocks' },
  defaultSizes: ['1e4', '1e5', '1e6'],
  rows,
};
