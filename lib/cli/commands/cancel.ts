import { hostname } from 'node:os';
import { readRunStatus } from '../../coordinator/run-status.js';
import { BlockwrightError } from '../../errors.js';
import { defineCommand } from '../command.js';
import { ExitCode } from '../exit-code.js';
import { findRunDirectory, noRun } from '../run-directory.js';

export interface CancelArguments {
  readonly run: string;
}

export const cancelCommand = defineCommand<CancelArguments>({
  command: 'cancel <run>',
  describe: 'Ask a run that is at work to stop in order, as Ctrl-C does; asked twice it stops at once',
  options: (yargs) =>
    yargs.positional('run', { type: 'string', demandOption: true, describe: 'The pipeline file or the run directory' }),
  run: async ({ run }, console) => {
    const runDirectory = await findRunDirectory(run);
    const status = readRunStatus(runDirectory);
    if (status === undefined) throw noRun(runDirectory);
    const { owner } = status;
    if (owner === undefined) {
      console.out('The run is not at work: there is nothing to stop.');
      return ExitCode.complete;
    }
    if (owner.host !== hostname()) {
      throw new BlockwrightError(
        'ERR_UNSUPPORTED',
        `cancel: expected to be called on host ${owner.host}, where the run is`,
      );
    }
    process.kill(owner.pid, 'SIGTERM');
    console.out(`Process ${owner.pid} was asked to stop. The run's command continues it later.`);
    return ExitCode.complete;
  },
});
