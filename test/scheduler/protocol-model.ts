import { BlockPlan } from '../../lib/blocks/plan.js';
import { Roi } from '../../lib/geometry/roi.js';
import { BlockState, type ScheduledTask, Scheduler } from '../../lib/scheduler/scheduler.js';

/*
 * Leases, fencing, commits and resume as a coordinator and its workers do them, step by step, around the real schedule:
 * every step that a crash can fall between is a step of its own here. What is on disk (outputs, marks, the journal) outlives
 * crashes; the schedule, leases and messages do not. A worker that was given up may live on and go on.
 */

/** Rules that are left out on purpose, to see that the checks find it. */
export type Flaw =
  | 'no fence'
  | 'result before output'
  | 'lost lease kept'
  | 'journal before mark'
  | 'resume forgets'
  | 'returned and kept'
  | 'unbegun counts as never leased';

export interface ProtocolOptions {
  readonly workers: number;
  /** Ends of a worker or of the coordinator, and workers given up though they live, all together. */
  readonly crashes: number;
  /** Messages that arrive a second time. */
  readonly duplicates: number;
  /** Leases that a worker holds at most: one at work, the others ahead. @default 1 */
  readonly ahead?: number;
  /** Times that a worker gives a lease back unbegun, all together. @default 0 */
  readonly returns?: number;
  /** @default chain */
  readonly blocks?: keyof typeof RUNS;
  readonly flaw?: Flaw;
}

/** One step; a text, so that a path can be printed. */
export type Step = string;

interface Attempt {
  readonly epoch: number;
  readonly worker: number;
  readonly task: number;
  readonly block: number;
  readonly attempt: number;
  /** Tells leases of one attempt apart: how many were given back before. */
  readonly lease: number;
  /** Of the worker's connection, whose messages arrive in order. */
  readonly session: number;
}

interface Sent {
  readonly what: 'done' | 'returned';
  readonly held: Attempt;
}

/** A worker process with what it holds, the first at work; one that was given up is a ghost. */
interface Worker {
  held: readonly Attempt[];
  wrote: boolean;
  ghost: boolean;
}

const row = (count: number, edge: number, conflict: boolean) =>
  new BlockPlan({
    totalWriteRoi: new Roi([0], [count * edge]),
    blockShape: [edge],
    contextLow: [conflict ? 1 : 0],
    contextHigh: [conflict ? 1 : 0],
    readWriteConflict: conflict,
  });

const RUNS = {
  /** Two blocks that conflict, and one that waits for both. */
  chain: [
    { name: 'first', plan: row(2, 1, true), upstream: [] },
    { name: 'second', plan: row(1, 2, false), upstream: [0] },
  ],
  /** Two blocks that can run at once, and one that conflicts with both. */
  fork: [{ name: 'first', plan: row(3, 1, true), upstream: [] }],
} satisfies Record<string, readonly ScheduledTask[]>;
const nameOf = ({ task, block }: { task: number; block: number }) => `${task}:${block}`;
const textOf = (held: Attempt) => `${held.epoch}/${held.worker}/${nameOf(held)}#${held.attempt}.${held.lease}`;
const numbered = ({ epoch, task, block, attempt }: Attempt) => `${epoch} ${task} ${block} ${attempt}`;

/** A state of the whole, made by its steps from the beginning: the same steps give the same state. */
export class ProtocolWorld {
  /** What went wrong; empty while nothing did. */
  readonly violations: string[] = [];
  private readonly outputs = new Set<string>();
  private readonly marks = new Set<string>();
  private readonly journal: string[] = [];
  private epoch = 1;
  private scheduler: Scheduler | undefined;
  private readonly tasks: readonly ScheduledTask[];
  private readonly blocks: readonly { readonly task: number; readonly block: number }[];
  private leases: Attempt[][];
  private workers: (Worker | undefined)[];
  private ghosts: Worker[] = [];
  private messages: Sent[] = [];
  /** Results that were accepted, on their way to the record; then to the journal. */
  private accepted: Attempt[] = [];
  private marked: Attempt[] = [];
  private crashes: number;
  private duplicates: number;
  private returns: number;
  private returned = 0;
  /** Of each worker's place: counts those that were lost there. */
  private readonly sessions: number[];

  constructor(private readonly options: ProtocolOptions) {
    this.crashes = options.crashes;
    this.duplicates = options.duplicates;
    this.returns = options.returns ?? 0;
    this.tasks = RUNS[options.blocks ?? 'chain'];
    this.blocks = this.tasks.flatMap(({ plan }, task) =>
      Array.from({ length: plan.count }, (_, block) => ({ task, block })),
    );
    this.leases = Array.from({ length: options.workers }, () => []);
    this.workers = this.leases.map(() => undefined);
    this.sessions = this.leases.map(() => 0);
    this.start();
  }

  /** Everything that can happen next. */
  steps(): Step[] {
    const steps: Step[] = [];
    const { scheduler } = this;
    const broken = this.options.flaw === 'result before output';
    if (scheduler !== undefined) {
      for (let w = 0; w < this.workers.length; w++) {
        if (this.mayLease(w) && scheduler.idleReason() === undefined) steps.push(`lease ${w}`);
        if (this.workers[w] !== undefined && this.crashes > 0) steps.push(`give up ${w}`);
        if (this.workers[w] !== undefined && this.crashes > 0) steps.push(`kill ${w}`);
      }
      this.messages.forEach(({ held: { epoch, worker, session } }, i) => {
        const sameConnection = ({ held }: Sent) =>
          held.epoch === epoch && held.worker === worker && held.session === session;
        if (this.messages.findIndex(sameConnection) < i) return;
        steps.push(`deliver ${i}`);
        if (this.duplicates > 0) steps.push(`deliver and keep ${i}`);
      });
      if (this.accepted.length > 0) steps.push('mark');
      if (this.marked.length > 0) steps.push('journal');
      if (this.crashes > 0) steps.push('kill coordinator');
    } else {
      steps.push('restart');
    }
    this.workers.forEach((worker, w) => {
      if (worker !== undefined && !worker.wrote) steps.push(`write ${w}`);
      if (worker !== undefined && (worker.wrote || broken)) steps.push(`send ${w}`);
      if (worker !== undefined && worker.held.length > 1 && this.returns > 0) steps.push(`return ${w}`);
    });
    this.ghosts.forEach((worker, g) => {
      steps.push(worker.wrote ? `ghost sends ${g}` : `ghost writes ${g}`);
      steps.push(`ghost ends ${g}`);
    });
    return steps;
  }

  take(step: Step): void {
    const [, what, place] = /^(.*?) ?(\d+)?$/.exec(step)!;
    const i = Number(place);
    if (what === 'lease') this.lease(i);
    else if (what === 'write') this.write(this.workers[i]!);
    else if (what === 'ghost writes') this.write(this.ghosts[i]);
    else if (what === 'send') this.send(this.workers[i]!);
    else if (what === 'return') this.giveBack(this.workers[i]!);
    else if (what === 'ghost sends') this.send(this.ghosts[i]);
    else if (what === 'ghost ends') this.ghosts.splice(i, 1);
    else if (what === 'deliver') this.deliver(this.messages.splice(i, 1)[0]);
    else if (what === 'deliver and keep') this.deliverAndKeep(i);
    else if (what === 'mark') this.mark();
    else if (what === 'journal') this.acknowledge();
    else if (what === 'give up') this.lose(i, true);
    else if (what === 'kill') this.lose(i, false);
    else if (what === 'kill coordinator') this.killCoordinator();
    else this.restart();
    this.check();
  }

  get finished(): boolean {
    return this.scheduler?.finished === true;
  }

  /** What the future depends on, as text. */
  key(): string {
    const schedule = this.blocks.map(({ task, block }) => {
      const { scheduler } = this;
      return scheduler === undefined ? '-' : `${scheduler.state(task, block)}#${scheduler.attempts(task, block)}`;
    });
    const worker = (one: Worker | undefined) =>
      one === undefined ? '-' : `${one.held.map(textOf)}${one.wrote ? 'w' : ''}`;
    return [
      [...this.outputs].sort(),
      [...this.marks].sort(),
      [...this.journal].sort(),
      this.epoch,
      schedule,
      this.leases.map((held) => held.map(textOf).join('+')),
      this.workers.map(worker),
      this.ghosts.map(worker).sort(),
      this.messages.map(({ what, held }) => `${what} ${held.session} ${textOf(held)}`),
      this.sessions,
      this.returns,
      this.accepted.map(textOf),
      this.marked.map(textOf),
      this.crashes,
      this.duplicates,
    ].join(' | ');
  }

  private start(): void {
    const forget = this.options.flaw === 'resume forgets';
    this.scheduler = new Scheduler(
      this.tasks.map((task, place) => ({
        ...task,
        recorded: Uint8Array.from({ length: task.plan.count }, (_, block) =>
          !forget && this.marks.has(nameOf({ task: place, block })) ? 1 : 0,
        ),
      })),
      { maxLosses: 10 },
    );
  }

  /** A worker asks when it holds nothing, or ahead; by its own count it must hold what the coordinator thinks. */
  private mayLease(w: number): boolean {
    const leases = this.leases[w];
    if (leases.length !== (this.workers[w]?.held.length ?? 0)) return false;
    // nothing behind a block that was tried before
    return leases.length < (this.options.ahead ?? 1) && (leases.at(-1)?.attempt ?? 1) === 1;
  }

  private lease(w: number): void {
    const next = this.scheduler!.acquire()!;
    const held = { epoch: this.epoch, worker: w, ...next, lease: this.returned, session: this.sessions[w] };
    const others = this.leases.flat();
    this.leases[w].push(held);
    const worker = this.workers[w];
    if (worker === undefined) {
      this.workers[w] = { held: [held], wrote: false, ghost: false };
      this.begin(held);
    } else worker.held = [...worker.held, held];
    // what it reads must be there, and nobody who may still be believed writes what it reads
    if (next.task === 1 && !(this.outputs.has('0:0') && this.outputs.has('0:1')))
      this.violate(`${textOf(held)} reads what is not there`);
    for (const other of others) {
      if (other.task === next.task && Math.abs(other.block - next.block) <= 1)
        this.violate(`${textOf(held)} runs beside ${textOf(other)}, which conflicts with it`);
    }
    if (this.marks.has(nameOf(next))) this.violate(`${textOf(held)} is done already`);
  }

  /** Names of temporary files, rows and messages are made of these numbers. */
  private begin(held: Attempt): void {
    const same = [...this.workers, ...this.ghosts].filter((one) => one && numbered(one.held[0]) === numbered(held));
    if (same.length > 1) this.violate(`${textOf(held)} is at work twice`);
  }

  private write(worker: Worker): void {
    this.outputs.add(nameOf(worker.held[0]));
    worker.wrote = true;
  }

  private send(worker: Worker): void {
    const [held, ...rest] = worker.held;
    this.messages.push({ what: 'done', held });
    worker.held = rest;
    worker.wrote = false;
    if (rest.length > 0) {
      this.begin(rest[0]);
      return;
    }
    this.workers = this.workers.map((one) => (one === worker ? undefined : one));
    this.ghosts = this.ghosts.filter((one) => one !== worker);
  }

  private giveBack(worker: Worker): void {
    this.returns--;
    this.messages.push({ what: 'returned', held: worker.held.at(-1)! });
    if (this.options.flaw !== 'returned and kept') worker.held = worker.held.slice(0, -1);
  }

  private deliverAndKeep(i: number): void {
    this.duplicates--;
    this.deliver(this.messages[i]);
  }

  /** As a coordinator does: the lease must be the one that the session of this worker holds. */
  private deliver({ what, held: result }: Sent): void {
    const leases = this.leases[result.worker];
    const place = leases.findIndex((lease) => textOf(lease) === textOf(result));
    const current = place >= 0;
    if (what === 'returned') {
      if (!current) return;
      if (place !== leases.length - 1) this.violate(`${textOf(result)} comes back, but is not the newest`);
      leases.splice(place, 1);
      this.returned++;
      this.scheduler!.withdraw(result.task, result.block, result.attempt);
      return;
    }
    if (place > 0) this.violate(`${textOf(result)} comes before the result of ${textOf(leases[0])}`);
    if (!current && this.options.flaw !== 'no fence') return;
    const held = { ...result, attempt: current ? result.attempt : this.scheduler!.attempts(result.task, result.block) };
    if (!this.scheduler!.isCurrent(held.task, held.block, held.attempt)) return;
    if (!current) this.violate(`${textOf(result)} was believed, but holds no lease`);
    leases.splice(place, current ? 1 : 0);
    this.accepted.push(held);
    if (this.options.flaw === 'journal before mark') this.journal.push(nameOf(held));
  }

  private mark(): void {
    const held = this.accepted.shift()!;
    this.marks.add(nameOf(held));
    this.marked.push(held);
  }

  private acknowledge(): void {
    const held = this.marked.shift()!;
    if (!this.scheduler!.complete(held.task, held.block, held.attempt, 'done'))
      this.violate(`${textOf(held)} was refused after its mark`);
    if (this.options.flaw !== 'journal before mark') this.journal.push(nameOf(held));
  }

  private lose(w: number, livesOn: boolean): void {
    this.crashes--;
    const worker = this.workers[w]!;
    if (livesOn) this.ghosts.push({ ...worker, ghost: true });
    this.workers[w] = undefined;
    for (const held of this.leases[w].splice(0)) {
      const { task, block, attempt } = held;
      if (this.options.flaw === 'lost lease kept') continue;
      const unbegun = worker.held.indexOf(held) > 0;
      if (!unbegun) this.scheduler!.lose(task, block, attempt);
      else if (this.options.flaw === 'unbegun counts as never leased') this.scheduler!.withdraw(task, block, attempt);
      else this.scheduler!.giveBack(task, block, attempt);
    }
    this.sessions[w]++;
  }

  private killCoordinator(): void {
    this.crashes--;
    this.scheduler = undefined;
    this.accepted = [];
    this.marked = [];
    // on another host nobody ends them
    for (const worker of this.workers) if (worker !== undefined) this.ghosts.push({ ...worker, ghost: true });
    this.workers = this.workers.map(() => undefined);
    this.leases = this.leases.map(() => []);
  }

  private restart(): void {
    this.epoch++;
    this.start();
    for (const name of this.journal) {
      const [task, block] = name.split(':').map(Number);
      if (this.scheduler!.state(task, block) !== BlockState.done) this.violate(`${name} was acknowledged and is lost`);
    }
  }

  private check(): void {
    for (const name of this.marks) if (!this.outputs.has(name)) this.violate(`${name} is done before its output`);
    if (new Set(this.journal).size < this.journal.length) this.violate(`a block is done twice: ${this.journal}`);
    for (const name of this.journal) {
      // between the two a crash would lose it
      if (!this.marks.has(name) && this.scheduler === undefined)
        this.violate(`${name} was acknowledged without a mark`);
    }
    if (this.finished && this.marks.size < this.blocks.length)
      this.violate('the run is finished, but not everything is marked');
  }

  private violate(what: string): void {
    this.violations.push(what);
  }
}

export interface Exploration {
  /** Different ones. */
  readonly states: number;
  readonly steps: number;
  /** The first one, with the steps that lead to it; undefined when there is none. */
  readonly violation?: { readonly what: string; readonly path: readonly Step[] };
}

/** Visits every state that can be reached, nearest first. */
export function explore(options: ProtocolOptions): Exploration {
  interface Node {
    readonly before: Node | undefined;
    readonly step: Step;
  }
  const pathOf = (node: Node | undefined): Step[] => (node === undefined ? [] : [...pathOf(node.before), node.step]);
  const replay = (path: readonly Step[]) => {
    const world = new ProtocolWorld(options);
    for (const step of path) world.take(step);
    return world;
  };
  const seen = new Set([replay([]).key()]);
  let frontier: (Node | undefined)[] = [undefined];
  let steps = 0;
  while (frontier.length > 0) {
    const next: Node[] = [];
    for (const node of frontier) {
      const path = pathOf(node);
      const world = replay(path);
      const possible = world.steps();
      // crashes and what ghosts do is nothing that a run may wait for
      const progress = possible.filter((step) => !/^(ghost|kill|give up|deliver and keep)/.test(step));
      if (progress.length === 0 && !world.finished) {
        return { states: seen.size, steps, violation: { what: 'the run stands still', path } };
      }
      for (const step of possible) {
        const after = replay(path);
        after.take(step);
        steps++;
        if (after.violations.length > 0) {
          return { states: seen.size, steps, violation: { what: after.violations[0], path: [...path, step] } };
        }
        const key = after.key();
        if (seen.has(key)) continue;
        seen.add(key);
        next.push({ before: node, step });
      }
    }
    frontier = next;
  }
  return { states: seen.size, steps };
}
