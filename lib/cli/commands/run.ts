import type { Argv } from 'yargs';
import { loadPipeline } from '../../pipeline/file.js';
import { defineCommand } from '../command.js';
import { type RunArguments, runWithProgress } from '../run-with-progress.js';

export function runOptions(yargs: Argv): Argv<RunArguments> {
  return yargs
    .positional('file', { type: 'string', demandOption: true, describe: 'The pipeline file (YAML or JSON)' })
    .option('workers', {
      type: 'number',
      describe: "Worker processes. Default: the file's, else the machine's cores",
      coerce: (value: unknown) => {
        if (!Number.isInteger(value) || (value as number) < 1)
          throw new Error('--workers: expected a whole number of at least 1');
        return value as number;
      },
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
    return runWithProgress(pipeline, found, console);
  },
});
