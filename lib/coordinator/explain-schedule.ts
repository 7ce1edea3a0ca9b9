import { upstreamRange } from '../blocks/dependencies.js';
import { visitRows } from '../blocks/grid-range.js';
import { BlockState, type Scheduler } from '../scheduler/scheduler.js';
import type { LiveStatus, LiveWorker } from './run-report.js';
import type { RunTask } from './run-task.js';

/** Blocks that are named, of each task. */
const NAMED = 8;
/** Blocks that are looked at to find those, of each task. */
const LOOKED_AT = 100_000;
/** Blocks between one and the cause of its waiting. */
const LONGEST_CHAIN = 64;

export type StateName = keyof typeof BlockState;

/** Blocks of one task that a block waits for. */
export interface LiveWaiting {
  readonly task: string;
  /** How many of them it needs. */
  readonly needed: number;
  /** How many of those are neither done nor skipped. */
  readonly missing: number;
  /** The first of these; those that hold it up longest, failed ones before all, come first. */
  readonly first: readonly { readonly block: number; readonly state: StateName }[];
}

/** Why a block stands where it stands, from the schedule itself. */
export interface BlockReport {
  readonly task: string;
  readonly block: number;
  readonly state: StateName;
  /** How often it was handed out in this run; 0 before the first time, and where it succeeded at once. */
  readonly attempts: number;
  /** How often it failed by its own fault and lost its worker in this run, since it was last revived. */
  readonly failures: number;
  readonly losses: number;
  /** Of a block that runs: who has it. */
  readonly worker?: Pick<LiveWorker, 'id' | 'host' | 'description'> | undefined;
  /** Of a block that runs: for how long, as far as is known. */
  readonly seconds?: number | undefined;
  /** Of a block that runs: whether its worker holds it, but is at work on another one. */
  readonly behind?: boolean | undefined;
  /** By task, only where something is missing; its own task is there for neighbours that conflict with it. */
  readonly waitsFor: readonly LiveWaiting[];
  /** Blocks behind it in its task's order that ran when it was revived; it waits for their ends. */
  readonly held: readonly number[];
  /** Of a block that is ready: the resource of which there is too little left, and what runs that has some. */
  readonly resource?: { readonly name: string; readonly holders: readonly BlockName[] } | undefined;
  /** Of a block that is ready: no more of its task may run at once, and as many do. */
  readonly limit?: number | undefined;
  /** Of a block that is ready: how many of its task are. */
  readonly ready?: number | undefined;
}

export interface BlockName {
  readonly task: string;
  readonly block: number;
}

/** Why the run is as it is. */
export interface RunReport {
  readonly status: LiveStatus;
  /** Of each task of which blocks wait and none can begin: its first such block, down to the cause. */
  readonly chains: readonly (readonly BlockReport[])[];
  /** Of each task whose ready blocks lack a resource. */
  readonly lacking: readonly { readonly task: string; readonly name: string; readonly holders: readonly BlockName[] }[];
}

/** What the schedule of a run at work says. */
export class ScheduleReporter {
  private readonly names = Object.keys(BlockState) as StateName[];

  constructor(
    private readonly scheduler: Scheduler,
    private readonly tasks: readonly RunTask[],
    /** All workers. */
    private readonly workersAt: () => Iterable<LiveWorker & { readonly held: readonly BlockName[] }>,
  ) {}

  /** A block and, one by one, what it waits for, down to one that waits for no other. */
  explainBlock(task: number, block: number): BlockReport[] {
    const chain: BlockReport[] = [];
    let next: BlockName | undefined = { task: this.tasks[task].name, block };
    while (next !== undefined && chain.length < LONGEST_CHAIN) {
      const report: BlockReport = this.describe(next);
      chain.push(report);
      next = nextOf(report, chain);
    }
    return chain;
  }

  explainRun(status: LiveStatus): RunReport {
    const { scheduler, tasks } = this;
    const chains: BlockReport[][] = [];
    const lacking: { task: string; name: string; holders: BlockName[] }[] = [];
    for (const { index, name } of tasks) {
      const { waiting, ready } = scheduler.counts(index);
      const resource = ready > 0 ? scheduler.missingResource(index) : undefined;
      if (resource !== undefined) lacking.push({ task: name, name: resource, holders: this.holders(resource) });
      if (waiting === 0 || ready > 0) continue;
      const [first] = scheduler.blocksIn(index, BlockState.waiting);
      if (first !== undefined) chains.push(this.explainBlock(index, first));
    }
    return { status, chains, lacking };
  }

  private describe({ task: name, block }: BlockName): BlockReport {
    const { scheduler } = this;
    const task = this.tasks.find((one) => one.name === name)!;
    const state = scheduler.state(task.index, block);
    const common = {
      task: name,
      block,
      state: this.names[state],
      ...scheduler.troubles(task.index, block),
      waitsFor: [],
      held: [],
    };
    if (state === BlockState.running) {
      return { ...common, attempts: scheduler.attempts(task.index, block), ...this.runner(name, block) };
    }
    if (state === BlockState.ready) {
      const resource = scheduler.missingResource(task.index);
      const lacking = resource === undefined ? undefined : { name: resource, holders: this.holders(resource) };
      const { ready, running } = scheduler.counts(task.index);
      const limit = scheduler.limit(task.index);
      return { ...common, ready, resource: lacking, limit: running >= limit ? limit : undefined };
    }
    if (state !== BlockState.waiting && state !== BlockState.orphaned) return common;
    return { ...common, waitsFor: this.waitsFor(task, block), held: scheduler.heldBy(task.index, block) };
  }

  private runner(task: string, block: number): Partial<BlockReport> {
    for (const { held, ...worker } of this.workersAt()) {
      if (!held.some((one) => one.task === task && one.block === block)) continue;
      const { id, host, description } = worker;
      const atWork = worker.task === task && worker.block === block;
      return { worker: { id, host, description }, seconds: atWork ? worker.seconds : undefined, behind: !atWork };
    }
    // its result has come and its mark is on the way to the disk
    return {};
  }

  private waitsFor(task: RunTask, block: number): LiveWaiting[] {
    const waits: LiveWaiting[] = [];
    const { upstreamIndices, barrierIndices, plan } = task;
    for (const other of new Set([...upstreamIndices, ...barrierIndices])) {
      waits.push(
        barrierIndices.includes(other)
          ? this.missingOfAll(other)
          : this.missing(other, upstreamOf(this.tasks[other], task, block)),
      );
    }
    const neighbours = new Float64Array(Math.max(1, plan.maxNeighbours));
    const length = plan.levels > 1 ? plan.upstream(block, neighbours) : 0;
    waits.push(this.missing(task.index, neighbours.subarray(0, length)));
    return waits.filter(({ missing }) => missing > 0);
  }

  private missing(task: number, needed: ArrayLike<number>): LiveWaiting {
    const { scheduler } = this;
    const found: { block: number; state: BlockState }[] = [];
    for (let i = 0; i < needed.length; i++) {
      const state = scheduler.state(task, needed[i]);
      if (state !== BlockState.done && state !== BlockState.skipped) found.push({ block: needed[i], state });
    }
    found.sort((a, b) => WEIGHT[b.state] - WEIGHT[a.state] || a.block - b.block);
    const first = found.slice(0, NAMED).map(({ block, state }) => ({ block, state: this.names[state] }));
    return { task: this.tasks[task].name, needed: needed.length, missing: found.length, first };
  }

  /** The same for a task of which every block is needed, without a look at each. */
  private missingOfAll(task: number): LiveWaiting {
    const { scheduler } = this;
    const { total, done, skipped } = scheduler.counts(task);
    const first: { block: number; state: StateName }[] = [];
    const states = Object.values(BlockState).sort((a, b) => WEIGHT[b] - WEIGHT[a]);
    for (const state of states) {
      const name = this.names[state];
      if (state === BlockState.done || state === BlockState.skipped || scheduler.counts(task)[name] === 0) continue;
      for (const block of scheduler.blocksIn(task, state)) {
        if (first.length >= NAMED) break;
        first.push({ block, state: name });
      }
    }
    return { task: this.tasks[task].name, needed: total, missing: total - done - skipped, first };
  }

  /** Blocks that run and have some of a resource. */
  private holders(resource: string): BlockName[] {
    const having = new Set(
      this.tasks.filter(({ resources }) => (resources?.[resource] ?? 0) > 0).map(({ name }) => name),
    );
    const holders: BlockName[] = [];
    for (const { held } of this.workersAt()) holders.push(...held.filter(({ task }) => having.has(task)));
    return holders.slice(0, NAMED);
  }
}

/** What holds a block up longest comes first. */
const WEIGHT: readonly number[] = (() => {
  const weights = [0, 0, 0, 0, 0, 0, 0];
  const { failed, orphaned, running, ready, waiting } = BlockState;
  [waiting, ready, running, orphaned, failed].forEach((state, weight) => {
    weights[state] = weight;
  });
  return weights;
})();

/** The block to look at next; none where nothing is missing, or where the chain would go in a circle. */
function nextOf({ waitsFor, held, task }: BlockReport, chain: readonly BlockReport[]): BlockName | undefined {
  const rank = ({ state }: { readonly state: StateName }) => WEIGHT[BlockState[state]];
  const candidates = waitsFor.flatMap(({ task: of, first }) => first.map((one) => ({ ...one, task: of })));
  candidates.sort((a, b) => rank(b) - rank(a));
  const [next] = candidates.length > 0 ? candidates : held.map((block) => ({ task, block }));
  const seen = next === undefined || chain.some((one) => one.task === next.task && one.block === next.block);
  return seen ? undefined : { task: next.task, block: next.block };
}

/** The blocks of an earlier task whose writeRoi meets the readRoi of a block, the first of them where there are very many. */
function upstreamOf(upstream: RunTask, task: RunTask, block: number): number[] {
  const needed: number[] = [];
  visitRows(upstreamRange(upstream.plan, task.plan, block), upstream.plan.gridShape.values, (first, count) => {
    for (let index = first; index < first + count && needed.length < LOOKED_AT; index++) needed.push(index);
  });
  return needed;
}
