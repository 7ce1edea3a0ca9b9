import { loadPipeline } from '../../pipeline/file.js';
import { type PipelinePlan, planPipeline } from '../../pipeline/plan.js';
import { formatProblem } from '../../pipeline/problem.js';
import { defineCommand } from '../command.js';
import { ExitCode } from '../exit-code.js';
import { formatBytes } from '../format.js';
import { formatTable } from '../table.js';

export interface PlanArguments {
  readonly file: string;
  readonly json: boolean;
}

export const planCommand = defineCommand<PlanArguments>({
  command: 'plan <file>',
  describe: 'Show what a run would do, and what would be refused; writes nothing',
  options: (yargs) =>
    yargs
      .positional('file', { type: 'string', demandOption: true, describe: 'The pipeline file (YAML or JSON)' })
      .option('json', { type: 'boolean', default: false, describe: 'As JSON' }),
  run: async ({ file, json }, context) => {
    const pipeline = await loadPipeline(file, { definitions: await context.definitions() });
    const plan = await planPipeline(pipeline);
    context.console.out(json ? JSON.stringify(planAsData(plan), undefined, 2) : formatPlan(plan));
    return plan.refusals.length === 0 ? ExitCode.complete : ExitCode.refused;
  },
});

function planAsData({ pipeline, tasks, refusals }: PipelinePlan) {
  return {
    name: pipeline.name,
    runDirectory: pipeline.runDirectory,
    tasks: tasks.map(({ task, plan, upstream, barriers, resources, bytesRead, bytesWritten }) => ({
      name: task.name,
      type: task.definition.type,
      blocks: plan.blocks.count,
      grid: plan.blocks.gridShape,
      levels: plan.blocks.levels,
      blockShape: plan.blocks.blockShape,
      totalWriteRoi: plan.blocks.totalWriteRoi,
      bytesRead,
      bytesWritten,
      upstream,
      barriers,
      resources,
      outputs: plan.outputs.map(({ name, metadata: { shape, chunkShape, dataType } }) => {
        return { name, store: pipeline.arrays.get(name)?.store, shape, chunkShape, dataType };
      }),
    })),
    refusals: refusals.map((one) => ({ ...one, message: formatProblem(one) })),
  };
}

function formatPlan({ pipeline, tasks, refusals }: PipelinePlan): string {
  const rows = tasks.map(({ task, plan: { blocks }, upstream, barriers, bytesRead, bytesWritten }) => [
    task.name,
    task.definition.type,
    String(blocks.count),
    blocks.gridShape.values.join(' x '),
    String(blocks.levels),
    formatBytes(bytesRead),
    formatBytes(bytesWritten),
    [...upstream, ...barriers.map((name) => `all of ${name}`)].join(', '),
  ]);
  const head = ['task', 'type', 'blocks', 'grid', 'levels', 'reads', 'writes', 'after'];
  const outputs = tasks.flatMap(({ plan }) =>
    plan.outputs.map(({ name, metadata: { shape, chunkShape, dataType } }) => [
      name,
      dataType,
      shape.join(' x '),
      chunkShape.join(' x '),
      pipeline.arrays.get(name)?.store ?? '',
    ]),
  );
  const parts = [
    `${pipeline.name}: ${tasks.reduce((sum, { plan }) => sum + plan.blocks.count, 0)} blocks, run directory ${pipeline.runDirectory}`,
  ];
  if (rows.length > 0) parts.push(formatTable([head, ...rows]));
  if (outputs.length > 0) parts.push(formatTable([['writes array', 'type', 'shape', 'chunk', 'store'], ...outputs]));
  if (refusals.length > 0) {
    parts.push(['This would be refused:', ...refusals.map((one) => `  ${one.code}: ${formatProblem(one)}`)].join('\n'));
  }
  return parts.join('\n\n');
}
