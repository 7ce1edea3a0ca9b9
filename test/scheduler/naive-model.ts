import type { BlockPlan } from '../../lib/blocks/plan.js';
import type { Roi } from '../../lib/geometry/roi.js';
import { BlockState, type ScheduledTask, type SchedulerOptions } from '../../lib/scheduler/scheduler.js';

interface NaiveBlock {
  readonly task: number;
  readonly index: number;
  readonly readRoi: Roi;
  readonly writeRoi: Roi;
  readonly own: NaiveBlock[];
  readonly others: NaiveBlock[];
  state: BlockState;
  attempts: number;
  failures: number;
  losses: number;
  /** When it was put back, to tell who waits longest. */
  putBackAt: number;
  /** Attempts at blocks behind it that ran when it was revived: it waits for their ends. */
  held: readonly { readonly block: NaiveBlock; readonly attempt: number }[];
}

/**
 * The scheduler's slow twin: an object a block, dependencies found by comparing every block with every other, everything
 * asked anew at every step. It says exactly what the scheduler must answer.
 */
export class NaiveScheduler {
  readonly blocks: readonly (readonly NaiveBlock[])[];
  private clock = 0;
  private readonly limits = new Map<number, number>();

  constructor(
    private readonly tasks: readonly ScheduledTask[],
    private readonly options: SchedulerOptions,
  ) {
    this.blocks = tasks.map(({ plan, recorded: given }, task) => {
      const recorded = given as Uint8Array | undefined;
      return Array.from({ length: plan.count }, (_, index) => ({
        ...plan.block(index),
        task,
        own: [],
        others: [],
        state: [BlockState.waiting, BlockState.done, BlockState.skipped, BlockState.unwanted][recorded?.[index] ?? 0],
        attempts: 0,
        failures: 0,
        losses: 0,
        putBackAt: 0,
        held: [],
      }));
    });
    tasks.forEach((task, t) => {
      for (const block of this.blocks[t]) {
        if (task.plan.readWriteConflict) block.own.push(...this.neighbours(task.plan, this.blocks[t], block));
        for (const from of task.upstream) {
          block.others.push(...this.blocks[from].filter(({ writeRoi }) => writeRoi.overlaps(block.readRoi)));
        }
        for (const from of task.barriers ?? []) block.others.push(...this.blocks[from]);
      }
    });
    this.settle();
  }

  acquire(pool?: number): { task: number; block: number; attempt: number } | undefined {
    if (this.running().length >= (this.options.workers ?? Number.POSITIVE_INFINITY)) return undefined;
    for (const task of this.order(pool)) {
      if (this.missing(task) !== undefined) continue;
      const ready = this.blocks[task].filter(({ state }) => state === BlockState.ready);
      const block = ready.sort((a, b) => a.putBackAt - b.putBackAt || a.index - b.index)[0];
      if (block === undefined) continue;
      block.state = BlockState.running;
      block.attempts++;
      return { task, block: block.index, attempt: block.attempts };
    }
    return undefined;
  }

  complete(task: number, index: number, attempt: number, outcome: 'done' | 'skipped'): boolean {
    const block = this.current(task, index, attempt);
    if (block === undefined) return false;
    block.state = BlockState[outcome];
    this.settle();
    return true;
  }

  fail(task: number, index: number, attempt: number): 'retry' | 'failed' | 'stale' {
    const block = this.current(task, index, attempt);
    if (block === undefined) return 'stale';
    block.failures++;
    return this.takeBack(block, block.failures > (this.tasks[task].maxRetries ?? 2));
  }

  lose(task: number, index: number, attempt: number): 'retry' | 'failed' | 'stale' {
    const block = this.current(task, index, attempt);
    if (block === undefined) return 'stale';
    block.losses++;
    return this.takeBack(block, block.losses >= (this.options.maxLosses ?? 3));
  }

  giveBack(task: number, index: number, attempt: number): boolean {
    const block = this.current(task, index, attempt);
    return block !== undefined && this.takeBack(block, false) === 'retry';
  }

  withdraw(task: number, index: number, attempt: number): boolean {
    const block = this.current(task, index, attempt);
    if (block === undefined) return false;
    block.attempts--;
    const first = block.attempts === 0 && block.putBackAt === 0;
    this.takeBack(block, false);
    // it was never put back: its place is that in raster order
    if (first && block.state === BlockState.ready) block.putBackAt = 0;
    return true;
  }

  /** Everything that failed among these waits again, and every orphan that has a reason no more. */
  revive(task: number, failed: readonly number[]): { failed: number; orphaned: number } {
    const chosen = failed.map((index) => this.blocks[task][index]).filter(({ state }) => state === BlockState.failed);
    const orphans = this.blocks.flat().filter(({ state }) => state === BlockState.orphaned);
    for (const block of chosen) Object.assign(block, { failures: 0, losses: 0 });
    for (const block of [...chosen, ...orphans]) block.state = BlockState.waiting;
    while (this.orphan());
    const returned = [...chosen, ...orphans].filter(({ state }) => state === BlockState.waiting);
    for (const block of returned) {
      const behind = this.behind(block).filter(({ state }) => state === BlockState.running);
      block.held = [...block.held, ...behind.map((one) => ({ block: one, attempt: one.attempts }))];
    }
    this.settle();
    const count = (blocks: readonly NaiveBlock[]) => blocks.filter((block) => returned.includes(block)).length;
    return { failed: count(chosen), orphaned: count(orphans) };
  }

  forgive(task: number, index: number, what: 'failure' | 'loss'): void {
    const block = this.blocks[task][index];
    if (block.state >= BlockState.done) return;
    if (what === 'failure' && block.failures > 0) block.failures--;
    if (what === 'loss' && block.losses > 0) block.losses--;
  }

  setLimit(task: number, limit: number): void {
    this.limits.set(task, limit);
  }

  running(): NaiveBlock[] {
    return this.blocks.flat().filter(({ state }) => state === BlockState.running);
  }

  idleReason(pool?: number): string | undefined {
    const all = this.order(pool).flatMap((task) => this.blocks[task]);
    if (all.every(({ state }) => state >= BlockState.done)) return 'finished';
    if (this.running().length >= (this.options.workers ?? Number.POSITIVE_INFINITY)) return 'budget';
    const ready = this.order(pool).filter((task) => this.blocks[task].some(({ state }) => state === BlockState.ready));
    if (ready.length === 0) return 'dependencies';
    const missing = ready.map((task) => this.missing(task));
    return missing.includes(undefined) ? undefined : missing[0];
  }

  /** Two running blocks of a task of which one reads what the other writes; must stay empty under conflicts. */
  conflicts(): string[] {
    const running = this.running().filter(({ task }) => this.tasks[task].plan.readWriteConflict);
    return running.flatMap((a) =>
      running
        .filter((b) => a !== b && a.task === b.task && a.writeRoi.overlaps(b.readRoi))
        .map((b) => `task ${a.task}: ${a.index} writes what ${b.index} reads`),
    );
  }

  private current(task: number, index: number, attempt: number): NaiveBlock | undefined {
    const block = this.blocks[task]?.[index];
    return block?.state === BlockState.running && block.attempts === attempt ? block : undefined;
  }

  private takeBack(block: NaiveBlock, forGood: boolean): 'retry' | 'failed' {
    block.state = forGood ? BlockState.failed : BlockState.ready;
    block.putBackAt = ++this.clock;
    this.settle();
    return forGood ? 'failed' : 'retry';
  }

  /** Moves blocks that do not run on, until nothing moves. */
  private settle(): void {
    let moved = true;
    while (moved) {
      moved = false;
      while (this.orphan());
      const out = this.outOfTheWay();
      for (const block of this.blocks.flat()) {
        const inOrder = block.own.every((one) => out.has(one));
        const can = inOrder && block.others.every(hasSucceeded) && !block.held.some(runsStill);
        if (block.state === BlockState.waiting && can) {
          Object.assign(block, { state: BlockState.ready, putBackAt: 0 });
        } else if (block.state === BlockState.ready && !inOrder) block.state = BlockState.waiting;
        else continue;
        moved = true;
      }
    }
  }

  private orphan(): boolean {
    const lost = this.blocks
      .flat()
      .filter(({ state, own, others }) => state === BlockState.waiting && [...own, ...others].some(isLost));
    for (const block of lost) block.state = BlockState.orphaned;
    return lost.length > 0;
  }

  /** Blocks that hold up their task's later ones no more: what has a final state, and everything before it, too. */
  private outOfTheWay(): Set<NaiveBlock> {
    const out = new Set<NaiveBlock>();
    for (let size = -1; size < out.size; ) {
      size = out.size;
      for (const block of this.blocks.flat()) {
        if (block.state >= BlockState.done && block.own.every((one) => out.has(one))) out.add(block);
      }
    }
    return out;
  }

  /** Everything that comes after a block in its task's order. */
  private behind(block: NaiveBlock): NaiveBlock[] {
    const found = new Set([block]);
    for (const one of found) {
      for (const other of this.blocks[block.task]) if (other.own.includes(one)) found.add(other);
    }
    found.delete(block);
    return [...found];
  }

  /** daisy's rule, in world units: the neighbours in the level before a block's own. */
  private neighbours(plan: BlockPlan, blocks: readonly NaiveBlock[], block: NaiveBlock): NaiveBlock[] {
    const axes = plan.blockShape.values.map((w, i) => {
      const context = Math.max(plan.contextLow.at(i), plan.contextHigh.at(i));
      return Math.min(Math.ceil((context + w) / w) * w, plan.gridShape.at(i) * w);
    });
    const offsets = axes
      .reduce<number[][]>(
        (product, stride, i) =>
          product.flatMap((offset) =>
            Array.from({ length: stride / plan.blockShape.at(i) }, (_, k) => [...offset, k * plan.blockShape.at(i)]),
          ),
        [[]],
      )
      .reverse();
    const begin = block.writeRoi.begin.subtract(plan.totalWriteRoi.begin);
    const level = offsets.findIndex((offset) => begin.modulo(axes).equals(offset));
    if (level === 0) return [];
    const steps = axes.map((stride, i) => {
      const op = offsets[level - 1][i] - offsets[level][i];
      if (op === 0) return [0];
      return op < 0 ? [op, op + stride] : [op - stride, op];
    });
    return blocks.filter((other) =>
      steps.every((choices, i) => choices.includes(other.writeRoi.begin.at(i) - block.writeRoi.begin.at(i))),
    );
  }

  private order(pool?: number): number[] {
    const depth = (task: number): number => Math.max(0, ...this.upstream(task).map((from) => depth(from) + 1));
    return this.tasks
      .map((_, task) => task)
      .filter((task) => pool === undefined || (this.tasks[task].pool ?? 0) === pool)
      .sort((a, b) => depth(b) - depth(a) || a - b);
  }

  private upstream(task: number): number[] {
    return [...this.tasks[task].upstream, ...(this.tasks[task].barriers ?? [])];
  }

  private missing(task: number): string | undefined {
    const running = this.running().filter((block) => block.task === task).length;
    if (running >= (this.limits.get(task) ?? Number.POSITIVE_INFINITY)) return `limit of task ${this.tasks[task].name}`;
    const resource = this.missingResource(task);
    return resource === undefined ? undefined : `resource ${resource}`;
  }

  private missingResource(task: number): string | undefined {
    return Object.entries(this.tasks[task].resources ?? {}).find(([name, need]) => {
      const used = this.running().reduce((sum, block) => sum + (this.tasks[block.task].resources?.[name] ?? 0), 0);
      return used + need > (this.options.resources?.[name] ?? 0);
    })?.[0];
  }
}

const isLost = ({ state }: NaiveBlock) => state === BlockState.failed || state === BlockState.orphaned;
const hasSucceeded = ({ state }: NaiveBlock) =>
  state === BlockState.done || state === BlockState.skipped || state === BlockState.unwanted;
const runsStill = ({ block, attempt }: NaiveBlock['held'][number]) =>
  block.state === BlockState.running && block.attempts === attempt;
