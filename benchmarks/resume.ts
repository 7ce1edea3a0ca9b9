import type { Benchmark, BenchmarkOptions, MakeOurSide } from './benchmark.js';
import { compare, isChosen } from './compare.js';
import { countOf, EQUAL, expectBlocks, type NoOpRun, RUN_SIZES, runAgain, runFresh, SIZE_TEXTS } from './no-op-run.js';
import type { Row } from './row.js';

export const ours: MakeOurSide = async (given) => {
  const settings = given as NoOpRun;
  const { pipeline } = await runFresh(settings);
  return { run: async () => ({ result: null, blocks: await runAgain(pipeline, settings.workers) }) };
};

/** Blocks up to which the reference runs: making its finished run takes minutes for more. */
const REFERENCE_BLOCKS = 1e5;

async function* rows(options: BenchmarkOptions): AsyncGenerator<Row> {
  for (const size of options.smoke ? ['smoke'] : options.sizes) {
    const blocks = RUN_SIZES[size];
    const count = countOf(blocks);
    for (const conflict of [true, false]) {
      const many = count > REFERENCE_BLOCKS;
      const title = `${size} blocks, ${conflict ? 'conflicts' : 'no conflicts'}`;
      const name = `daisy 2 done marker${many ? ' (1e5 blocks)' : ''}`;
      if (!isChosen(options, title, name)) continue;
      const settings: NoOpRun = { blocks, conflict, workers: 2, folder: options.folder };
      const referenceBlocks = many ? RUN_SIZES['1e5'] : blocks;
      yield await compare(
        {
          bench: 'resume',
          case: title,
          unit: 'k blocks/s',
          scale: 1e-3,
          items: count,
          settings,
          reference: {
            name,
            environment: 'daisy2',
            script: 'scheduler',
            settings: { ...settings, how: 'resume', blocks: referenceBlocks },
            items: countOf(referenceBlocks),
          },
          memory: 'tree',
          equal: EQUAL,
          inspect: (side, cost) => expectBlocks(title, side === 'ours' ? count : countOf(referenceBlocks))(side, cost),
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
