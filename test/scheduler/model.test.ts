import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { BlockState, type ScheduledTask, Scheduler, type SchedulerOptions } from '../../lib/scheduler/scheduler.js';
import { anyPlan } from '../blocks/plans.js';
import { NaiveScheduler } from './naive-model.js';

interface Run {
  readonly tasks: readonly ScheduledTask[];
  readonly options: SchedulerOptions;
}

const subset = (of: number) => fc.array(fc.nat({ max: Math.max(of - 1, 0) }), { maxLength: of });

function anyTask(dimensions: number, place: number): fc.Arbitrary<ScheduledTask> {
  return anyPlan({ dimensions, blocksPerAxis: dimensions === 3 ? 3 : 5 }).chain((plan) =>
    fc.record({
      name: fc.constant(`task ${place}`),
      plan: fc.constant(plan),
      upstream: subset(place),
      barriers: fc.option(subset(place), { nil: undefined, freq: 3 }),
      maxRetries: fc.constantFrom(undefined, 0, 0, 1),
      resources: fc.constantFrom(undefined, { gpu: 1 }, { gpu: 2, memory: 3 }, { memory: 1 }),
      pool: fc.constantFrom(undefined, 0, 1, 2),
      recorded: fc.option(fc.uint8Array({ minLength: plan.count, maxLength: plan.count, max: 3 }), {
        nil: undefined,
        freq: 1,
      }),
    }),
  );
}

const anyRun: fc.Arbitrary<Run> = fc.record({
  tasks: fc
    .tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 }))
    .chain(([dimensions, count]) =>
      fc.tuple(...Array.from({ length: count }, (_, place) => anyTask(dimensions, place))),
    ),
  options: fc.record({
    workers: fc.constantFrom(undefined, 1, 3, 8),
    resources: fc.constantFrom({ gpu: 2, memory: 3 }, { gpu: 100, memory: 100 }, { gpu: 3, memory: 5, unused: 0 }),
    maxLosses: fc.constantFrom(undefined, 1, 2),
    slabBlocks: fc.constantFrom(undefined, 1, 2, 3, 7),
  }),
});

/** A task whose blocks conflict, most of them done in any order before, and any failure for good. */
const anyResume: fc.Arbitrary<Run> = anyPlan({ readWriteConflict: true, blocksPerAxis: 6, dimensions: 2 }).chain(
  (plan) =>
    fc
      .tuple(
        fc.array(fc.constantFrom(0, 1, 1, 2, 3), { minLength: plan.count, maxLength: plan.count }),
        fc.constantFrom(undefined, 1, 2, 5),
      )
      .map(([recorded, slabBlocks]) => ({
        tasks: [{ name: 'task', plan, upstream: [], maxRetries: 0, recorded: Uint8Array.from(recorded) }],
        options: { slabBlocks },
      })),
);

const KINDS = [
  'acquire',
  'acquire',
  'acquire',
  'done',
  'done',
  'skipped',
  'fail',
  'lose',
  'give back',
  'withdraw',
  'stale',
  'revive',
  'limit',
  'forgive',
] as const;

const anyActions = fc.array(fc.record({ kind: fc.constantFrom(...KINDS), pick: fc.nat({ max: 1000 }) }), {
  maxLength: 120,
});

/** Drives the scheduler and its slow twin side by side and compares every answer and every state. */
class Drive {
  private readonly scheduler: Scheduler;
  private readonly model: NaiveScheduler;

  constructor(private readonly run: Run) {
    this.scheduler = new Scheduler(run.tasks, run.options);
    this.model = new NaiveScheduler(run.tasks, run.options);
    this.compare();
  }

  act(kind: (typeof KINDS)[number], pick: number): void {
    if (kind === 'acquire') {
      const pool = [undefined, undefined, 0, 1, 2][pick % 5];
      for (const of of [undefined, 0, 1, 2, 3]) expect(this.scheduler.idleReason(of)).toBe(this.model.idleReason(of));
      expect(this.scheduler.acquire(pool)).toEqual(this.model.acquire(pool));
      expect(this.model.conflicts()).toEqual([]);
      this.compare();
      return;
    }
    if (kind === 'revive') {
      this.revive(pick);
      return;
    }
    if (kind === 'limit') {
      const task = pick % this.run.tasks.length;
      const limit = [1, 1, 2, 3, Number.POSITIVE_INFINITY][pick % 5];
      this.scheduler.setLimit(task, limit);
      this.model.setLimit(task, limit);
      expect(this.scheduler.limit(task)).toBe(limit);
      return;
    }
    if (kind === 'forgive') {
      const task = pick % this.run.tasks.length;
      const block = pick % Math.max(1, this.run.tasks[task].plan.count);
      if (this.run.tasks[task].plan.count === 0) return;
      for (const scheduler of [this.scheduler, this.model]) {
        scheduler.forgive(task, block, pick % 2 === 0 ? 'failure' : 'loss');
      }
      this.compare();
      return;
    }
    const running = this.model.running();
    if (running.length === 0) return;
    const { task, index, attempts } = running[pick % running.length];
    const holder = [task, index, attempts] as const;
    expect(this.scheduler.isCurrent(...holder)).toBe(true);
    if (kind === 'stale') this.actStale(task, index, attempts + (pick % 2 === 0 ? 1 : -1));
    else if (kind === 'fail') expect(this.scheduler.fail(...holder)).toBe(this.model.fail(...holder));
    else if (kind === 'lose') expect(this.scheduler.lose(...holder)).toBe(this.model.lose(...holder));
    else if (kind === 'withdraw') expect(this.scheduler.withdraw(...holder)).toBe(this.model.withdraw(...holder));
    else if (kind === 'give back') expect(this.scheduler.giveBack(...holder)).toBe(this.model.giveBack(...holder));
    else expect(this.scheduler.complete(...holder, kind)).toBe(this.model.complete(...holder, kind));
    if (kind !== 'stale') this.actStale(...holder);
    this.compare();
  }

  /** Runs what is left, blocks ending in any order. */
  end(pick: number): void {
    for (let step = 0; !this.scheduler.finished; step++) {
      this.act('acquire', 0);
      if (step % 3 > 0 || this.scheduler.idleReason() !== undefined) this.act('done', pick * (step + 1));
    }
    expect(this.scheduler.idleReason()).toBe('finished');
    expect(this.scheduler.acquire()).toBeUndefined();
    this.run.tasks.forEach((_, task) => {
      const { total, done, skipped, failed, orphaned, unwanted } = this.scheduler.counts(task);
      expect(done + skipped + failed + orphaned + unwanted).toBe(total);
    });
  }

  /** Some of what failed in a task, or all of it, with a block or two that did not. */
  private revive(pick: number): void {
    const task = pick % this.run.tasks.length;
    const { count } = this.run.tasks[task].plan;
    if (count === 0) return;
    const failed = this.scheduler.failedBlocks(task);
    const chosen = pick % 3 === 0 ? failed : [...failed.filter((block) => (block + pick) % 2 === 0), pick % count];
    expect(this.scheduler.revive(task, chosen)).toEqual(this.model.revive(task, [...new Set(chosen)]));
    this.compare();
  }

  private actStale(task: number, block: number, attempt: number): void {
    expect(this.scheduler.isCurrent(task, block, attempt)).toBe(false);
    expect(this.scheduler.complete(task, block, attempt, 'done')).toBe(false);
    expect(this.scheduler.fail(task, block, attempt)).toBe('stale');
    expect(this.scheduler.lose(task, block, attempt)).toBe('stale');
    expect(this.scheduler.giveBack(task, block, attempt)).toBe(false);
    expect(this.scheduler.withdraw(task, block, attempt)).toBe(false);
  }

  private compare(): void {
    this.model.blocks.forEach((blocks, task) => {
      const states = blocks.map(({ index }) => this.scheduler.state(task, index));
      expect(states).toEqual(blocks.map(({ state }) => state));
      const counts = Object.fromEntries(
        Object.entries(BlockState).map(([name, state]) => [name, states.filter((other) => other === state).length]),
      );
      expect(this.scheduler.counts(task)).toEqual({ total: blocks.length, ...counts });
      const failed = blocks.filter(({ state }) => state === BlockState.failed).map(({ index }) => index);
      expect(this.scheduler.failedBlocks(task)).toEqual(failed);
    });
  }
}

test('keeps the order through what was done before, whatever fails and is revived', () => {
  const actions = fc.array(
    fc.record({
      kind: fc.constantFrom('acquire', 'acquire', 'done', 'fail', 'fail', 'revive'),
      pick: fc.nat({ max: 1000 }),
    }),
    {
      minLength: 10,
      maxLength: 60,
    },
  );
  fc.assert(
    fc.property(fc.noBias(anyResume), fc.noBias(actions), (run, steps) => {
      const drive = new Drive(run);
      for (const { kind, pick } of steps) drive.act(kind, pick);
      drive.end(1);
    }),
    { seed: 12, numRuns: 200 },
  );
});

test('answers as the slow twin does, whatever happens, and every run ends', () => {
  fc.assert(
    fc.property(fc.noBias(anyRun), fc.noBias(anyActions), fc.nat({ max: 1000 }), (run, actions, pick) => {
      const drive = new Drive(run);
      for (const action of actions) drive.act(action.kind, action.pick);
      drive.end(pick);
    }),
    { seed: 11, numRuns: 250 },
  );
});
