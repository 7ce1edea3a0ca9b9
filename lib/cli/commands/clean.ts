import { listRecords, removeRecords } from '../../coordinator/clean-run.js';
import { defineCommand } from '../command.js';
import { ExitCode } from '../exit-code.js';
import { firstLine } from '../format.js';
import { findRunDirectory, refuseRunAtWork } from '../run-directory.js';

export interface CleanArguments {
  readonly run: string;
  readonly yes: boolean;
}

export const cleanCommand = defineCommand<CleanArguments>({
  command: 'clean <run>',
  describe: 'Remove the records of a run that has ended: done records, journal, logs. Outputs stay',
  options: (yargs) =>
    yargs
      .positional('run', { type: 'string', demandOption: true, describe: 'The pipeline file or the run directory' })
      .option('yes', { type: 'boolean', default: false, describe: 'Remove; without it, only say what would be' }),
  run: async ({ run, yes }, console) => {
    const runDirectory = await findRunDirectory(run);
    const { status, records, others } = listRecords(runDirectory);
    refuseRunAtWork(runDirectory);
    if (yes) removeRecords(runDirectory);
    console.out(
      [
        `${runDirectory} (${status.state}): ${yes ? 'removed' : 'would be removed'}: ${records.join(', ')}`,
        ...(others.length > 0
          ? [`left, as no run made it: ${others.map((name) => firstLine(name, 100)).join(', ')}`]
          : []),
        ...(yes ? [] : ['Nothing was removed. To remove it, with --yes: then a run begins with nothing done.']),
      ].join('\n'),
    );
    return ExitCode.complete;
  },
});
