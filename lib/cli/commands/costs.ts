import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { COSTS, type CostName } from '../../coordinator/block-cost.js';
import { RunFolder } from '../../coordinator/run-folder.js';
import { BlockwrightError } from '../../errors.js';
import { ChunkedArray } from '../../storage/chunked-array.js';
import { heatPicture } from '../../view/heat-picture.js';
import { enlarge, toPng } from '../../view/slice-image.js';
import { defineCommand } from '../command.js';
import { ExitCode } from '../exit-code.js';
import { formatBytes, formatCount, formatTime } from '../format.js';
import { findRunDirectory } from '../run-directory.js';

export interface CostsArguments {
  readonly run: string;
  readonly task: string;
  readonly what: CostName;
  readonly slice: number | undefined;
  readonly png: string;
}

/** Pixels that a picture is wide or high, about. */
const EXTENT = 512;

export const costsCommand = defineCommand<CostsArguments>({
  command: 'costs <run>',
  describe: "A picture of what a task's blocks took, a square a block",
  options: (yargs) =>
    yargs
      .positional('run', { type: 'string', demandOption: true, describe: 'The pipeline file or the run directory' })
      .option('task', { type: 'string', demandOption: true, describe: 'The name of the task' })
      .option('what', {
        choices: Object.keys(COSTS) as CostName[],
        default: 'wallSeconds' as const,
        describe: 'Which cost',
      })
      .option('slice', { type: 'number', describe: 'Position along the third axis from the end. Default: the middle' })
      .option('png', { type: 'string', demandOption: true, describe: 'The file to write' }),
  run: async ({ run, task, what, slice, png }, console) => {
    const path = join(new RunFolder(await findRunDirectory(run)).costs(task), what);
    if (!existsSync(path)) {
      throw new BlockwrightError(
        'ERR_CONFIG',
        `task ${task}: ${what} is not known of any block (${path} is not there)`,
      );
    }
    const array = await ChunkedArray.open(path);
    const { begin, end } = planeOf(array.shape, slice);
    const [height, width] = [1, 1, ...end.map((last, axis) => last - begin[axis])].slice(-2);
    const stored = await array.readRegion(begin, end);
    // no attempts are nothing that is known, too
    const values = Array.from(stored as Float32Array, (value) =>
      what === 'attempts' && value === 0 ? Number.NaN : value,
    );
    const known = values.filter((value) => !Number.isNaN(value));
    const highest = known.reduce((most, value) => Math.max(most, value), 0);
    const factor = Math.max(1, Math.floor(EXTENT / Math.max(height, width)));
    await writeFile(png, toPng(enlarge(heatPicture(values, height, width, highest), factor)));
    const plane = begin.slice(0, -2);
    console.out(
      `${png}: ${what} of ${task}${plane.length > 0 ? `, blocks [${plane}, :, :]` : ''}; black 0, pale yellow ` +
        `${amount(what, highest)}; grey: not known (${formatCount(values.length - known.length)} of ${formatCount(values.length)})`,
    );
    return ExitCode.complete;
  },
});

/** The last two axes, at one position of the others: the given one along the axis before them, else the middle. */
function planeOf(shape: readonly number[], slice: number | undefined): { begin: number[]; end: number[] } {
  const sliced = shape.length - 3;
  if (slice !== undefined && !(sliced >= 0 && Number.isInteger(slice) && slice >= 0 && slice < shape[sliced])) {
    const expected = sliced < 0 ? 'none, as the blocks have two axes at most' : `0 to ${shape[sliced] - 1}`;
    throw new BlockwrightError('ERR_CONFIG', `--slice: expected ${expected}, found ${slice}`);
  }
  const begin = shape.map((extent, axis) => {
    if (axis > sliced) return 0;
    return axis === sliced && slice !== undefined ? slice : Math.floor(extent / 2);
  });
  return { begin, end: begin.map((first, axis) => (axis > sliced ? shape[axis] : first + 1)) };
}

function amount(what: CostName, value: number): string {
  const { unit } = COSTS[what];
  if (unit === 's') return formatTime(value);
  return unit === 'bytes' ? formatBytes(value) : formatCount(value);
}
