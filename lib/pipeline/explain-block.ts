import { upstreamRange } from '../blocks/dependencies.js';
import { visitRows } from '../blocks/grid-range.js';
import { readRecordedBlocks } from '../coordinator/done-record.js';
import { RecordedState } from '../coordinator/done-record-metadata.js';
import { RunFolder } from '../coordinator/run-folder.js';
import type { PipelinePlan } from './plan.js';
import type { PlannedTask } from './planned-task.js';

export type RecordedName = keyof typeof RecordedState;

/** Blocks of one task that a block waits for. */
export interface Waiting {
  readonly task: string;
  /** How many of them it needs. */
  readonly needed: number;
  /** Those of them that are neither done nor skipped, in ascending order. */
  readonly missing: readonly { readonly block: number; readonly state: RecordedName }[];
}

/** What the done records say of a block. */
export interface BlockExplanation {
  readonly task: string;
  readonly block: number;
  /** `pending` stands for a block that runs, too: records know of the end alone. */
  readonly state: RecordedName;
  /** By task, only where something is missing; its own task is there for neighbours that conflict with it. */
  readonly waitsFor: readonly Waiting[];
}

const NAMES = Object.keys(RecordedState) as RecordedName[];

/** Why a block of a run, at work or not, is not done: from the records in the run's folder. Memory: one byte a block of the tasks it waits for. */
export function explainBlock({ pipeline, tasks }: PipelinePlan, planned: PlannedTask, block: number): BlockExplanation {
  const folder = new RunFolder(pipeline.runDirectory);
  const statesOf = ({ task, plan }: PlannedTask) => readRecordedBlocks(folder.doneRecord(task.name), plan.blocks.count);
  const own = statesOf(planned);
  const name = planned.task.name;
  const state = NAMES[own[block]];
  if (isSuccess(state)) return { task: name, block, state, waitsFor: [] };
  const { blocks } = planned.plan;
  const waits = [...new Set([...planned.upstream, ...planned.barriers])].map((other) => {
    const before = tasks.find(({ task }) => task.name === other)!;
    const all = planned.barriers.includes(other);
    const needed = all ? everyBlock(before) : neededBlocks(before, planned, block);
    return missingOf(other, needed, statesOf(before));
  });
  const neighbours = new Float64Array(Math.max(1, blocks.maxNeighbours));
  const length = blocks.levels > 1 ? blocks.upstream(block, neighbours) : 0;
  waits.push(missingOf(name, neighbours.subarray(0, length), own));
  return { task: name, block, state, waitsFor: waits.filter(({ missing }) => missing.length > 0) };
}

function isSuccess(state: RecordedName): boolean {
  return state === 'done' || state === 'skipped' || state === 'masked';
}

function missingOf(task: string, needed: Iterable<number>, states: Uint8Array): Waiting {
  const missing: { block: number; state: RecordedName }[] = [];
  let count = 0;
  for (const block of needed) {
    count++;
    const state = NAMES[states[block]];
    if (!isSuccess(state)) missing.push({ block, state });
  }
  return { task, needed: count, missing: missing.sort((a, b) => a.block - b.block) };
}

function* everyBlock({ plan }: PlannedTask): Generator<number> {
  for (let block = 0; block < plan.blocks.count; block++) yield block;
}

/** The blocks of an earlier task whose writeRoi meets the readRoi of a block. */
function neededBlocks(before: PlannedTask, { plan }: PlannedTask, block: number): number[] {
  const needed: number[] = [];
  const range = upstreamRange(before.plan.blocks, plan.blocks, block);
  visitRows(range, before.plan.blocks.gridShape.values, (first, count) => {
    for (let index = first; index < first + count; index++) needed.push(index);
  });
  return needed;
}
