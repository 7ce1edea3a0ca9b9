import { BlockState } from './block-state.js';
import type { TaskBlocks } from './task-blocks.js';
import type { TaskDependency } from './task-dependency.js';

/** How many blocks came back, directly and behind those. */
export interface Revived {
  /** Of those that were asked for: the ones that had failed and are not orphaned now. */
  readonly failed: number;
  /** Blocks of any task that these had orphaned. */
  readonly orphaned: number;
}

/** Triples of numbers, for there may be millions: task, block, and 1 where it stood in no one's way before. */
type Returning = number[];

/**
 * Makes failed blocks wait again, and with them the orphans that wait for nothing else that is lost.
 *
 * First the states: everything orphaned that can be reached waits, then what still has a lost block before it is orphaned
 * again. Then the counters. Where nothing was done before this run, a block's order is kept by the blocks behind it being
 * orphaned. After an earlier run it is not: blocks behind a failed one may be done, be ready or run. So what comes back takes its
 * place in the order again: those behind it that are ready wait for it, and it waits for those that run.
 *
 * @returns beside the numbers, pairs of task and block that were ready and wait again
 */
export function revive(
  tasks: readonly TaskBlocks[],
  dependents: readonly (readonly TaskDependency[])[],
  task: number,
  failed: Iterable<number>,
): { readonly revived: Revived; readonly demoted: readonly number[] } {
  const returning: Returning = [];
  const bring = (to: number, block: number): void => {
    const blocks = tasks[to];
    returning.push(to, block, keepsOrder(blocks) && blocks.pending(block) === 0 ? 1 : 0);
    blocks.move(block, BlockState.waiting);
  };
  for (const block of failed) if (tasks[task].state(block) === BlockState.failed) bring(task, block);
  const asked = returning.length;
  for (let i = 0; i < returning.length; i += 3) visitOrphans(tasks, dependents, returning[i], returning[i + 1], bring);
  for (const one of dependents.flat()) one.renew();
  orphanAgain(tasks, dependents, returning);
  const demoted: number[] = [];
  const returned: number[] = [];
  const revived = { failed: 0, orphaned: 0 };
  for (let i = 0; i < returning.length; i += 3) {
    const [of, block, free] = returning.slice(i, i + 3);
    if (tasks[of].state(block) !== BlockState.waiting) continue;
    returned.push(of, block);
    revived[i < asked ? 'failed' : 'orphaned']++;
    if (free === 1) withdraw(tasks[of], block, (other) => demoted.push(of, other));
  }
  for (let i = 0; i < returned.length; i += 2) renew(tasks[returned[i]], returned[i + 1]);
  for (let i = 0; i < returned.length; i += 2) {
    const blocks = tasks[returned[i]];
    if (blocks.pending(returned[i + 1]) === 0) blocks.makeReady(returned[i + 1]);
  }
  return { revived, demoted };
}

/** Whether a block waits for one that failed or is orphaned. */
export function isLost(blocks: TaskBlocks, block: number): boolean {
  return (
    before(blocks, block).some((one) => blocks.isLost(one)) || blocks.waitsFor.some((other) => other.lostFor(block))
  );
}

/** Whether the places of blocks that do not run matter. */
function keepsOrder(blocks: TaskBlocks): boolean {
  return blocks.resumed && blocks.plan.levels > 1;
}

function before({ plan }: TaskBlocks, block: number): number[] {
  if (plan.levels === 1) return [];
  const found = new Float64Array(plan.maxNeighbours);
  return [...found.subarray(0, plan.upstream(block, found))];
}

function behind({ plan }: TaskBlocks, block: number): number[] {
  if (plan.levels === 1) return [];
  const found = new Float64Array(plan.maxNeighbours);
  return [...found.subarray(0, plan.downstream(block, found))];
}

function visitOrphans(
  tasks: readonly TaskBlocks[],
  dependents: readonly (readonly TaskDependency[])[],
  task: number,
  block: number,
  visit: (task: number, block: number) => void,
): void {
  const blocks = tasks[task];
  for (const one of behind(blocks, block)) if (blocks.state(one) === BlockState.orphaned) visit(task, one);
  for (const dependency of dependents[task]) {
    dependency.visitOrphaned(block, (orphan) => visit(dependency.task, orphan));
  }
}

/** Takes those back that wait for something lost, directly or through others. */
function orphanAgain(
  tasks: readonly TaskBlocks[],
  dependents: readonly (readonly TaskDependency[])[],
  returning: Returning,
): void {
  const stack: number[] = [];
  const orphan = (task: number, block: number): void => {
    tasks[task].move(block, BlockState.orphaned);
    stack.push(task, block);
  };
  for (let i = 0; i < returning.length; i += 3) {
    const [of, block] = [returning[i], returning[i + 1]];
    if (tasks[of].state(block) === BlockState.waiting && isLost(tasks[of], block)) orphan(of, block);
    while (stack.length > 0) {
      const lost = stack.pop()!;
      const from = stack.pop()!;
      // what waits behind something lost was brought back here: nothing else does
      for (const one of behind(tasks[from], lost)) {
        if (tasks[from].state(one) === BlockState.waiting) orphan(from, one);
      }
      for (const dependency of dependents[from]) {
        dependency.visitWaiting(lost, (waiting) => orphan(dependency.task, waiting));
      }
    }
  }
}

/** A block stands in the way of those behind it again, and through those that are done of those behind them. */
function withdraw(blocks: TaskBlocks, block: number, onDemoted: (block: number) => void): void {
  const stack = [block];
  while (stack.length > 0) {
    for (const one of behind(blocks, stack.pop()!)) {
      if (blocks.addPending(one) > 0) continue;
      const state = blocks.state(one);
      if (state >= BlockState.done) stack.push(one);
      if (state !== BlockState.ready) continue;
      blocks.demote(one);
      onDemoted(one);
    }
  }
}

/** Counts anew what a block that came back waits for. */
function renew(blocks: TaskBlocks, block: number): void {
  if (blocks.recalled(block) !== undefined) Object.assign(blocks.history(block), { failures: 0, losses: 0 });
  if (!blocks.ordered) return;
  const own = before(blocks, block).filter((one) => blocks.state(one) < BlockState.done || blocks.pending(one) > 0);
  const others = blocks.waitsFor.reduce((sum, dependency) => sum + dependency.pendingFor(block), 0);
  blocks.setPending(block, own.length + others);
  if (!keepsOrder(blocks) || blocks.tally(BlockState.running) === 0) return;
  const seen = new Set([block]);
  for (const one of seen) {
    if (blocks.state(one) === BlockState.running) blocks.hold(block, one);
    for (const next of behind(blocks, one)) seen.add(next);
  }
}
