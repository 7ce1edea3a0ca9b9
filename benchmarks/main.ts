// npm run bench -- [NAME...] [--size S...] [--json] [--smoke] ...: see benchmarks/README.md
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import yargs from 'yargs';
import { hideBin } from 'yargs/helpers';
import { benchmark as argmax } from './argmax.js';
import type { Benchmark } from './benchmark.js';
import { benchmark as componentsBlocks } from './components-blocks.js';
import { benchmark as connectedComponents } from './connected-components.js';
import { benchmark as copy } from './copy.js';
import { benchmark as distanceTransform } from './distance-transform.js';
import { benchmark as edgeScores } from './edge-scores.js';
import { benchmark as evaluation } from './evaluation.js';
import { benchmark as fragmentStatistics } from './fragment-statistics.js';
import { benchmark as gaussianSmoothing } from './gaussian-smoothing.js';
import { benchmark as graphLut } from './graph-lut.js';
import { benchmark as graphMutexWatershed } from './graph-mutex-watershed.js';
import { benchmark as mutexWatershed } from './mutex-watershed.js';
import { benchmark as pipeline } from './pipeline.js';
import { benchmark as relabel } from './relabel.js';
import { writeReport } from './report.js';
import { benchmark as resume } from './resume.js';
import { formatTable, type Row } from './row.js';
import { RowSaver } from './save-rows.js';
import { benchmark as scheduler } from './scheduler.js';
import { benchmark as sockets } from './sockets.js';
import { benchmark as threshold } from './threshold.js';
import { benchmark as zarrRead } from './zarr-read.js';
import { benchmark as zarrUnaligned } from './zarr-unaligned.js';
import { benchmark as zarrWrite } from './zarr-write.js';

const benchmarks: readonly Benchmark[] = [
  mutexWatershed,
  graphMutexWatershed,
  graphLut,
  edgeScores,
  fragmentStatistics,
  relabel,
  gaussianSmoothing,
  distanceTransform,
  argmax,
  threshold,
  evaluation,
  connectedComponents,
  scheduler,
  sockets,
  resume,
  pipeline,
  zarrRead,
  zarrWrite,
  zarrUnaligned,
  copy,
  componentsBlocks,
];

const help = benchmarks
  .map(({ name, description, sizes, defaultSizes }) => {
    const list = Object.entries(sizes).map(
      ([size, what]) => `    --size ${size}: ${what}${defaultSizes.includes(size) ? '' : ' (only when asked for)'}`,
    );
    return [`${name}: ${description}`, ...list].join('\n');
  })
  .join('\n');

const parsed = await yargs(hideBin(process.argv))
  .scriptName('npm run bench --')
  .usage(
    `$0 [NAME...]\n\nMeasures Blockwright beside the Python systems that do the same. Without names: all of\n\n${help}`,
  )
  .options({
    json: { type: 'boolean', default: false, describe: 'one line of JSON a row, in place of tables' },
    smoke: { type: 'boolean', default: false, describe: 'tiny inputs, one repetition: does everything work?' },
    size: { type: 'string', array: true, default: [] as string[], describe: 'sizes to run, see above' },
    repetitions: { type: 'number', default: 3, describe: 'runs of each side; medians are shown' },
    threads: { type: 'number', default: 1, describe: "threads of our kernels (the references' have one)" },
    only: { type: 'string', default: '', describe: 'only cases whose name contains this' },
    reference: { type: 'boolean', default: true, describe: 'run the reference where it is there' },
    save: { type: 'boolean', default: false, describe: 'keep the rows in benchmarks/results and write the report' },
    report: {
      type: 'boolean',
      default: false,
      describe: 'measure nothing, write benchmarks/RESULTS.md from saved rows',
    },
    results: { type: 'string', describe: 'where saved rows are. Default: benchmarks/results' },
    folder: { type: 'string', default: tmpdir(), describe: 'where inputs and results are written for a while' },
  })
  .strictOptions()
  .parseAsync();

function refuse(text: string): never {
  console.error(`bench: ${text}`);
  process.exit(2);
}

const names = parsed._.map(String);
for (const name of names) {
  if (!benchmarks.some((each) => each.name === name)) {
    refuse(`there is no benchmark '${name}'; there are ${benchmarks.map((each) => each.name).join(', ')}`);
  }
}
const chosen = benchmarks.filter((each) => names.length === 0 || names.includes(each.name));
for (const size of parsed.size) {
  if (!chosen.some((each) => size in each.sizes)) {
    refuse(
      `no chosen benchmark has a size '${size}'; there are ${[...new Set(chosen.flatMap((each) => Object.keys(each.sizes)))].join(', ')}`,
    );
  }
}
for (const option of ['repetitions', 'threads'] as const) {
  if (!Number.isInteger(parsed[option]) || parsed[option] < 1)
    refuse(`--${option}: expected a whole number from 1, found ${parsed[option]}`);
}
const results = resolve(parsed.results ?? join(import.meta.dirname, '..', '..', 'benchmarks', 'results'));
if (parsed.save && parsed.smoke && parsed.results === undefined) {
  refuse('--save: tiny inputs say nothing about speed; leave out --smoke, or name another place with --results');
}
if (parsed.report && (parsed.save || names.length > 0)) {
  refuse('--report measures nothing: leave out --save and names (--save writes the report, too)');
}
const report = () => {
  const page = writeReport(
    results,
    benchmarks.map((each) => each.name),
  );
  console.error(`bench: ${page} is written`);
};
if (parsed.report) {
  report();
  process.exit();
}

const folder = mkdtempSync(join(parsed.folder, 'blockwright-bench-'));
// Inputs are large: they must not stay, whatever ends this. The sides end when their standard input does.
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(3));

let differs = false;
let failed = false;

async function measure(benchmark: Benchmark): Promise<void> {
  const sizes = Object.keys(benchmark.sizes).filter((size) => parsed.size.includes(size));
  const repetitions = parsed.smoke ? 1 : parsed.repetitions;
  const saver = parsed.save ? new RowSaver(results, benchmark, { ...parsed, repetitions }) : undefined;
  const rows: Row[] = [];
  for await (const row of benchmark.rows({
    sizes: sizes.length > 0 ? sizes : parsed.size.length > 0 ? [] : benchmark.defaultSizes,
    smoke: parsed.smoke,
    repetitions,
    threads: parsed.threads,
    only: parsed.only,
    reference: parsed.reference,
    folder,
    say: (text) => console.error(`bench: ${text}`),
  })) {
    rows.push(row);
    saver?.add(row);
    differs ||= row.equal === false;
    if (parsed.json) console.log(JSON.stringify(row));
  }
  if (!parsed.json && rows.length > 0)
    console.log(`\n${benchmark.name}: ${benchmark.description}\n\n${formatTable(rows)}\n`);
  if (rows.length > 0) for (const note of saver?.notes() ?? []) console.error(`bench: ${benchmark.name}: ${note}`);
}

for (const benchmark of chosen) {
  try {
    await measure(benchmark);
  } catch (error) {
    // the others take hours: they go on
    failed = true;
    console.error(`bench: ${benchmark.name} failed:`, error);
  }
}
if (parsed.save) report();
if (failed) process.exitCode = 1;
if (differs) {
  console.error('bench: at least one result differs from its reference');
  process.exitCode = 1;
}
