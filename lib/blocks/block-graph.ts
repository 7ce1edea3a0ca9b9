import { BlockwrightError } from '../errors.js';
import type { Roi } from '../geometry/roi.js';
import { downstreamRange, upstreamRange } from './dependencies.js';
import { type GridRange, visitRows } from './grid-range.js';
import type { BlockPlan } from './plan.js';
import { allBlocks, blocksIn, wantedBlocks } from './wanted-blocks.js';

/** A task of a {@link BlockGraph}. */
export interface GraphTask {
  readonly name: string;
  readonly plan: BlockPlan;
  /** Tasks whose blocks are waited for where their writeRoi meets the readRoi. */
  readonly upstream?: readonly string[] | undefined;
  /** Tasks of which every block is waited for. */
  readonly barriers?: readonly string[] | undefined;
}

/** A block of one of several tasks; `block` is its raster index in the task's grid. */
export interface TaskBlock {
  readonly task: string;
  readonly block: number;
}

/**
 * Which blocks of which tasks wait for which: of a single task, or of all tasks of a pipeline. Nothing is stored a block; what
 * may be many blocks is given one after the other. Throws ERR_PLAN for tasks and blocks that are not there.
 */
export class BlockGraph {
  private readonly places: ReadonlyMap<string, number>;
  private readonly upstreamOf: readonly (readonly number[])[];
  private readonly barriersOf: readonly (readonly number[])[];

  constructor(readonly tasks: readonly GraphTask[]) {
    this.places = new Map(tasks.map(({ name }, place) => [name, place]));
    if (this.places.size < tasks.length) throw new BlockwrightError('ERR_PLAN', 'tasks: expected names that differ');
    const places = (names: readonly string[] = []) => names.map((name) => this.placeOf(name));
    this.barriersOf = tasks.map(({ barriers }) => places(barriers));
    this.upstreamOf = tasks.map(({ upstream }, i) =>
      places(upstream).filter((one) => !this.barriersOf[i].includes(one)),
    );
  }

  /** Blocks of all tasks. */
  get count(): number {
    return this.tasks.reduce((sum, { plan }) => sum + plan.count, 0);
  }

  /** The plan of a task, which has its `count`, `levels`, `blocksOfLevel(level)` and the `block(index)` with its Rois. */
  plan(task: string): BlockPlan {
    return this.tasks[this.placeOf(task)].plan;
  }

  /** The blocks that wait for no other. */
  *roots(): Generator<TaskBlock> {
    for (const { name, plan } of this.tasks) {
      for (const block of plan.levels === 0 ? [] : plan.roots()) {
        if (this.upstream({ task: name, block }).next().done) yield { task: name, block };
      }
    }
  }

  /** The blocks that must be done before a block: of its own task, then of others. */
  *upstream({ task, block }: TaskBlock): Generator<TaskBlock> {
    const place = this.check(task, block);
    const { plan } = this.tasks[place];
    yield* this.neighbours(place, (into) => plan.upstream(block, into));
    for (const other of this.upstreamOf[place]) {
      yield* this.all(other, upstreamRange(this.tasks[other].plan, plan, block));
    }
    for (const other of this.barriersOf[place]) yield* this.all(other, allBlocks(this.tasks[other].plan));
  }

  /** The blocks that wait for a block: of its own task, then of others. */
  *downstream({ task, block }: TaskBlock): Generator<TaskBlock> {
    const place = this.check(task, block);
    const { plan } = this.tasks[place];
    yield* this.neighbours(place, (into) => plan.downstream(block, into));
    for (const [other, { plan: later }] of this.tasks.entries()) {
      if (this.upstreamOf[other].includes(place)) yield* this.all(other, downstreamRange(plan, later, block));
      if (this.barriersOf[other].includes(place)) yield* this.all(other, allBlocks(later));
    }
  }

  /** The blocks of a task that write, or read, in a box of the world: a box of grid positions. */
  blocksMeeting(task: string, roi: Roi, of: 'write' | 'read' = 'write'): GridRange {
    return this.plan(task).blocksMeeting(roi, of);
  }

  /**
   * What a run of a part does: of the tasks that no other waits for (or of those in `until`) the blocks that write in a box,
   * and what they need upstream; for each task the smallest box of grid positions that holds it.
   */
  subgraph(roi: Roi, until?: readonly string[]): ReadonlyMap<string, GridRange> {
    const waitedFor = new Set([...this.upstreamOf, ...this.barriersOf].flat());
    const finals =
      until?.map((name) => this.placeOf(name)) ?? [...this.tasks.keys()].filter((place) => !waitedFor.has(place));
    const inOrder = this.tasks.map(({ plan }, place) => {
      return { plan, upstream: this.upstreamOf[place], barriers: this.barriersOf[place] };
    });
    const asked = new Map(finals.map((place) => [place, blocksIn(this.tasks[place].plan, roi)]));
    return new Map(wantedBlocks(inOrder, asked).map((range, place) => [this.tasks[place].name, range]));
  }

  private *neighbours(place: number, find: (into: Float64Array) => number): Generator<TaskBlock> {
    const { name, plan } = this.tasks[place];
    if (plan.levels <= 1) return;
    const into = new Float64Array(plan.maxNeighbours);
    for (const block of into.subarray(0, find(into)).sort()) yield { task: name, block };
  }

  private *all(place: number, range: GridRange): Generator<TaskBlock> {
    const { name, plan } = this.tasks[place];
    const rows: [number, number][] = [];
    visitRows(range, plan.gridShape.values, (first, count) => rows.push([first, count]));
    for (const [first, count] of rows) for (let i = 0; i < count; i++) yield { task: name, block: first + i };
  }

  private check(task: string, block: number): number {
    const place = this.placeOf(task);
    const { count } = this.tasks[place].plan;
    if (Number.isInteger(block) && block >= 0 && block < count) return place;
    throw new BlockwrightError(
      'ERR_PLAN',
      `block: expected 0 to ${count - 1}, as ${task} has ${count}, found ${block}`,
    );
  }

  private placeOf(name: string): number {
    const place = this.places.get(name);
    if (place !== undefined) return place;
    throw new BlockwrightError(
      'ERR_PLAN',
      `task: expected one of ${[...this.places.keys()].join(', ')}, found ${name}`,
    );
  }
}
