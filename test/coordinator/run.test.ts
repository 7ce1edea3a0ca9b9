import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { RunEvent } from '../../lib/coordinator/events.js';
import { readFailures, readRunStatus } from '../../lib/coordinator/run-status.js';
import type { Service } from '../../lib/coordinator/service-desk.js';
import { codeOf, messageOf } from '../../lib/errors.js';
import { processesOf, until } from '../support/processes.js';
import {
  computations,
  journalOf,
  outputHash,
  type Toy,
  toyChain,
  toyFolder,
  toyPlan,
  toyRun,
} from '../support/toy-run.js';
import { toyFile } from '../support/toy-worker.js';

let place: ReturnType<typeof toyFolder>;
beforeEach(() => {
  place = toyFolder();
});
afterEach(() => {
  expect(leftovers(place.run)).toEqual([]);
  place.remove();
});

/** What a run must not leave: processes, the control folder, temporary files. */
function leftovers(run: string): string[] {
  const processes = processesOf(run).map((pid) => `process ${pid}`);
  if (!existsSync(run)) return processes;
  const files = (readdirSync(run, { recursive: true }) as string[]).filter((name) => /control|socket|tmp$/.test(name));
  return [...processes, ...files];
}

const rejection = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

describe('a run', () => {
  test('gives the same outputs with one worker and with four, and runs every block once', async () => {
    const toys = toyChain([3, 3, 3]);
    const events: RunEvent[] = [];
    const onEvent = (event: RunEvent) => {
      events.push(event);
      // done is said only when the outputs are there
      if (event.type === 'block-done') expect(existsSync(toyFile(place.output, event.task, event.block))).toBe(true);
    };
    const result = await toyRun(place, toys, { workers: 4, onEvent });
    expect(result).toMatchObject({ complete: true, interrupted: false, failures: [], refusedConnections: 0 });
    const counts = { total: 27, done: 27, skipped: 0, failed: 0, orphaned: 0, alreadyDone: 0, retried: 0 };
    expect(result.tasks).toMatchObject([
      { name: 'first', ...counts },
      { name: 'second', ...counts },
    ]);
    expect(new Set(computations(place.output).values())).toEqual(new Set([1]));
    const hash = outputHash(place.output, toys);

    const kinds = new Set(events.map(({ type }) => type));
    expect(kinds).toEqual(
      new Set(['run-start', 'worker-start', 'task-start', 'block-done', 'idle', 'worker-end', 'run-end']),
    );
    expect(events.at(-1)).toMatchObject({ type: 'run-end', state: 'complete' });
    expect(events.filter(({ type }) => type === 'block-done')).toHaveLength(54);
    expect(events.filter((event) => event.type === 'worker-end' && !event.expected)).toEqual([]);

    const other = toyFolder();
    await toyRun(other, toys, { workers: 1 });
    expect(outputHash(other.output, toys)).toBe(hash);
    other.remove();
  });

  test('that is complete is not run again', async () => {
    const toys = toyChain([2, 2, 2]);
    await toyRun(place, toys);
    let initialised = 0;
    const again = await toyRun(place, toys, {
      onEvent: (event) => {
        if (event.type === 'worker-start') initialised++;
      },
    });
    expect(again).toMatchObject({
      complete: true,
      tasks: [
        { done: 8, alreadyDone: 8 },
        { done: 8, alreadyDone: 8 },
      ],
    });
    expect(initialised).toBe(0);
    expect(computations(place.output).get('first 0')).toBe(1);
    expect(journalOf(place.run).filter(({ event }) => event === 'run-start')).toMatchObject([
      { epoch: 1 },
      { epoch: 2 },
    ]);
  });

  test('calls init of tasks with blocks left, in order, before any block', async () => {
    const order: string[] = [];
    const { runCoordinator } = await import('../../lib/coordinator/run.js');
    const { toyOptions } = await import('../support/toy-run.js');
    const options = toyOptions(place, toyChain([2, 1, 1]), {
      onEvent: (event) => {
        if (event.type === 'block-done') order.push('block');
      },
    });
    const tasks = options.tasks.map((task) => ({
      ...task,
      init: async () => {
        order.push(task.name);
      },
    }));
    await runCoordinator({ ...options, tasks });
    expect(order).toEqual(['first', 'second', 'block', 'block', 'block', 'block']);
    await runCoordinator({ ...options, tasks });
    expect(order).toHaveLength(6);
    const failing = tasks.map((task) => ({
      ...task,
      name: `${task.name}2`,
      upstream: [],
      init: () => Promise.reject(new Error('no disk')),
    }));
    expect(messageOf(await rejection(runCoordinator({ ...options, tasks: failing })))).toBe(
      'task first2: init: no disk',
    );
    expect(readRunStatus(place.run)).toMatchObject({ state: 'failed', error: 'task first2: init: no disk' });
  });

  test('tells init whether any block of its task is done', async () => {
    const { runCoordinator } = await import('../../lib/coordinator/run.js');
    const { toyOptions } = await import('../support/toy-run.js');
    const said: string[] = [];
    const run = (until: number, init: (name: string, fresh: boolean) => Promise<void>) => {
      const toys: Toy[] = toyChain([2, 1, 1]).map((toy) => ({ ...toy, act: 'throw', on: [0], until, maxRetries: 0 }));
      const options = toyOptions(place, toys);
      const tasks = options.tasks.map((task) => ({ ...task, init: (fresh: boolean) => init(task.name, fresh) }));
      return runCoordinator({ ...options, tasks });
    };
    const listen = async (name: string, fresh: boolean) => {
      said.push(`${name} ${fresh}`);
    };
    // the done records are there after this, with nothing in them
    await rejection(run(9, () => Promise.reject(new Error('no disk'))));
    await run(9, listen);
    await run(0, listen);
    expect(said).toEqual(['first true', 'second true', 'first false', 'second true']);
  });

  test('gets every result, also of leases that take longer than thought', async () => {
    // short blocks, so that several are leased at once, with long ones among them
    const on = Array.from({ length: 16 }, (_, i) => 10 + 3 * i);
    const toys: Toy[] = [{ name: 'first', plan: toyPlan([60]), act: 'slow', on }];
    const result = await toyRun(place, toys, { workers: 1 });
    expect(result).toMatchObject({ complete: true, tasks: [{ done: 60, retried: 0 }] });
    expect(journalOf(place.run).filter(({ event }) => event === 'worker-end')).toMatchObject([{ status: 0 }]);
  });

  test('retries a block that throws, and keeps what it said', async () => {
    const toys: Toy[] = [{ name: 'task/1', plan: toyPlan([3]), act: 'throw', on: [1], until: 2 }];
    const events: RunEvent[] = [];
    const result = await toyRun(place, toys, { onEvent: (event) => events.push(event) });
    expect(result).toMatchObject({ complete: true, tasks: [{ done: 3, retried: 2 }] });
    const failed = events.filter(({ type }) => type === 'block-failed');
    expect(failed).toMatchObject([
      { task: 'task/1', block: 1, attempt: 1, willRetry: true },
      { task: 'task/1', block: 1, attempt: 2, willRetry: true },
    ]);
    const log = readFileSync(join(place.run, 'tasks/task%2f1/logs/block-1.log'), 'utf8');
    expect(log).toMatch(
      /attempt 1 begins[^\n]*\nabout to fail in attempt 1\n--- attempt 1 failed[^\n]*\nError: toy failure of block 1\n +at /,
    );
    expect(log).toMatch(/attempt 2 begins[^\n]*\nabout to fail in attempt 2\n--- attempt 2 failed/);
    expect(readdirSync(join(place.run, 'tasks/task%2f1/logs'))).toEqual(['block-1.log']);
  });

  test('with a block that fails for good says so, runs the rest and tries again when resumed', async () => {
    const plan = toyPlan([4]);
    const first: Toy = { name: 'first', plan, act: 'throw', on: [1], maxRetries: 1 };
    const toys: Toy[] = [first, { name: 'second', plan, upstream: ['first'] }];
    const result = await toyRun(place, toys);
    expect(result.complete).toBe(false);
    expect(result.interrupted).toBe(false);
    expect(result.tasks).toMatchObject([
      { done: 3, failed: 1, orphaned: 0, retried: 1 },
      { done: 1, failed: 0, orphaned: 3 },
    ]);
    expect(result.failures).toMatchObject([{ task: 'first', block: 1, attempt: 2, message: 'toy failure of block 1' }]);
    expect(readFileSync(result.failures[0].logFile, 'utf8')).toContain(result.failures[0].stack);
    expect(readRunStatus(place.run)).toMatchObject({
      state: 'incomplete',
      tasks: [
        { name: 'first', done: 3, failed: 1, orphaned: 0 },
        { name: 'second', done: 1, failed: 0, orphaned: 3 },
      ],
    });
    expect(await readFailures(place.run)).toMatchObject([
      { task: 'first', block: 1, message: 'toy failure of block 1' },
    ]);
    expect(journalOf(place.run)).toContainEqual(
      expect.objectContaining({ event: 'block-failed', block: 1, attempt: 2, code: 'ENOSPC', willRetry: false }),
    );

    // mended: the worker's config is no part of the task's identity
    const mended = [{ ...first, until: 0 }, toys[1]];
    const second = await toyRun(place, mended);
    expect(second).toMatchObject({ complete: true, tasks: [{ alreadyDone: 3 }, { alreadyDone: 1 }] });
    expect(await readFailures(place.run)).toEqual([]);
    expect([...computations(place.output).values()].every((count) => count === 1)).toBe(true);
  });

  test('skips what a task says is not to be done, as a state of its own', async () => {
    const toys: Toy[] = [
      { name: 'first', plan: toyPlan([4]), act: 'skip', on: [0, 1, 2] },
      { name: 'second', plan: toyPlan([4], { contextLow: [0], contextHigh: [0] }), act: 'noop' },
    ];
    const result = await toyRun(place, toys);
    expect(result).toMatchObject({ complete: true, tasks: [{ done: 1, skipped: 3 }, { done: 4 }] });
    expect((await toyRun(place, toys)).tasks[0]).toMatchObject({ alreadyDone: 4, skipped: 3 });
    expect(readRunStatus(place.run)?.tasks[0]).toMatchObject({ done: 1, skipped: 3 });
  });

  test('is refused when the plan or the identity of a task changed, and names what', async () => {
    const toy: Toy = { name: 'first', plan: toyPlan([4]), identity: { options: { threshold: 0.5 } } };
    await toyRun(place, [toy]);
    const changed = await rejection(toyRun(place, [{ ...toy, identity: { options: { threshold: 0.6 } } }]));
    expect(codeOf(changed)).toBe('ERR_PLAN_CHANGED');
    expect(messageOf(changed)).toContain('task.options.threshold: was 0.5, is 0.6');
    const larger = await rejection(toyRun(place, [{ ...toy, plan: toyPlan([5]) }]));
    expect(codeOf(larger)).toBe('ERR_PLAN_CHANGED');
    expect(messageOf(larger)).toContain('plan.totalWriteRoi.shape[0]: was 40, is 50');
    // a refusal changes nothing
    expect(readRunStatus(place.run)).toMatchObject({ state: 'complete' });
    expect(await toyRun(place, [toy])).toMatchObject({ complete: true, tasks: [{ alreadyDone: 4 }] });
  });

  test('of other tasks in the same folder shares no done marks', async () => {
    await toyRun(place, [{ name: 'a', plan: toyPlan([3]), act: 'noop' }]);
    const result = await toyRun(place, [
      { name: 'A', plan: toyPlan([3]), act: 'noop' },
      { name: '../tasks/a', plan: toyPlan([3]), act: 'noop' },
    ]);
    expect(result.tasks).toMatchObject([{ alreadyDone: 0 }, { alreadyDone: 0 }]);
    expect(readdirSync(join(place.run, 'tasks')).sort()).toEqual(['%2e.%2ftasks%2fa', 'A', 'a']);
    const twice = toyRun(place, [
      { name: 'b', plan: toyPlan([3]) },
      { name: 'b', plan: toyPlan([3]) },
    ]);
    expect(codeOf(await rejection(twice))).toBe('ERR_CONFIG');
  });

  test('is stopped in order by its signal, and goes on later', async () => {
    const toys = toyChain([3, 3, 3], 20);
    const abort = new AbortController();
    let done = 0;
    const onEvent = (event: RunEvent) => {
      if (event.type === 'block-done' && ++done === 9) abort.abort();
    };
    const result = await toyRun(place, toys, { onEvent, signal: abort.signal });
    expect(result).toMatchObject({ complete: false, interrupted: true, failures: [] });
    const before = result.tasks.reduce((sum, task) => sum + task.done, 0);
    // those that ran were let finish
    expect([...computations(place.output).values()].reduce((a, b) => a + b, 0)).toBe(before);
    expect(before).toBeLessThan(54);
    expect(readRunStatus(place.run)).toMatchObject({ state: 'interrupted', owner: undefined });
    expect(journalOf(place.run).filter(({ event }) => event === 'block-lost')).toEqual([]);

    const second = await toyRun(place, toys);
    expect(second.complete).toBe(true);
    expect(second.tasks.reduce((sum, task) => sum + task.alreadyDone, 0)).toBe(before);
    expect(new Set(computations(place.output).values())).toEqual(new Set([1]));
  });

  test('gives up blocks that do not end within the grace time, or at once when killed', async () => {
    const toys: Toy[] = [{ name: 'first', plan: toyPlan([4]), act: 'hang', on: [0] }];
    // were the grace time not over, or not waived, the run would not end before the block does
    for (const [how, graceSeconds] of [
      ['signal', 0.1],
      ['killSignal', 3600],
    ] as const) {
      place.remove();
      place = toyFolder();
      const abort = new AbortController();
      let done = 0;
      const onEvent = (event: RunEvent) => {
        if (event.type === 'block-done') done++;
      };
      const running = toyRun(place, toys, { onEvent, [how]: abort.signal, graceSeconds, workers: 3 });
      const log = join(place.run, 'tasks/first/logs/block-0.log');
      await until('the first block hangs and the others are done', () => existsSync(log) && done === 3);
      abort.abort();
      expect(await running).toMatchObject({ complete: false, interrupted: true, tasks: [{ done: 3, failed: 0 }] });
    }
    const stopped = AbortSignal.abort();
    expect(await toyRun(place, toys, { signal: stopped })).toMatchObject({
      interrupted: true,
      tasks: [{ alreadyDone: 3 }],
    });
  });

  test('lets blocks call services in the coordinator', async () => {
    const asked: string[] = [];
    const toy: Service = {
      echo: async ({ task, block, attempt }, header, payload) => {
        asked.push(`${task} ${block} ${attempt}`);
        return { header, payload };
      },
      async *count(_request, header) {
        for (let i = 1; i <= (header as { to: number }).to; i++) yield { header: i };
      },
    };
    const toys: Toy[] = [{ name: 'first', plan: toyPlan([4]), act: 'call' }];
    const result = await toyRun(place, toys, { services: { toy } });
    expect(result.failures).toEqual([]);
    expect(result.complete).toBe(true);
    expect(asked.sort()).toEqual(['first 0 1', 'first 1 1', 'first 2 1', 'first 3 1']);
    const without = await toyRun(place, [{ ...toys[0], name: 'second', maxRetries: 0 }]);
    expect(without.failures[0].message).toBe('no service toy.echo');
  });

  test('obeys resources', async () => {
    let running = 0;
    let most = 0;
    let second: () => void = () => undefined;
    const secondBegan = new Promise<void>((resolve) => {
      second = resolve;
    });
    const toys: Toy[] = [{ name: 'first', plan: toyPlan([8]), milliseconds: 5, resources: { gpu: 1 } }];
    const toy = { ...toys[0], act: 'call' as const };
    const services = {
      toy: {
        echo: async (_request: unknown, header: unknown, payload: Uint8Array) => {
          most = Math.max(most, ++running);
          if (running === 2) second();
          await secondBegan;
          // time for a third to come, if it is let
          await new Promise((resolve) => setTimeout(resolve, 20));
          running--;
          return { header, payload };
        },
        async *count() {
          for (let i = 1; i <= 5; i++) yield { header: i };
        },
      },
    };
    expect((await toyRun(place, [toy], { services, workers: 4, resources: { gpu: 2 } })).complete).toBe(true);
    expect(most).toBe(2);
    expect(codeOf(await rejection(toyRun(place, [{ ...toy, name: 'x' }], { resources: {} })))).toBe('ERR_PLAN');
  });

  test('refuses a folder where another run is at work', async () => {
    const toys = toyChain([2, 2, 2], 20);
    const first = toyRun(place, toys);
    const second = await rejection(toyRun(place, toys));
    expect(codeOf(second)).toBe('ERR_RUN_LOCKED');
    expect((await first).complete).toBe(true);
  });

  test('keeps its key to its user, also where the path is too long for a socket', async () => {
    const deep = { ...place, run: join(place.folder, 'd'.repeat(60), 'e'.repeat(60), 'toy.run') };
    let folderOfSocket = '';
    const onEvent = (event: RunEvent) => {
      if (event.type !== 'block-done' || folderOfSocket !== '') return;
      const control = join(deep.run, 'control');
      expect(statSync(control).mode & 0o777).toBe(0o700);
      expect(statSync(join(control, 'key')).mode & 0o777).toBe(0o600);
      const { socket } = JSON.parse(readFileSync(join(control, 'address.json'), 'utf8')) as { socket: string };
      expect(Buffer.byteLength(socket)).toBeLessThan(104);
      folderOfSocket = dirname(socket);
      expect(folderOfSocket.startsWith(deep.run)).toBe(false);
      expect(statSync(folderOfSocket).mode & 0o777).toBe(0o700);
      const key = readFileSync(join(control, 'key'), 'utf8').trim();
      for (const pid of processesOf(deep.run)) {
        for (const what of ['cmdline', 'environ'])
          expect(readFileSync(`/proc/${pid}/${what}`, 'utf8')).not.toContain(key);
      }
    };
    expect((await toyRun(deep, toyChain([2, 2, 1]), { onEvent })).complete).toBe(true);
    expect(existsSync(folderOfSocket)).toBe(false);
    expect(leftovers(deep.run)).toEqual([]);
  });
});
