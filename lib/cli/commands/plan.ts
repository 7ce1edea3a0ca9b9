import { readRunStatus } from '../../coordinator/run-status.js';
import { isBlockwrightError } from '../../errors.js';
import { batchScripts } from '../../pipeline/executors.js';
import { loadPipeline } from '../../pipeline/file.js';
import { type PipelinePlan, planPipeline } from '../../pipeline/plan.js';
import { formatProblem } from '../../pipeline/problem.js';
import { outputStore } from '../../pipeline/resource-key.js';
import { type Codec, innermostChunk } from '../../storage/array-format.js';
import { codecText } from '../../storage/codec-text.js';
import { newFormat } from '../../storage/create-array.js';
import type { OutputArray } from '../../workers/task-definition.js';
import { defineCommand } from '../command.js';
import { ExitCode } from '../exit-code.js';
import { alignColumns, formatBytes, formatCount } from '../format.js';

export interface PlanArguments {
  readonly file: string;
  readonly json: boolean;
  readonly sbatch: boolean;
}

export const planCommand = defineCommand<PlanArguments>({
  command: 'plan <file>',
  describe: 'Show what a run would do, and what would be refused; writes nothing',
  options: (yargs) =>
    yargs
      .positional('file', { type: 'string', demandOption: true, describe: 'The pipeline file (YAML or JSON)' })
      .option('json', { type: 'boolean', default: false, describe: 'As JSON' })
      .option('sbatch', {
        type: 'boolean',
        default: false,
        describe: 'Print the script that would be submitted to the cluster, and nothing else',
      }),
  run: async ({ file, json, sbatch }, console) => {
    const pipeline = await loadPipeline(file);
    if (sbatch) {
      for (const script of batchScripts(pipeline).values()) console.out(script.trimEnd());
      return ExitCode.complete;
    }
    const plan = await planPipeline(pipeline);
    const done = doneBlocks(pipeline.runDirectory);
    console.out(json ? JSON.stringify(planAsData(plan, done), undefined, 2) : formatPlan(plan, done));
    return plan.refusals.length === 0 ? ExitCode.complete : ExitCode.refused;
  },
});

/** Blocks that are recorded as done or skipped, by task; none where there was no run. */
function doneBlocks(runDirectory: string): ReadonlyMap<string, number> {
  try {
    return new Map(readRunStatus(runDirectory)?.tasks.map(({ name, done, skipped }) => [name, done + skipped]));
  } catch (error) {
    // the run says what is wrong with damaged records
    if (!isBlockwrightError(error)) throw error;
    return new Map();
  }
}

function planAsData({ pipeline, tasks, refusals }: PipelinePlan, done: ReadonlyMap<string, number>) {
  return {
    name: pipeline.name,
    runDirectory: pipeline.runDirectory,
    tasks: tasks.map(({ task, plan, upstream, barriers, resources, bytesRead, bytesWritten }) => ({
      name: task.name,
      type: task.definition.type,
      blocks: plan.blocks.count,
      done: done.get(task.name) ?? 0,
      grid: plan.blocks.gridShape,
      levels: plan.blocks.levels,
      blockShape: plan.blocks.blockShape,
      totalWriteRoi: plan.blocks.totalWriteRoi,
      bytesRead,
      bytesWritten,
      upstream,
      barriers,
      resources,
      outputs: plan.outputs.map((output) => {
        const { name, innerPath, metadata } = output;
        const { shape, chunkShape, shardShape, dataType } = metadata;
        const store = outputStore(pipeline, output);
        return { name, innerPath, store, shape, chunkShape, shardShape, dataType, codecs: codecsOf(output) };
      }),
    })),
    refusals: refusals.map((one) => ({ ...one, message: formatProblem(one) })),
  };
}

/** How the chunks of an array are compressed when it is made. */
function codecsOf({ metadata, create }: OutputArray): readonly Codec[] {
  return innermostChunk(newFormat(metadata, create)).codecs;
}

function formatPlan({ pipeline, tasks, refusals }: PipelinePlan, done: ReadonlyMap<string, number>): string {
  const doneCells = (name: string) => (done.size === 0 ? [] : [formatCount(done.get(name) ?? 0)]);
  const rows = tasks.map(({ task, plan: { blocks }, upstream, barriers, bytesRead, bytesWritten }) => [
    task.name,
    task.definition.type,
    formatCount(blocks.count),
    ...doneCells(task.name),
    blocks.gridShape.values.join(' x '),
    String(blocks.levels),
    formatBytes(bytesRead),
    formatBytes(bytesWritten),
    [...upstream, ...barriers.map((name) => `all of ${name}`)].join(', '),
  ]);
  const head = [
    ...['task', 'type', 'blocks', ...(done.size === 0 ? [] : ['done'])],
    ...['grid', 'levels', 'reads', 'writes', 'after'],
  ];
  const outputs = tasks.flatMap(({ plan }) =>
    plan.outputs.map((output) => {
      const { shape, chunkShape, shardShape, dataType } = output.metadata;
      return [
        output.name,
        dataType,
        shape.join(' x '),
        chunkShape.join(' x '),
        shardShape?.join(' x ') ?? 'none',
        codecText(codecsOf(output)),
        outputStore(pipeline, output),
      ];
    }),
  );
  const blocks = tasks.reduce((sum, { plan }) => sum + plan.blocks.count, 0);
  const parts = [
    `${pipeline.name}: ${tasks.length === 0 ? '' : `${formatCount(blocks)} blocks, `}run directory ${pipeline.runDirectory}`,
  ];
  if (rows.length > 0)
    parts.push(alignColumns([head, ...rows], [0, 1, head.indexOf('grid'), head.length - 1]).join('\n'));
  if (outputs.length > 0)
    parts.push(
      alignColumns(
        [['writes array', 'type', 'shape', 'chunk', 'shard', 'codecs', 'store'], ...outputs],
        [0, 1, 2, 3, 4, 5, 6],
      ).join('\n'),
    );
  if (refusals.length > 0) {
    parts.push(['This would be refused:', ...refusals.map((one) => `  ${one.code}: ${formatProblem(one)}`)].join('\n'));
  }
  return parts.join('\n\n');
}
