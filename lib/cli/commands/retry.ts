import type { Argv } from 'yargs';
import { readRunStatus } from '../../coordinator/run-status.js';
import { loadPipeline } from '../../pipeline/file.js';
import { planPipeline } from '../../pipeline/plan.js';
import { resetTask } from '../../pipeline/reset-task.js';
import { findTask } from '../block-argument.js';
import { defineCommand } from '../command.js';
import { ExitCode } from '../exit-code.js';
import { noRun, refuseRunAtWork } from '../run-directory.js';
import { type RunArguments, runWithProgress } from '../run-with-progress.js';
import { runOptions } from './run.js';

export interface RetryArguments extends RunArguments {
  readonly task: string | undefined;
  readonly done: boolean | undefined;
  readonly run: boolean;
}

export const retryCommand = defineCommand<RetryArguments>({
  command: 'retry <file>',
  describe: 'Try failed and orphaned blocks again; with --task NAME --done, do a whole task again',
  options: (yargs) =>
    runOptions(yargs)
      .option('task', { type: 'string', describe: 'The task to do again', implies: 'done' })
      .option('done', {
        type: 'boolean',
        describe: 'Its done blocks too, and those of all tasks that use its results',
        implies: 'task',
      })
      .option('run', {
        type: 'boolean',
        default: true,
        describe: '--no-run: only take back, the next run does the work',
      }) as Argv<RetryArguments>,
  run: async (found, console) => {
    const pipeline = await loadPipeline(found.file);
    if (readRunStatus(pipeline.runDirectory) === undefined) throw noRun(pipeline.runDirectory);
    refuseRunAtWork(pipeline.runDirectory);
    const plan = await planPipeline(pipeline);
    if (found.task !== undefined && found.done) {
      findTask(plan, found.task);
      const names = await resetTask(plan, found.task);
      console.error(`All blocks are to be done again: ${names.join(', ')}`);
    }
    // what failed or was orphaned needs no mark: every run tries it again
    return found.run ? runWithProgress(plan, found, console) : ExitCode.complete;
  },
});
