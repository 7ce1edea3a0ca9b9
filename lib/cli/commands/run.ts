import type { Argv } from 'yargs';
import { loadPipeline } from '../../pipeline/file.js';
import { planPipeline } from '../../pipeline/plan.js';
import { defineCommand } from '../command.js';
import { parseRoi } from '../copy-options.js';
import { parseDuration } from '../duration.js';
import { type RunArguments, runWithProgress } from '../run-with-progress.js';

export function workersOption(yargs: Argv, fallback = "the machine's cores"): Argv {
  return yargs.option('workers', {
    type: 'number',
    describe: `Worker processes. Default: ${fallback}`,
    coerce: (value: unknown) => {
      if (!Number.isInteger(value) || (value as number) < 1)
        throw new Error('--workers: expected a whole number of at least 1');
      return value as number;
    },
  });
}

export function runOptions(yargs: Argv): Argv<RunArguments> {
  return workersOption(yargs, "the file's, else the machine's cores")
    .positional('file', { type: 'string', demandOption: true, describe: 'The pipeline file (YAML or JSON)' })
    .option('deadline', {
      type: 'string',
      describe: 'Stop in order after this time, e.g. 90s, 30m, 2h, 1.5d; the same command continues',
      coerce: parseDuration,
    })
    .option('roi', {
      type: 'string',
      describe: 'Only what this part needs, OFFSET:SHAPE in world units, e.g. 0,80,80:800,400,400',
      coerce: parseRoi,
    })
    .option('serial', {
      type: 'boolean',
      default: false,
      describe: 'In this process, one block after the other and once each, for a debugger',
    })
    .option('until', {
      type: 'string',
      array: true,
      nargs: 1,
      describe: 'Only this task and what it needs; may be given again',
    })
    .option('json', { type: 'boolean', default: false, describe: 'Events and result as JSON, one a line' })
    .option('quiet', {
      type: 'boolean',
      default: false,
      describe: 'No progress, only the result',
    }) as Argv<RunArguments>;
}

export const runCommand = defineCommand<RunArguments>({
  command: 'run <file>',
  describe: 'Run a pipeline, or continue where its run stopped',
  options: runOptions,
  run: async (found, console) => {
    const pipeline = await loadPipeline(found.file);
    return runWithProgress(await planPipeline(pipeline), found, console);
  },
});
