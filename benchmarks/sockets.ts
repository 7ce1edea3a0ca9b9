import type { Benchmark, BenchmarkOptions, MakeOurSide } from './benchmark.js';
import { compare, isChosen } from './compare.js';
import { countOf, EQUAL, expectBlocks, type NoOpRun, RUN_SIZES, removeRun, runFresh, SIZE_TEXTS } from './no-op-run.js';
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

/** Blocks up to which the reference runs: it needs minutes for more. */
const REFERENCE_BLOCKS = 1e5;

async function* rows(options: BenchmarkOptions): AsyncGenerator<Row> {
  for (const size of options.smoke ? ['smoke'] : options.sizes) {
    const blocks = RUN_SIZES[size];
    const count = countOf(blocks);
    for (const conflict of [true, false]) {
      for (const workers of options.smoke ? [2] : [1, 2, 4, 8]) {
        const many = count > REFERENCE_BLOCKS;
        const title = `${size} blocks, ${workers} worker${workers > 1 ? 's' : ''}, ${conflict ? 'conflicts' : 'no conflicts'}`;
        const name = `daisy 2 processes${many ? ' (1e5 blocks)' : ''}`;
        if (!isChosen(options, title, name)) continue;
        const settings: NoOpRun = { blocks, conflict, workers, folder: options.folder };
        const referenceBlocks = many ? RUN_SIZES['1e5'] : blocks;
        yield await compare(
          {
            bench: 'sockets',
            case: title,
            unit: 'k blocks/s',
            scale: 1e-3,
            items: count,
            settings,
            reference: {
              name,
              environment: 'daisy2',
              script: 'scheduler',
              settings: { ...settings, how: 'workers', blocks: referenceBlocks },
              items: countOf(referenceBlocks),
              ...(count >= REFERENCE_BLOCKS ? { repetitions: 1 } : {}),
            },
            memory: 'tree',
            equal: EQUAL,
            inspect: (side, cost) =>
              expectBlocks(title, side === 'ours' ? count : countOf(referenceBlocks))(side, cost),
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
