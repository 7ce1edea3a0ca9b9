import type { Benchmark, BenchmarkOptions, MakeOurSide } from './benchmark.js';
import { besideDaisy, type NoOpRun, RUN_SIZES, runAgain, runFresh, SIZE_TEXTS } from './no-op-run.js';
import type { Row } from './row.js';

export const ours: MakeOurSide = async (given) => {
  const settings = given as NoOpRun;
  const { pipeline } = await runFresh(settings);
  return { run: async () => ({ result: null, blocks: await runAgain(pipeline, settings.workers) }) };
};

async function* rows(options: BenchmarkOptions): AsyncGenerator<Row> {
  for (const size of options.smoke ? ['smoke'] : options.sizes) {
    for (const conflict of [true, false]) {
      yield* besideDaisy(
        {
          bench: 'resume',
          case: `${size} blocks, ${conflict ? 'conflicts' : 'no conflicts'}`,
          settings: { blocks: RUN_SIZES[size], conflict, workers: 2, folder: options.folder },
          reference: { name: 'done marker', how: 'resume' },
        },
        options,
      );
    }
  }
}

export const benchmark: Benchmark = {
  name: 'resume',
  description: 'a run whose blocks are all done, run again',
  sizes: SIZE_TEXTS,
  defaultSizes: ['1e3', '1e4', '1e5', '1e6'],
  rows,
};
