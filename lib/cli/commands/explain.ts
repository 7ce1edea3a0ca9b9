import { readFailures, readRunStatus } from '../../coordinator/run-status.js';
import { type BlockExplanation, explainBlock, type Waiting } from '../../pipeline/explain-block.js';
import { loadPipeline } from '../../pipeline/file.js';
import { assertRunnable, planPipeline } from '../../pipeline/plan.js';
import { checkBlock, findTask } from '../block-argument.js';
import { defineCommand } from '../command.js';
import { ExitCode } from '../exit-code.js';
import { firstLine, formatCount } from '../format.js';
import { noRun } from '../run-directory.js';

export interface ExplainArguments {
  readonly file: string;
  readonly task: string;
  readonly block: number;
  readonly json: boolean;
}

/** Blocks that are named, of each task. */
const NAMED_BLOCKS = 8;

export const explainCommand = defineCommand<ExplainArguments>({
  command: 'explain <file> <task> <block>',
  describe: 'Why a block is not done: what it waits for, or how it failed',
  options: (yargs) =>
    yargs
      .positional('file', { type: 'string', demandOption: true, describe: 'The pipeline file (YAML or JSON)' })
      .positional('task', { type: 'string', demandOption: true, describe: 'The name of the task' })
      .positional('block', { type: 'number', demandOption: true, describe: 'The index of the block' })
      .option('json', { type: 'boolean', default: false, describe: 'As JSON' }),
  run: async ({ file, task, block, json }, console) => {
    const pipeline = await loadPipeline(file);
    const status = readRunStatus(pipeline.runDirectory);
    if (status === undefined) throw noRun(pipeline.runDirectory);
    const plan = await planPipeline(pipeline);
    assertRunnable(plan);
    const planned = findTask(plan, task);
    checkBlock(planned, block);
    const explanation = explainBlock(plan, planned, block);
    const failures = explanation.state === 'failed' ? await readFailures(pipeline.runDirectory) : [];
    const reason = failures.find((one) => one.task === task && one.block === block)?.message;
    if (json) console.out(JSON.stringify({ ...explanation, reason }, undefined, 2));
    else console.out(explanationText(explanation, reason, status.owner !== undefined));
    return ExitCode.complete;
  },
});

function explanationText(
  { task, block, state, waitsFor }: BlockExplanation,
  reason: string | undefined,
  atWork: boolean,
) {
  const lines = [`block ${block} of ${task}: ${state}`];
  if (reason !== undefined) lines.push(`  ${firstLine(reason)}`);
  if (state === 'failed') lines.push('  The next run tries it again. More: blockwright failures');
  for (const waiting of waitsFor) lines.push(`  ${waitingText(waiting, task)}`);
  if (state === 'pending' && waitsFor.length === 0) {
    lines.push(
      atWork
        ? '  It waits for no other block: it runs, or will when a worker and its resources are free.'
        : '  It waits for no other block, but the run is not at work. Continue it with: blockwright resume',
    );
  }
  return lines.join('\n');
}

function waitingText({ task, needed, missing }: Waiting, own: string): string {
  const named = missing.slice(0, NAMED_BLOCKS).map(({ block, state }) => `${block} (${state})`);
  const more = missing.length > named.length ? ` and ${formatCount(missing.length - named.length)} more` : '';
  const which = task === own ? 'neighbours that it conflicts with' : `blocks of ${task} that it needs`;
  return `${formatCount(missing.length)} of the ${formatCount(needed)} ${which} not done: ${named.join(', ')}${more}`;
}
