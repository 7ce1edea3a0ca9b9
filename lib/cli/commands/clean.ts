import { statSync } from 'node:fs';
import { listRecords, removeRecords } from '../../coordinator/clean-run.js';
import { BlockwrightError } from '../../errors.js';
import { loadPipeline } from '../../pipeline/file.js';
import { type PipelinePlan, planPipeline } from '../../pipeline/plan.js';
import { listOutputs, removeOutputs } from '../../pipeline/run-outputs.js';
import { defineCommand } from '../command.js';
import { ExitCode } from '../exit-code.js';
import { firstLine } from '../format.js';
import { findRunDirectory, refuseRunAtWork } from '../run-directory.js';

export interface CleanArguments {
  readonly run: string;
  readonly outputs: boolean;
  readonly yes: boolean;
}

export const cleanCommand = defineCommand<CleanArguments>({
  command: 'clean <run>',
  describe: 'Remove the records of a run that has ended: done records, journal, logs. Outputs stay, unless asked for',
  options: (yargs) =>
    yargs
      .positional('run', { type: 'string', demandOption: true, describe: 'The pipeline file or the run directory' })
      .option('outputs', {
        type: 'boolean',
        default: false,
        describe: 'Also the arrays and LUTs that the tasks of the pipeline file wrote',
      })
      .option('yes', { type: 'boolean', default: false, describe: 'Remove; without it, only say what would be' }),
  run: async ({ run, outputs: withOutputs, yes }, console) => {
    const runDirectory = await findRunDirectory(run);
    const { status, records, others } = listRecords(runDirectory);
    refuseRunAtWork(runDirectory);
    const outputs = withOutputs ? await listOutputs(await planOf(run)) : [];
    // first what the records vouch for: where this is cut short it can be asked for again
    if (yes) await removeOutputs(outputs, runDirectory);
    if (yes) removeRecords(runDirectory);
    console.out(
      [
        `${runDirectory} (${status.state}): ${yes ? 'removed' : 'would be removed'}: ${records.join(', ')}`,
        ...outputs.map(({ what, path, stays }) =>
          stays === undefined
            ? `${yes ? 'removed' : 'would be removed'}: ${what} (${path})`
            : `left: ${what} (${path}): ${stays}`,
        ),
        ...(others.length > 0
          ? [`left, as no run made it: ${others.map((name) => firstLine(name, 100)).join(', ')}`]
          : []),
        ...(yes ? [] : ['Nothing was removed. To remove it, with --yes: then a run begins with nothing done.']),
      ].join('\n'),
    );
    return ExitCode.complete;
  },
});

/** What tasks write is known from the file alone. */
async function planOf(run: string): Promise<PipelinePlan> {
  if (!statSync(run).isDirectory()) return planPipeline(await loadPipeline(run));
  throw new BlockwrightError('ERR_CONFIG', `--outputs: expected the pipeline file, found a folder: ${run}`);
}
