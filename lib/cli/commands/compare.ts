import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Argv } from 'yargs';
import { compareStores } from '../../compare/compare-stores.js';
import { BlockwrightError, codeOf } from '../../errors.js';
import { Roi } from '../../geometry/roi.js';
import { isAddress, parseAddress } from '../../storage/address.js';
import { openArray } from '../../storage/open-store.js';
import { toPng } from '../../view/slice-image.js';
import { defineCommand } from '../command.js';
import { comparisonLines } from '../compare-text.js';
import { comparedPlane } from '../compared-plane.js';
import { parseNumbers, parseRoi } from '../copy-options.js';
import { ExitCode } from '../exit-code.js';
import { formatBytes, formatCount, formatDuration } from '../format.js';
import { jsonText } from '../json-text.js';
import { ScanProgress } from '../scan-progress.js';
import { onStopRequests } from '../stop-requests.js';

export interface CompareArguments {
  readonly a: string;
  readonly b: string;
  readonly partition: boolean | undefined;
  readonly tolerance: number | undefined;
  readonly roi: ReturnType<typeof parseRoi>;
  readonly overlap: boolean;
  readonly byIndex: boolean;
  readonly fragments: readonly string[] | undefined;
  readonly blocks: readonly number[] | undefined;
  readonly limit: number;
  readonly view: string | undefined;
  readonly json: boolean;
  readonly quiet: boolean;
}

interface CompareState {
  readonly blocks: number;
  readonly expected: number;
  readonly bytes: number;
}

export const compareCommand = defineCommand<CompareArguments>({
  command: 'compare <a> <b>',
  describe: 'Whether two arrays, graphs or LUTs are equal, and where not',
  options: (yargs) =>
    yargs
      .positional('a', {
        type: 'string',
        demandOption: true,
        describe: 'Array, graph or LUT: a folder, file or address',
      })
      .positional('b', { type: 'string', demandOption: true, describe: 'What it is compared with' })
      .option('partition', {
        type: 'boolean', // without a default, which would conflict, too
        describe: 'Labels count as equal where they part the voxels alike, whatever their ids',
        conflicts: 'tolerance',
      })
      .option('tolerance', {
        type: 'number',
        describe: 'Numbers that are no further apart count as equal. Default: 0',
        coerce: (value: unknown) => {
          if (value === undefined || (typeof value === 'number' && value >= 0)) return value;
          throw new Error('--tolerance: expected a number of at least 0');
        },
      })
      .option('roi', {
        type: 'string',
        nargs: 1, // begins with a minus where the offset does
        describe: 'Only this part, OFFSET:SHAPE in world units of the first, e.g. 0,80,80:800,400,400',
        coerce: parseRoi,
      })
      .option('overlap', {
        type: 'boolean',
        default: false,
        describe: 'Only what both have counts: voxels, nodes and edges, fragments',
      })
      .option('by-index', {
        type: 'boolean',
        default: false,
        describe: 'Compare the first voxel with the first, wherever they lie in the world',
      })
      .option('fragments', {
        type: 'string',
        array: true,
        nargs: 2,
        describe:
          'Of graphs and LUTs: the arrays of fragments of both, which are matched by their voxels where ids differ',
      })
      .option('blocks', {
        type: 'string',
        describe:
          'Voxels of the blocks by which differences are counted. Default: whole chunks, about 2 million voxels',
        coerce: parseNumbers('--blocks', 1),
      })
      .option('limit', {
        type: 'number',
        default: 10,
        describe: 'Positions, blocks, pairs that are listed, at most',
        coerce: (value: unknown) => {
          if (Number.isInteger(value) && (value as number) >= 0) return value as number;
          throw new Error('--limit: expected a whole number of at least 0');
        },
      })
      .option('view', {
        type: 'string',
        describe: 'Write a PNG of the worst slice: the first, the second, the difference',
      })
      .option('json', { type: 'boolean', default: false, describe: 'The result as JSON' })
      .option('quiet', {
        type: 'boolean',
        default: false,
        describe: 'No progress, only the result',
      }) as unknown as Argv<CompareArguments>,
  run: async (given, console) => {
    const [a, b] = [placeOf(given.a), placeOf(given.b)];
    if (given.view !== undefined && !existsSync(dirname(resolve(given.view)))) {
      throw new BlockwrightError(
        'ERR_ARGUMENT',
        `--view: expected a file in a folder that is there, found ${given.view}`,
      );
    }
    const progress = given.quiet ? undefined : new ScanProgress(console.progress, progressText);
    const stop = onStopRequests((request) => {
      if (request === 'kill') process.exit(ExitCode.interrupted);
    });
    try {
      const result = await compareStores(a, b, {
        partition: given.partition,
        tolerance: given.tolerance,
        roi: given.roi === undefined ? undefined : new Roi(given.roi.offset, given.roi.shape),
        byIndex: given.byIndex,
        overlap: given.overlap,
        fragments: fragmentsOf(given.fragments),
        blockShape: given.blocks,
        limit: given.limit,
        signal: stop.stop,
        // no turn of the event loop would hear Ctrl-C: it ends the process, and nothing has been written
        onWhole: () => {
          progress?.stop();
          stop.release();
        },
        onBlock: (blocks, expected, bytes) => progress?.update({ blocks, expected, bytes }),
      });
      progress?.stop();
      console.out(given.json ? jsonText(result) : comparisonLines(result).join('\n'));
      if (given.view !== undefined) {
        if (result.kind !== 'arrays')
          throw new BlockwrightError('ERR_ARGUMENT', `--view: expected arrays, found ${result.kind}`);
        const { picture, text } = await comparedPlane(await openArray(a), await openArray(b), result);
        await writeFile(given.view, toPng(picture));
        console.error(`${given.view}: ${text}`);
      }
      return result.equal ? ExitCode.complete : ExitCode.incomplete;
    } catch (error) {
      progress?.stop();
      if (codeOf(error) !== 'ERR_CANCELLED') throw error;
      console.error('blockwright: interrupted before all was compared');
      return ExitCode.interrupted;
    } finally {
      progress?.stop();
      stop.release();
    }
  },
});

function fragmentsOf(given: readonly string[] | undefined): readonly [string, string] | undefined {
  if (given === undefined) return undefined;
  if (given.length === 2) return [placeOf(given[0]), placeOf(given[1])];
  throw new BlockwrightError('ERR_ARGUMENT', `--fragments: expected two arrays, found ${given.length}`);
}

function placeOf(path: string): string {
  return isAddress(path) ? parseAddress(path).text : resolve(path);
}

/** '12 of 64 blocks (18 %), 512 MiB/s, 12 s left'. */
function progressText({ blocks, expected, bytes }: CompareState, seconds: number): string {
  const part = blocks / expected;
  const left = blocks === 0 ? '' : `, ${formatDuration((seconds * (1 - part)) / part)} left`;
  return `${formatCount(blocks)} of ${formatCount(expected)} blocks (${Math.floor(100 * part)} %), ${formatBytes(bytes / seconds)}/s${left}`;
}
