import { hostname } from 'node:os';
import { BlockwrightError } from '../../errors.js';
import { defineCommand } from '../command.js';
import { ExitCode } from '../exit-code.js';
import { findRun } from '../live-run.js';
import { findRunDirectory } from '../run-directory.js';

export interface CancelArguments {
  readonly run: string;
  readonly now: boolean;
}

export const cancelCommand = defineCommand<CancelArguments>({
  command: 'cancel <run>',
  describe: 'Ask a run that is at work to stop in order, as Ctrl-C does; asked twice it stops at once',
  options: (yargs) =>
    yargs
      .positional('run', { type: 'string', demandOption: true, describe: 'The pipeline file or the run directory' })
      .option('now', { type: 'boolean', default: false, describe: 'Stop at once: blocks that run are given up' }),
  run: async ({ run, now }, console) => {
    const { status, client, silence } = await findRun(await findRunDirectory(run));
    const { owner } = status;
    if (owner === undefined) {
      console.out('The run is not at work: there is nothing to stop.');
      return ExitCode.complete;
    }
    if (client !== undefined) {
      try {
        const stopping = await client.stop(now);
        const atOnce = now || stopping;
        if (stopping && !now) await client.stop(true);
        console.out(
          `Process ${owner.pid} was asked to stop${atOnce ? ' at once' : ''}. The run's command continues it later.`,
        );
      } finally {
        client.close();
      }
      return ExitCode.complete;
    }
    if (owner.host !== hostname()) {
      throw new BlockwrightError(
        'ERR_UNSUPPORTED',
        `cancel: expected to be called on host ${owner.host}, where the run is, for its ${silence}`,
      );
    }
    console.error(`By a signal, for its ${silence}`);
    process.kill(owner.pid, 'SIGTERM');
    if (now) process.kill(owner.pid, 'SIGTERM');
    console.out(`Process ${owner.pid} was asked to stop. The run's command continues it later.`);
    return ExitCode.complete;
  },
});
