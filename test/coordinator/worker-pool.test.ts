import { expect, test } from '@jest/globals';
import type { Executor, WorkerEnd } from '../../lib/coordinator/executor.js';
import { RunFolder } from '../../lib/coordinator/run-folder.js';
import { WorkerPool, type WorkerPoolOptions } from '../../lib/coordinator/worker-pool.js';
import type { WorkerSession } from '../../lib/coordinator/worker-session.js';

const ended: WorkerEnd = { status: 1, signal: null, lastLines: 'last words' };

/** A pool of workers that end at once; `before` is what a worker does first. Gives the pauses between their starts. */
async function pausesOf(
  workers: number,
  before: (session: WorkerSession, started: number) => void,
  stopAfter = 100,
  end: WorkerEnd = ended,
) {
  const pauses: number[] = [];
  let started = 0;
  let exhausted: Error | undefined;
  const executor: Executor = {
    name: 'none',
    start: () => ({ description: 'none', ended: Promise.resolve(end), kill: () => undefined }),
  };
  const options: WorkerPoolOptions = {
    executor,
    folder: new RunFolder('/nowhere'),
    nextId: () => `1.${started}`,
    maxStarts: 4,
    maxCrashes: 10,
    now: () => 0,
    async pause(milliseconds) {
      pauses.push(milliseconds);
    },
    onStart: () => undefined,
    onEnd(session) {
      before(session, started++);
      if (started === stopAfter) pool.stop();
    },
    onExhausted(error) {
      exhausted = error;
    },
  };
  const pool = new WorkerPool(options);
  await pool.run(workers);
  return { pauses, started, exhausted };
}

test('pauses double while starts bear no fruit, and then the place is given up', async () => {
  const { pauses, started, exhausted } = await pausesOf(1, () => undefined);
  expect(pauses).toEqual([100, 200, 400]);
  expect(started).toBe(4);
  expect(exhausted).toMatchObject({ code: 'ERR_WORKER_START', message: expect.stringContaining('4 starts in a row') });
});

test('workers that get to work and end are given more time, up to a limit', async () => {
  const { pauses, exhausted } = await pausesOf(1, (session) => {
    session.arrive();
  });
  expect(pauses).toEqual([100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]);
  expect(exhausted?.message).toContain('10 in a row ended without the result of a block');
});

test('a result is fruit: no pause, and counting begins again', async () => {
  const { pauses, exhausted } = await pausesOf(
    1,
    (session, started) => {
      session.arrive();
      if (started % 3 === 0) session.results = 1;
    },
    12,
  );
  expect(pauses).toEqual([100, 200, 100, 200, 100, 200, 100, 200]);
  expect(exhausted).toBeUndefined();
});

test('it ends only when no place is left', async () => {
  const { started, exhausted } = await pausesOf(3, () => undefined);
  expect(started).toBe(12);
  expect(exhausted).toBeDefined();
});

test('workers that are ended from outside have not failed, but not for ever', async () => {
  const preempted: WorkerEnd = { ...ended, cause: 'preempted', reason: 'job 7: PREEMPTED' };
  const { started, exhausted } = await pausesOf(1, () => undefined, 100, preempted);
  expect(started).toBe(10);
  expect(exhausted?.message).toContain('10 in a row were ended from outside before the result of a block');
  expect(exhausted?.message).toContain('The last: job 7: PREEMPTED');
});

test('what can never be started is not tried again', async () => {
  const refused: WorkerEnd = { ...ended, cause: 'refused', reason: 'no such partition' };
  const { started, exhausted } = await pausesOf(1, () => undefined, 100, refused);
  expect(started).toBe(1);
  expect(exhausted?.message).toContain('they cannot be started. The last: no such partition');
});

/** A pool of six places, of whose workers two may be on their way. */
function slowStarters(more: Partial<WorkerPoolOptions> = {}) {
  const sessions: WorkerSession[] = [];
  const ends: ((end: WorkerEnd) => void)[] = [];
  const executor: Executor = {
    name: 'none',
    startsAtOnce: 2,
    start: () => ({
      description: 'none',
      ended: new Promise((resolve) => ends.push(resolve)),
      kill: () => undefined,
    }),
  };
  const pool = new WorkerPool({
    executor,
    folder: new RunFolder('/nowhere'),
    nextId: () => `1.${sessions.length}`,
    maxStarts: 1,
    maxCrashes: 10,
    now: () => 0,
    pause: async () => undefined,
    onStart: (session) => sessions.push(session),
    onEnd: () => undefined,
    onExhausted: () => undefined,
    ...more,
  });
  const run = pool.run(6);
  const state = async () => {
    await new Promise(setImmediate);
    return { started: sessions.length, queued: pool.queued };
  };
  const stop = async () => {
    pool.stop();
    for (const end of ends) end(ended);
    await run;
  };
  return { sessions, ends, state, stop };
}

test('no more are on their way at once than the executor wants', async () => {
  const { sessions, ends, state, stop } = slowStarters();
  expect(await state()).toEqual({ started: 2, queued: 4 });
  sessions[1].arrive();
  expect(await state()).toEqual({ started: 3, queued: 3 });
  // one that ends on its way makes room, and its place is given up
  ends[0](ended);
  expect(await state()).toEqual({ started: 4, queued: 2 });
  // one that came before makes none
  ends[1]({ ...ended, status: 0 });
  expect(await state()).toEqual({ started: 4, queued: 3 });
  await stop();
  expect(await state()).toEqual({ started: 4, queued: 0 });
});

test('those that hang on their way do not keep others from starting', async () => {
  const { sessions, state, stop } = slowStarters({ longStart: 1 });
  while ((await state()).queued > 0) await new Promise((resolve) => setTimeout(resolve, 1));
  expect(sessions).toHaveLength(6);
  await stop();
});
