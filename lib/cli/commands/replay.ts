import { loadPipeline } from '../../pipeline/file.js';
import { planPipeline } from '../../pipeline/plan.js';
import { replayBlock } from '../../pipeline/run-serially.js';
import { checkBlock, findTask } from '../block-argument.js';
import { defineCommand } from '../command.js';
import { ExitCode, exitCodeOfError } from '../exit-code.js';
import { printError } from '../print-error.js';
import { refuseRunAtWork } from '../run-directory.js';

export interface ReplayArguments {
  readonly file: string;
  readonly task: string;
  readonly block: number;
}

export const replayCommand = defineCommand<ReplayArguments>({
  command: 'replay <file> <task> <block>',
  describe: 'Run one block again in this process, for a debugger; the done record stays as it is',
  options: (yargs) =>
    yargs
      .positional('file', { type: 'string', demandOption: true, describe: 'The pipeline file (YAML or JSON)' })
      .positional('task', { type: 'string', demandOption: true, describe: 'The name of the task' })
      .positional('block', { type: 'number', demandOption: true, describe: 'The index of the block' }),
  run: async ({ file, task, block }, console) => {
    const pipeline = await loadPipeline(file);
    refuseRunAtWork(pipeline.runDirectory);
    const plan = await planPipeline(pipeline);
    const planned = findTask(plan, task);
    checkBlock(planned, block);
    const began = performance.now();
    try {
      await replayBlock(plan, task, block, { onLog: (_task, _block, line) => console.out(line) });
    } catch (error) {
      // where a block failed is what one replays it for
      printError(error, console, true);
      return exitCodeOfError(error);
    }
    const seconds = ((performance.now() - began) / 1000).toFixed(2);
    console.error(`Block ${block} of ${task} ran to its end in ${seconds} s.`);
    return ExitCode.complete;
  },
});
