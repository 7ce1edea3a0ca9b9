import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { median } from './compare.js';
import { isSameMachine } from './machine.js';
import { growthPlot, type Plot, ratioPlot } from './plots.js';
import { cells, formatExtra, type Row, times } from './row.js';
import { type Measurement, readAllResults, type SavedResults } from './saved-results.js';

const HEAD = `# Results of the benchmarks

Made by \`npm run bench -- --report\` from what \`npm run bench -- --save\` measured ([results/](results)); do not edit. How it is measured is in
[README.md](README.md#how-it-is-measured). Rates of \`ours\` and \`reference\` are in the unit beside them, higher is better; a ratio above 1 means that
ours is better; bytes are the peak of memory an item (voxel, edge, block). A row names its measurement, whose machine and circumstances stand below the
table; only ratios compare between machines.
`;

/** Cells of tables: a bar would end one. */
const cell = (text: string) => text.replaceAll('|', '\\|');

/**
 * Writes RESULTS.md beside the folder of saved results, and the plots into the folder.
 *
 * @param order names of benchmarks, first ones first; others follow
 */
export function writeReport(folder: string, order: readonly string[]): string {
  const place = (name: string) => (order.includes(name) ? order.indexOf(name) : order.length);
  const all = readAllResults(folder).sort((a, b) => place(a.bench) - place(b.bench));
  mkdirSync(folder, { recursive: true });
  for (const name of readdirSync(folder)) if (name.endsWith('.svg')) rmSync(join(folder, name));
  const page = join(dirname(folder), 'RESULTS.md');
  const parts = all.map((results) =>
    section(results, (name, plot) => {
      const path = join(folder, name);
      writeFileSync(path, plot.svg);
      return `![${plot.alt.replaceAll(/[[\]]/g, '')}](${relative(dirname(page), path)})`;
    }),
  );
  writeFileSync(
    page,
    `${[HEAD, ...(parts.length === 0 ? ['Nothing is saved yet.\n'] : [overview(all), ...parts])].join('\n')}`,
  );
  return page;
}

/** A line a benchmark: how its ratios spread, and whether results are equal. */
function overview(all: readonly SavedResults[]): string {
  const lines = all.map(({ bench, rows }) => {
    const ratios = rows.map(({ ratio }) => ratio).filter((ratio) => ratio !== null);
    const spread =
      ratios.length === 0
        ? ['-', '-', '-']
        : [Math.min(...ratios), median(ratios), Math.max(...ratios)].map((ratio) => times(ratio));
    const compared = rows.filter(({ equal }) => equal !== null);
    const equal = compared.length === 0 ? '-' : `${compared.filter((row) => row.equal).length} of ${compared.length}`;
    return `| [${bench}](#${bench}) | ${rows.length} | ${spread.join(' | ')} | ${equal} |`;
  });
  const head = ['| benchmark | rows | lowest ratio | median | highest | equal results |', '|---|--:|--:|--:|--:|--:|'];
  return `${[...head, ...lines].join('\n')}\n`;
}

/** One benchmark: plots, table, notes, circumstances. */
export function section(results: SavedResults, place: (name: string, plot: Plot) => string): string {
  const { bench, description, rows, measurements } = results;
  const plots = [
    ['ratio', ratioPlot(bench, rows)],
    ['growth', growthPlot(bench, rows)],
  ] as const;
  const images = plots.flatMap(([kind, plot]) => (plot === undefined ? [] : [place(`${bench}-${kind}.svg`, plot)]));
  const number = (begun: string) => measurements.findIndex((one) => one.begun === begun) + 1;
  const table = [
    '| case | beside | unit | ours | reference | ratio | CPU s | reference CPU s | CPU ratio | bytes/item | reference bytes/item | equal | measured |',
    '|---|---|---|--:|--:|--:|--:|--:|--:|--:|--:|---|---|',
    ...rows.map((row) => `| ${[...cells(row, '**no**'), `[${number(row.measurement)}]`].map(cell).join(' | ')} |`),
  ].join('\n');
  const notes = [...new Set(rows.flatMap(notesOf))].map((note) => `* ${note}`);
  const circumstances = measurements.map((one, index) => `* [${index + 1}] ${circumstancesOf(one)}`);
  const machines = measurements.filter(
    (one, i) => measurements.findIndex((other) => isSameMachine(one.machine, other.machine)) === i,
  );
  const mixed = machines.length > 1 ? [`Rows are from ${machines.length} machines: their rates do not compare.`] : [];
  const lists = [notes, circumstances].filter((list) => list.length > 0).map((list) => list.join('\n'));
  return `${[`## ${bench}`, `${description[0].toUpperCase()}${description.slice(1)}.`, ...images, table, ...mixed, ...lists].join('\n\n')}\n`;
}

function notesOf(row: Row): string[] {
  return [
    row.missing === undefined ? '' : `${row.case}: ${row.missing}`,
    row.notCompared === undefined ? '' : `not compared: ${row.notCompared}`,
    row.extra === undefined ? '' : `${row.case}: ${formatExtra(row.extra)}`,
  ].filter((note) => note !== '');
}

function circumstancesOf(measurement: Measurement): string {
  const { machine, load, references, otherCores, commit, repetitions, threads, begun, notes } = measurement;
  const versions = Object.entries(Object.assign({}, ...Object.values(references)) as Record<string, string>);
  const parts = [
    `${begun.slice(0, 16).replace('T', ' ')} UTC`,
    `${machine.cpu}, ${machine.cores} cores, ${Math.round(machine.memoryBytes / 2 ** 30)} GiB, ${machine.system}, node ${machine.node}`,
    ...(versions.length === 0 ? [] : [versions.map(([name, version]) => `${name} ${version}`).join(', ')]),
    `load ${load.begin.toFixed(1)} at the beginning, ${load.end.toFixed(1)} at the end`,
    ...(otherCores === null ? [] : [`other work kept ${otherCores.toFixed(2)} cores busy`]),
    `medians of ${repetitions} run${repetitions === 1 ? '' : 's'}, ${threads} thread${threads === 1 ? '' : 's'}`,
    ...(commit === null ? [] : [`commit ${commit}`]),
    ...notes.filter((note) => !note.startsWith('other work')),
  ];
  return parts.join('; ');
}
