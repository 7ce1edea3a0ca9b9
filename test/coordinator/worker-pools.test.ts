import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { RunEvent } from '../../lib/coordinator/events.js';
import type { Executor, WorkerEnd } from '../../lib/coordinator/executor.js';
import type { Journal } from '../../lib/coordinator/journal.js';
import { type RunOptions, runCoordinator } from '../../lib/coordinator/run.js';
import { RunFolder } from '../../lib/coordinator/run-folder.js';
import { WorkerPools } from '../../lib/coordinator/worker-pools.js';
import type { Scheduler } from '../../lib/scheduler/scheduler.js';
import { LocalExecutor } from '../../lib/workers/local-executor.js';
import { processesOf } from '../support/processes.js';
import {
  outputHash,
  type Toy,
  toyChain,
  toyFolder,
  toyOptions,
  toyPlan,
  toyRun,
  toyWorker,
} from '../support/toy-run.js';

let place: ReturnType<typeof toyFolder>;
beforeEach(() => {
  place = toyFolder();
});
afterEach(() => {
  expect(processesOf(place.run)).toEqual([]);
  place.remove();
});

const local = () => new LocalExecutor({ command: process.execPath, args: [toyWorker] });

/** Toy workers whose ids are remembered; `idleSeconds` as given. */
function remembering(name: string, idleSeconds?: number) {
  const ids: string[] = [];
  const inner = local();
  const executor: Executor = {
    name,
    ...(idleSeconds === undefined ? {} : { idleSeconds }),
    start(request) {
      ids.push(request.workerId);
      return inner.start(request);
    },
  };
  return { executor, ids };
}

/** Runs toys of which some name another executor; gives the events and the most workers that were there at once. */
async function runWith(toys: readonly Toy[], on: Readonly<Record<string, string>>, options: Partial<RunOptions>) {
  const events: RunEvent[] = [];
  let most = 0;
  let alive = 0;
  const base = toyOptions(place, toys, {
    ...options,
    onEvent(event) {
      events.push(event);
      if (event.type === 'worker-start') most = Math.max(most, ++alive);
      if (event.type === 'worker-end') alive--;
    },
  });
  const tasks = base.tasks.map((task) => ({ ...task, executor: on[task.name] }));
  const result = await runCoordinator({ ...base, tasks });
  expect(result.complete).toBe(true);
  expect(events.filter((event) => event.type === 'worker-end' && !event.expected)).toEqual([]);
  const workersOf = (task: string) => {
    return new Set(events.flatMap((e) => (e.type === 'block-done' && e.task === task ? [e.worker] : [])));
  };
  return { events, most, workersOf };
}

async function hashOfPlainRun(toys: readonly Toy[]): Promise<string> {
  const other = toyFolder();
  await toyRun(other, toys);
  const hash = outputHash(other.output, toys);
  other.remove();
  return hash;
}

test('each task runs on the workers of its executor, which are started when they have something to do', async () => {
  const toys = toyChain([4, 4]);
  const first = remembering('first');
  const second = remembering('second');
  const run = await runWith(
    toys,
    { second: 'other' },
    {
      executor: first.executor,
      executors: { other: { executor: second.executor, workers: 1 } },
    },
  );
  expect([...run.workersOf('first')].every((id) => first.ids.includes(id))).toBe(true);
  expect([...run.workersOf('second')]).toEqual(second.ids);
  expect(outputHash(place.output, toys)).toBe(await hashOfPlainRun(toys));
  const begun = run.events.findIndex((event) => event.type === 'worker-start' && event.worker === second.ids[0]);
  const done = run.events.findIndex((event) => event.type === 'block-done');
  expect(begun).toBeGreaterThan(done);
});

test('a task that no executor of the run has is refused', async () => {
  const [toy] = toyChain([2, 2]);
  const base = toyOptions(place, [toy]);
  const tasks = base.tasks.map((task) => ({ ...task, executor: 'gpu' }));
  await expect(runCoordinator({ ...base, tasks })).rejects.toThrow('task first: no executor gpu');
  const executors = { gpu: { executor: local(), workers: 0 } };
  await expect(runCoordinator({ ...base, executors })).rejects.toThrow(
    'executors.gpu.workers: expected a whole number of at least 1, found 0',
  );
});

test('with one worker in all, executors take turns and every block is run', async () => {
  const toys = toyChain([3, 3]);
  const { most, workersOf } = await runWith(
    toys,
    { second: 'other' },
    {
      executors: { other: { executor: local(), workers: 2 } },
      maxWorkers: 1,
    },
  );
  expect(most).toBe(1);
  expect(workersOf('first').size).toBeGreaterThan(0);
  expect(workersOf('second').size).toBeGreaterThan(0);
  expect(outputHash(place.output, toys)).toBe(await hashOfPlainRun(toys));
});

test('blocks that a busy worker holds unbegun are work for one that can be started', async () => {
  const toys: Toy[] = [
    { name: 'first', plan: toyPlan([1]), milliseconds: 300 },
    { name: 'second', plan: toyPlan([2]), milliseconds: 3000 },
  ];
  // until 'first' is done there is one place for 'second', whose worker takes one block and asks ahead for the other
  const other = { executor: local(), workers: 2 };
  const { workersOf } = await runWith(toys, { second: 'other' }, { executors: { other }, maxWorkers: 2 });
  expect(workersOf('second').size).toBe(2);
});

test('workers that wait too long are ended, and others are started when there is work', async () => {
  // one block of 'second' keeps all others waiting for longer than a worker may be idle
  const toys: Toy[] = [
    { name: 'first', plan: toyPlan([4]), milliseconds: 50 },
    {
      name: 'second',
      plan: toyPlan([1], { totalWriteRoi: toyPlan([4]).totalWriteRoi, blockShape: [40] }),
      upstream: ['first'],
      milliseconds: 1500,
    },
    { name: 'third', plan: toyPlan([4]), upstream: ['second'], milliseconds: 200 },
  ];
  const { executor, ids } = remembering('costly', 0.2);
  const { events } = await runWith(toys, {}, { executor, workers: 3 });
  const ended = events.flatMap((event) => (event.type === 'worker-end' ? [event.worker] : []));
  const secondDone = events.findIndex((event) => event.type === 'block-done' && event.task === 'second');
  const endedBefore = events.slice(0, secondDone).filter(({ type }) => type === 'worker-end');
  expect(endedBefore.length).toBeGreaterThan(0);
  expect(ids.length).toBeGreaterThan(3);
  expect(ended.toSorted()).toEqual(ids.toSorted());
});

/** Starts follow a turn of the event loop later. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

/** Two pools without processes: `demand` says what they have to do. */
async function idlePools(demand: { left: number; ready: number }[], maxWorkers: number, endSeconds = 1) {
  const killed: string[] = [];
  const executor: Executor = {
    name: 'none',
    idleSeconds: 120,
    endSeconds,
    start({ workerId }) {
      let end: (end: WorkerEnd) => void = () => undefined;
      const ended = new Promise<WorkerEnd>((resolve) => {
        end = resolve;
      });
      const kill = () => {
        killed.push(workerId);
        end({ status: null, signal: 'SIGKILL', lastLines: '' });
      };
      return { description: workerId, ended, kill };
    },
  };
  const pools = new WorkerPools({
    pools: demand.map(() => ({ executor, workers: 4 })),
    scheduler: { demand: (pool: number) => demand[pool] } as unknown as Scheduler,
    maxWorkers,
    epoch: 1,
    folder: new RunFolder('/nowhere'),
    journal: { write: () => undefined } as unknown as Journal,
    maxStarts: 3,
    maxCrashes: 3,
    now: () => 0,
    secondsOf: () => 0,
    onStart: () => undefined,
    onEnd: () => undefined,
    onEvent: () => undefined,
    onExhausted: () => undefined,
  });
  void pools.run();
  await settled();
  return { pools, killed, sessions: () => [...pools.sessions.values()] };
}

test('places are given out once, however often they are looked at in one turn', async () => {
  const { pools, sessions } = await idlePools([{ left: 10, ready: 10 }], 3);
  for (let i = 0; i < 3; i++) pools.adjust([], 0);
  await settled();
  expect(sessions()).toHaveLength(3);
});

test('a worker whose end is known late has longer to end by itself', async () => {
  const { pools, sessions } = await idlePools([{ left: 1, ready: 1 }], 4, 15);
  pools.adjust([], 0);
  await settled();
  const [session] = sessions();
  session.arrive();
  const times: number[] = [];
  session.retire = (milliseconds) => times.push(milliseconds);
  expect(pools.adjust([session], 200_000)).toEqual([session]);
  expect(times).toEqual([19_000]);
});

test('workers that cannot be given the blocks that are ready are neither ended nor joined by others', async () => {
  const { pools, sessions } = await idlePools([{ left: 10, ready: 10 }], 4);
  pools.adjust([], 0);
  await settled();
  expect(sessions()).toHaveLength(4);
  for (const session of sessions()) session.arrive();
  // a full disk, or hosts that are suspected: all wait, though blocks are ready
  for (const now of [1, 1000, 100_000]) expect(pools.adjust(sessions(), now)).toEqual([]);
  expect(sessions()).toHaveLength(4);
});

test('workers that are on their way and not needed any more make room for those of another pool', async () => {
  const demand = [
    { left: 10, ready: 4 },
    { left: 10, ready: 0 },
  ];
  const { pools, killed, sessions } = await idlePools(demand, 4);
  pools.adjust([], 0);
  await settled();
  expect(sessions().map(({ pool }) => pool)).toEqual([0, 0, 0, 0]);
  demand[0] = { left: 10, ready: 1 };
  demand[1] = { left: 10, ready: 2 };
  pools.adjust([], 0);
  await settled();
  expect(killed).toEqual(['1.1', '1.2']);
  // no more of them, and others in their place
  pools.adjust([], 0);
  await settled();
  expect(killed).toHaveLength(2);
  expect(sessions().map(({ pool }) => pool)).toEqual([0, 0, 1, 1]);
});
