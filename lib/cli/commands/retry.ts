import type { Argv } from 'yargs';
import type { TaskStatus } from '../../coordinator/run-status.js';
import { BlockwrightError } from '../../errors.js';
import { loadPipeline } from '../../pipeline/file.js';
import { type PipelinePlan, planPipeline } from '../../pipeline/plan.js';
import { recordedFailures } from '../../pipeline/recorded-failures.js';
import { resetTask } from '../../pipeline/reset-task.js';
import { checkBlock, findTask } from '../block-argument.js';
import { defineCommand } from '../command.js';
import type { Console } from '../console.js';
import { parseRoi } from '../copy-options.js';
import { ExitCode } from '../exit-code.js';
import { formatCount, plural } from '../format.js';
import { type FoundRun, findRun } from '../live-run.js';
import { findRunDirectory, refuseRunAtWork } from '../run-directory.js';
import { type RunArguments, runWithProgress } from '../run-with-progress.js';
import { runOptions } from './run.js';

export interface RetryArguments extends RunArguments {
  readonly task: string | undefined;
  readonly block: number | undefined;
  readonly roi: ReturnType<typeof parseRoi>;
  readonly done: boolean | undefined;
  readonly run: boolean;
}

export const retryCommand = defineCommand<RetryArguments>({
  command: 'retry <file>',
  describe:
    'Try failed and orphaned blocks again, while the run is at work or after; with --done, do a whole task again',
  options: (yargs) =>
    runOptions(yargs)
      .option('task', { type: 'string', describe: 'Of this task alone' })
      .option('block', { type: 'number', describe: 'This block of the task', implies: 'task', conflicts: 'roi' })
      .option('roi', {
        type: 'string',
        describe: 'Blocks that meet this Roi, offset and shape in world units: 0,0,0:100,100,100',
        coerce: parseRoi,
      })
      .option('done', {
        type: 'boolean',
        describe: 'The done blocks of the task too, and those of all tasks that use its results',
        implies: 'task',
        conflicts: ['block', 'roi'],
      })
      .option('run', {
        type: 'boolean',
        default: true,
        describe: '--no-run: only take back, the next run does the work',
      }) as Argv<RetryArguments>,
  run: async (found, console) => {
    const runDirectory = await findRunDirectory(found.file);
    const atWork = await findRun(runDirectory);
    if (atWork.client !== undefined) return retryLive(atWork.client, found, runDirectory, console);
    if (atWork.silence !== undefined)
      throw new BlockwrightError('ERR_RUN_LOCKED', `retry: the run is at work, but its ${atWork.silence}`);
    const pipeline = await loadPipeline(found.file);
    const plan = await planPipeline(pipeline);
    if (found.task !== undefined && found.done) {
      findTask(plan, found.task);
      const names = await resetTask(plan, found.task);
      console.error(`All blocks are to be done again: ${names.join(', ')}`);
    } else {
      checkWanted(plan, found, console);
      if (!found.run) console.error(nothingToTakeBack(atWork.status.tasks));
    }
    return found.run ? runWithProgress(plan, found, console) : ExitCode.complete;
  },
});

/** What failed or was orphaned needs no mark. */
function nothingToTakeBack(tasks: readonly TaskStatus[]): string {
  const sum = (key: 'failed' | 'orphaned') => tasks.reduce((total, task) => total + task[key], 0);
  if (sum('failed') + sum('orphaned') === 0) return 'No block failed: there is nothing to take back.';
  return `Nothing to take back: the next run tries ${plural(sum('failed'), 'failed block')} again, and ${formatCount(sum('orphaned'))} orphaned.`;
}

async function retryLive(
  client: NonNullable<FoundRun['client']>,
  { task, block, roi, done }: RetryArguments,
  runDirectory: string,
  console: Console,
): Promise<ExitCode> {
  try {
    // done blocks are taken back in the record, which is the coordinator's now
    if (done) refuseRunAtWork(runDirectory);
    const { failed, orphaned } = await client.retry({ task, block, roi });
    const which = task === undefined ? '' : ` of ${task}`;
    console.out(
      failed === 0
        ? `No block${which} that was asked for has failed: nothing to try again.`
        : `The run tries ${plural(failed, 'failed block')}${which} again; orphaned blocks that wait for them: ${formatCount(orphaned)}.`,
    );
    return ExitCode.complete;
  } finally {
    client.close();
  }
}

/** The next run tries everything that failed; what was asked for must be among it. */
function checkWanted(plan: PipelinePlan, { task, block, roi }: RetryArguments, console: Console): void {
  if (task === undefined && roi === undefined) return;
  const tasks = task === undefined ? plan.tasks : [findTask(plan, task)];
  if (block !== undefined) checkBlock(tasks[0], block);
  const all = recordedFailures(plan, plan.tasks).length;
  const wanted = recordedFailures(plan, tasks, roi).filter((one) => block === undefined || one.block === block);
  if (wanted.length === 0) {
    const which =
      block === undefined ? 'a block that failed among those asked for' : `block ${block} of ${task} to have failed`;
    throw new BlockwrightError(
      'ERR_CONFIG',
      `retry: expected ${which}, found none. To do done blocks again: --task NAME --done`,
    );
  }
  if (wanted.length < all) {
    console.error(
      `All ${formatCount(all)} blocks that failed are tried again, not these ${formatCount(wanted.length)} alone: every run does so.`,
    );
  }
}
