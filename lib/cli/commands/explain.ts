import { stat } from 'node:fs/promises';
import type { Argv } from 'yargs';
import type { ControlClient } from '../../coordinator/control-client.js';
import type { BlockReport } from '../../coordinator/explain-schedule.js';
import { RunFolder } from '../../coordinator/run-folder.js';
import { readFailures } from '../../coordinator/run-status.js';
import { BlockwrightError } from '../../errors.js';
import { type BlockExplanation, explainToCause, type Waiting } from '../../pipeline/explain-block.js';
import { loadPipeline } from '../../pipeline/file.js';
import { assertRunnable, planPipeline } from '../../pipeline/plan.js';
import { checkBlock, findTask } from '../block-argument.js';
import { defineCommand } from '../command.js';
import { ExitCode } from '../exit-code.js';
import { firstLine, formatCount, plural } from '../format.js';
import { chainText, runReportText, SHOWN_LINKS } from '../live-explain-text.js';
import { findRun, saySilence } from '../live-run.js';
import { attemptEnds, lastLines } from '../log-excerpts.js';
import { findRunDirectory } from '../run-directory.js';

export interface ExplainArguments {
  readonly run: string;
  readonly task: string | undefined;
  readonly block: number | undefined;
  readonly json: boolean;
}

/** Blocks that are named, of each task. */
const NAMED_BLOCKS = 8;
/** Lines of a worker's output that are shown. */
const LOG_LINES = 5;

export const explainCommand = defineCommand<ExplainArguments>({
  command: 'explain <run> [task] [block]',
  describe: 'Why a block is not done: what it waits for, or how it failed; without a block: why a run at work is idle',
  options: (yargs) =>
    yargs
      .positional('run', {
        type: 'string',
        demandOption: true,
        describe: 'The pipeline file; of a run at work the run directory will do',
      })
      .positional('task', { type: 'string', describe: 'The name of the task' })
      .positional('block', { type: 'number', describe: 'The index of the block', implies: 'task' })
      .option('json', { type: 'boolean', default: false, describe: 'As JSON' }) as Argv<ExplainArguments>,
  run: async ({ run, task, block, json }, console) => {
    if (task !== undefined && block === undefined) {
      throw new BlockwrightError('ERR_CONFIG', `explain: expected the index of a block of ${task}, found none`);
    }
    const runDirectory = await findRunDirectory(run);
    const found = await findRun(runDirectory);
    const wanted = task === undefined || block === undefined ? undefined : { task, block };
    if (found.client !== undefined) {
      try {
        console.out(await explainLive(found.client, runDirectory, wanted, json));
      } finally {
        found.client.close();
      }
      return ExitCode.complete;
    }
    saySilence(found, console);
    if (wanted === undefined) throw notAtWork(runDirectory);
    const pipeline = await loadPipeline(await pipelineFile(run));
    const plan = await planPipeline(pipeline);
    assertRunnable(plan);
    const planned = findTask(plan, wanted.task);
    checkBlock(planned, wanted.block);
    const explained = explainToCause(plan, planned, wanted.block);
    const failures = explained.at(-1)?.state === 'failed' ? await readFailures(runDirectory) : [];
    const chain = explained.map((one) => ({
      ...one,
      reason: failures.find(({ task, block }) => task === one.task && block === one.block)?.message,
    }));
    if (json) console.out(JSON.stringify({ ...chain[0], chain }, undefined, 2));
    else console.out(causeText(chain, found.status.owner !== undefined));
    return ExitCode.complete;
  },
});

/** From the run's own schedule. */
async function explainLive(
  client: ControlClient,
  runDirectory: string,
  wanted: { readonly task: string; readonly block: number } | undefined,
  json: boolean,
): Promise<string> {
  const folder = new RunFolder(runDirectory);
  if (wanted === undefined) {
    const report = await client.explainRun();
    if (json) return JSON.stringify(report, undefined, 2);
    return runReportText(runDirectory, report, (worker) => lastLines(folder, worker, LOG_LINES));
  }
  const [chain, status] = [await client.explainBlock(wanted.task, wanted.block), await client.status()];
  const attemptsOf = ({ task, block, attempts }: BlockReport) =>
    attempts > 0 ? attemptEnds(folder, task, block, status.epoch) : [];
  if (!json) return chainText(chain, status, attemptsOf);
  return JSON.stringify({ chain: chain.map((one) => ({ ...one, ends: attemptsOf(one) })) }, undefined, 2);
}

/** A run directory does not hold the plan. */
async function pipelineFile(run: string): Promise<string> {
  if (!(await stat(run)).isDirectory()) return run;
  throw new BlockwrightError(
    'ERR_CONFIG',
    `${run}: expected the pipeline file, as no run at work answers here and the plan is in the file alone`,
  );
}

function notAtWork(runDirectory: string): BlockwrightError {
  return new BlockwrightError(
    'ERR_CONFIG',
    `${runDirectory}: expected a run at work that answers, or a task and a block. How the run ended: blockwright status`,
  );
}

interface ToldBlock extends BlockExplanation {
  readonly reason: string | undefined;
}

/** A block, and what it waits for, down to the cause. */
function causeText(chain: readonly ToldBlock[], atWork: boolean): string {
  const hidden = chain.length - 2 * SHOWN_LINKS;
  if (hidden <= 1) return chain.map((one) => blockText(one, atWork)).join('\n');
  const [first, last] = [chain.slice(0, SHOWN_LINKS), chain.slice(-SHOWN_LINKS)];
  const text = (part: readonly ToldBlock[]) => part.map((one) => blockText(one, atWork));
  return [...text(first), `... ${plural(hidden, 'block')} in between ...`, ...text(last)].join('\n');
}

function blockText({ task, block, state, waitsFor, reason }: ToldBlock, atWork: boolean): string {
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
