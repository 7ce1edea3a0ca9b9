import type { Benchmark, BenchmarkOptions, MakeOurSide } from './benchmark.js';
import { besideDaisy, type NoOpRun, RUN_SIZES, removeRun, runFresh, SIZE_TEXTS } from './no-op-run.js';
import type { Row } from './row.js';

export const ours: MakeOurSide = async (given) => {
  const settings = given as NoOpRun;
  let last: Awaited<ReturnType<typeof runFresh>> | undefined;
  return {
    async prepare() {
      if (last !== undefined) removeRun(last.pipeline);
    },
    async run() {
      last = await runFresh(settings);
      return { result: null, blocks: last.done };
    },
  };
};

/** What is done with blocks of a size: conflicts or none, and each block asked for and reported by itself. */
const CASES = [
  { text: 'conflicts', conflict: true, workers: [1, 2, 4, 8] },
  { text: 'no conflicts', conflict: false, workers: [1, 2, 4, 8] },
  { text: 'one by one', conflict: false, workers: [1, 2, 4], leaseBlocks: 1 },
];

async function* rows(options: BenchmarkOptions): AsyncGenerator<Row> {
  for (const size of options.smoke ? ['smoke'] : options.sizes) {
    for (const { text, workers: counts, ...how } of CASES) {
      for (const workers of options.smoke ? [2] : counts) {
        yield* besideDaisy(
          {
            bench: 'sockets',
            case: `${size} blocks, ${workers} worker${workers > 1 ? 's' : ''}, ${text}`,
            settings: { blocks: RUN_SIZES[size], workers, ...how, folder: options.folder },
            reference: { name: 'processes', how: 'workers' },
            manyBlocksRepetitions: 1,
          },
          options,
        );
      }
    }
  }
}

export const benchmark: Benchmark = {
  name: 'sockets',
  description: 'blocks that do nothing through worker processes, 1 to 8 of them, from the start of the run to its end',
  sizes: SIZE_TEXTS,
  defaultSizes: ['1e3', '1e4', '1e5', '1e6'],
  rows,
};
