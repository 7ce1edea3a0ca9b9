import { readRunStatus } from '../../coordinator/run-status.js';
import { BlockwrightError } from '../../errors.js';
import { loadPipeline } from '../../pipeline/file.js';
import { planPipeline } from '../../pipeline/plan.js';
import { defineCommand } from '../command.js';
import { type RunArguments, runWithProgress } from '../run-with-progress.js';
import { runOptions } from './run.js';

export const resumeCommand = defineCommand<RunArguments>({
  command: 'resume <file>',
  describe: 'Continue a run; refuses when there is none',
  options: runOptions,
  run: async (found, console) => {
    const pipeline = await loadPipeline(found.file);
    if (readRunStatus(pipeline.runDirectory) === undefined) {
      throw new BlockwrightError(
        'ERR_CONFIG',
        `${pipeline.runDirectory}: there is no run to resume. Start one with: blockwright run ${found.file}`,
      );
    }
    return runWithProgress(await planPipeline(pipeline), found, console);
  },
});
