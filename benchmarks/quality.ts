/**
 * npm run quality: how good segments of the FIB-25 example are when the volume is cut into blocks, against its labels.
 * The results are added to a file run by run, and what is there is not run again. docs/quality.md tells what came out.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import yargs from 'yargs';
import { hideBin } from 'yargs/helpers';
import { alignColumns } from '../lib/cli/format.js';
import { median } from './compare.js';
import { writePictures } from './quality-pictures.js';
import { type QualityCase, type QualityResult, QualityVolume } from './quality-volume.js';

const parsed = await yargs(hideBin(process.argv))
  .scriptName('npm run quality --')
  .usage(
    '$0\n\nScores segments of the FIB-25 example, cut into blocks of several sizes, over several seeds of the noise',
  )
  .options({
    size: { type: 'number', array: true, default: [128], describe: 'voxels an axis, up to 250' },
    block: {
      type: 'number',
      array: true,
      default: [128, 64, 32],
      describe: 'voxels of a block an axis; a size: one block',
    },
    seeds: { type: 'number', default: 3, describe: 'seeds of the noise: 0, 1, ...' },
    context: { type: 'number', describe: 'voxels around the blocks of the watershed. Default: that of the task' },
    'pseudo-count': { type: 'number', describe: 'of the graph. Default: that of the task' },
    workers: { type: 'number', default: 2 },
    results: { type: 'string', default: 'quality.json', describe: 'file of results' },
    pictures: { type: 'string', describe: 'folder for pictures of 128^3: of what goes wrong without the pseudo-count' },
  })
  .strictOptions()
  .parseAsync();

const folder = mkdtempSync(join(tmpdir(), 'blockwright-quality-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(3));

const read = () =>
  existsSync(parsed.results) ? (JSON.parse(readFileSync(parsed.results, 'utf8')) as QualityResult[]) : [];
const keyOf = ({ size, block, seed, context, pseudoCount }: QualityCase) =>
  JSON.stringify([size, block, seed, context ?? null, pseudoCount ?? null]);

for (const size of parsed.size) {
  const volume = new QualityVolume(folder, size);
  for (const block of new Set(parsed.block.map((extent) => Math.min(extent, size)))) {
    for (let seed = 0; seed < parsed.seeds; seed++) {
      const wanted: QualityCase = { size, block, seed, context: parsed.context, pseudoCount: parsed.pseudoCount };
      if (read().some((one) => keyOf(one) === keyOf(wanted))) continue;
      const result = await volume.run(wanted, parsed.workers);
      writeFileSync(parsed.results, `[\n${[...read(), result].map((one) => JSON.stringify(one)).join(',\n')}\n]\n`);
      console.error(`${keyOf(wanted)}: ${result.adaptedRandError.toFixed(4)}, ${result.seconds.toFixed(0)} s`);
    }
  }
  volume.remove();
}

console.log(tableOf(read()).join('\n'));
if (parsed.pictures !== undefined) await writePictures(folder, parsed.pictures, parsed.workers);

/** A line for each size, block and setting: medians over the seeds and how far they spread. */
function tableOf(results: readonly QualityResult[]): string[] {
  const groups = new Map<string, QualityResult[]>();
  for (const one of results) {
    const key = keyOf({ ...one, seed: 0 });
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  const rows = [...groups.values()].map((group) => {
    const { size, block, context, pseudoCount } = group[0];
    const errors = group.map((one) => one.adaptedRandError);
    const setting = [
      context === undefined ? '' : `context ${context}`,
      pseudoCount === undefined ? '' : `pseudoCount ${pseudoCount}`,
    ].filter((text) => text !== '');
    return [
      `${size}^3`,
      block >= size ? 'one' : `${block}^3`,
      setting.join(', ') || 'defaults',
      String(group.length),
      median(errors).toFixed(4),
      `${Math.min(...errors).toFixed(4)} to ${Math.max(...errors).toFixed(4)}`,
      median(group.map((one) => one.voiSplit)).toFixed(3),
      median(group.map((one) => one.voiMerge)).toFixed(3),
    ];
  });
  const head = ['volume', 'blocks', 'settings', 'seeds', 'adapted Rand error', 'from - to', 'VOI split', 'VOI merge'];
  return alignColumns([head, ...rows], [0, 1, 2]);
}
