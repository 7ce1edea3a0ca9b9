import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { RunEvent } from '../../lib/coordinator/events.js';
import type { Executor, WorkerEnd, WorkerHandle } from '../../lib/coordinator/executor.js';
import { runCoordinator } from '../../lib/coordinator/run.js';
import { codeOf, messageOf } from '../../lib/errors.js';
import { amount, chaosSeed, isLong } from '../chaos/scale.js';
import { processesOf, until } from '../support/processes.js';
import { seededRandom } from '../support/seeded-random.js';
import {
  journalOf,
  outputHash,
  type Toy,
  toyChain,
  toyFolder,
  toyOptions,
  toyPlan,
  toyRun,
} from '../support/toy-run.js';

let place: ReturnType<typeof toyFolder>;
beforeEach(() => {
  place = toyFolder();
});
afterEach(async () => {
  await until('all processes have ended', () => processesOf(place.run).length === 0);
  place.remove();
});

async function undisturbedHash(toys: readonly Toy[]): Promise<string> {
  const other = toyFolder();
  await toyRun(other, toys);
  const hash = outputHash(other.output, toys);
  other.remove();
  return hash;
}

/** How often the journal says that each block is done. */
function timesDone(run: string): number[] {
  const counts = new Map<string, number>();
  for (const { event, task, block } of journalOf(run)) {
    if (event === 'block-done') counts.set(`${task} ${block}`, (counts.get(`${task} ${block}`) ?? 0) + 1);
  }
  return [...counts.values()];
}

function signalIfThere(pid: number, signal: 'SIGKILL' | 'SIGCONT'): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (codeOf(error) !== 'ESRCH') throw error;
  }
}

const pidOf = (event: RunEvent) =>
  event.type === 'worker-start' ? Number(event.description.split(' ')[1]) : undefined;

/** Milliseconds; the long form takes minutes. */
const PATIENCE = amount(120_000, 3_600_000);

describe('workers', () => {
  const seed = chaosSeed(20261122);
  const wanted = amount(20, 200);

  test(
    `killed ${wanted} times at random change nothing (seed ${seed})`,
    async () => {
      const random = seededRandom(seed);
      const toys = toyChain(isLong ? [10, 10, 10] : [4, 4, 4], 15);
      const alive = new Map<string, number>();
      let kills = 0;
      const onEvent = (event: RunEvent) => {
        const pid = pidOf(event);
        if (event.type === 'worker-start' && pid !== undefined) alive.set(event.worker, pid);
        if (event.type === 'worker-end') alive.delete(event.worker);
        if (event.type === 'block-done' && kills < wanted && random() < 0.35) {
          const victim = [...alive.values()][Math.floor(random() * alive.size)];
          if (victim === undefined) return;
          kills++;
          signalIfThere(victim, 'SIGKILL');
        }
      };
      const result = await toyRun(place, toys, { workers: 4, onEvent, maxLosses: wanted, maxRestarts: wanted + 1 });
      expect(kills).toBe(wanted);
      expect(result).toMatchObject({ complete: true, failures: [] });
      expect(outputHash(place.output, toys)).toBe(await undisturbedHash(toys));
      expect(timesDone(place.run)).toEqual(Array(2 * toys[0].plan.count).fill(1));
      expect(journalOf(place.run).filter(({ signal }) => signal === 'SIGKILL').length).toBeGreaterThan(0);
    },
    PATIENCE,
  );

  test('that stand still lose their blocks', async () => {
    const [first, second] = toyChain([3, 3, 2]);
    const toys: Toy[] = [{ ...first, act: 'stand still', on: [5], until: 1 }, second];
    const ends: RunEvent[] = [];
    const onEvent = (event: RunEvent) => {
      if (event.type === 'worker-end') ends.push(event);
    };
    const result = await toyRun(place, toys, { onEvent, leaseSeconds: 1, maxLosses: 20 });
    expect(result).toMatchObject({ complete: true, failures: [] });
    expect(ends).toContainEqual(expect.objectContaining({ reason: 'no sign of life for 1 s', expected: false }));
    expect(outputHash(place.output, toys)).toBe(await undisturbedHash(toyChain([3, 3, 2])));
    expect(timesDone(place.run)).toEqual(Array(36).fill(1));
  });

  test('that compute without end, in JavaScript, are ended at the time limit of the block', async () => {
    const toys: Toy[] = [{ name: 'first', plan: toyPlan([1]), act: 'busy', blockTimeoutSeconds: 1, maxRetries: 0 }];
    const events: RunEvent[] = [];
    const result = await toyRun(place, toys, { onEvent: (event) => events.push(event) });
    // not taken for dead, but ended at the block's own limit
    expect(result.failures).toMatchObject([
      { block: 0, message: expect.stringContaining('longer than its blockTimeout of 1 s') },
    ]);
    expect(events.filter(({ type }) => type === 'block-lost')).toEqual([]);
    expect(journalOf(place.run)).toContainEqual(
      expect.objectContaining({ event: 'block-failed', code: 'ERR_BLOCK_TIMEOUT', willRetry: false }),
    );
  });

  test('that hang in a block are ended at its time limit; the others of the lease are not blamed', async () => {
    // quick blocks first, so that several are leased at once
    const toys: Toy[] = [
      { name: 'first', plan: toyPlan([60]), act: 'hang', on: [50], until: 1, blockTimeoutSeconds: 2 },
      { name: 'second', plan: toyPlan([60]), upstream: ['first'] },
    ];
    const result = await toyRun(place, toys, { workers: 1 });
    expect(result).toMatchObject({ complete: true, failures: [] });
    const failed = journalOf(place.run).filter(({ event }) => event === 'block-failed');
    expect(failed).toMatchObject([{ block: 50, attempt: 1, code: 'ERR_BLOCK_TIMEOUT', willRetry: true }]);
    expect(timesDone(place.run)).toEqual(Array(120).fill(1));
  });

  test.each([
    ['abort', /ended by SIGABRT/],
    ['exit', /exit status 3/],
    ['late', /exit status 1/],
  ] as const)('ended by a block (%s) are replaced, and that block alone fails', async (act, reason) => {
    const toys: Toy[] = [{ name: 'first', plan: toyPlan([12]), act, on: [4] }];
    const result = await toyRun(place, toys, { workers: 2 });
    expect(result).toMatchObject({ complete: false, tasks: [{ done: 11, failed: 1 }] });
    expect(result.failures).toMatchObject([{ block: 4, message: expect.stringMatching(reason) }]);
    expect(readFileSync(result.failures[0].logFile, 'utf8')).toMatch(reason);
    const lost = journalOf(place.run).filter(({ event, block }) => event === 'block-lost' && block === 4);
    expect(lost.length).toBeLessThanOrEqual(4);
    expect(lost.at(-1)).toMatchObject({ willRetry: false });
  });

  test('that end at once are started a limited number of times, and their last words shown', async () => {
    const toys = toyChain([2, 2, 2]);
    let starts = 0;
    const onEvent = (event: RunEvent) => {
      if (event.type === 'worker-start') starts++;
    };
    const options = { workers: 2, onEvent, env: { TOY_EXIT: '7' }, maxRestarts: 3 };
    const error = await toyRun(place, toys, options).catch((thrown: unknown) => thrown);
    expect(codeOf(error)).toBe('ERR_WORKER_START');
    expect(messageOf(error)).toContain('this worker cannot start: no toys');
    expect(messageOf(error)).toContain('exit status 7');
    expect(starts).toBe(6);
  });

  test('whose program is missing are named', async () => {
    const options = toyOptions(place, toyChain([2, 1, 1]), { maxRestarts: 1 });
    const { LocalExecutor } = await import('../../lib/workers/local-executor.js');
    const executor = new LocalExecutor({ command: join(place.folder, 'nothing-here') });
    const error = await runCoordinator({ ...options, executor }).catch((thrown: unknown) => thrown);
    expect(codeOf(error)).toBe('ERR_WORKER_START');
    expect(messageOf(error)).toMatch(/nothing-here.*ENOENT/s);
  });

  test('killed right after printing have their last line in the log, and a resume keeps it', async () => {
    const toys: Toy[] = [{ name: 'first', plan: toyPlan([2]), act: 'print-and-die', on: [1] }];
    const result = await toyRun(place, toys, { workers: 1, maxLosses: 1 });
    expect(result.failures).toMatchObject([{ block: 1 }]);
    const log = join(place.run, 'logs', `worker-${result.failures[0].workerId}.log`);
    expect(readFileSync(log, 'utf8')).toBe('last words of block 1\n');
    const logs = readdirSync(join(place.run, 'logs'));
    const again = await toyRun(place, [{ ...toys[0], until: 0 }]);
    expect(again.complete).toBe(true);
    expect(readFileSync(log, 'utf8')).toBe('last words of block 1\n');
    expect(readdirSync(join(place.run, 'logs')).length).toBeGreaterThan(logs.length);
  });

  test('declared dead that live on can change nothing', async () => {
    const toys: Toy[] = [{ name: 'first', plan: toyPlan([40]), act: 'stand still', on: [20], until: 1 }];
    const options = toyOptions(place, toys, { leaseSeconds: 1, workers: 2, maxLosses: 20 });
    const zombies: number[] = [];
    // a node that is reported down while its processes stand still, unreachable
    const executor: Executor = {
      name: 'unreliable',
      start(request) {
        const real = options.executor.start(request);
        let declare: (end: WorkerEnd) => void = () => undefined;
        const declared = new Promise<WorkerEnd>((resolve) => {
          declare = resolve;
        });
        const handle: WorkerHandle = {
          description: real.description,
          ended: Promise.race([real.ended, declared]),
          kill: () => {
            zombies.push(Number(real.description.split(' ')[1]));
            declare({ status: null, signal: 'NODE_FAIL', lastLines: '' });
          },
        };
        return handle;
      },
    };
    // they wake up while their blocks are computed again
    const onEvent = (event: RunEvent) => {
      if (event.type === 'block-lost') for (const pid of zombies) signalIfThere(pid, 'SIGCONT');
    };
    const result = await runCoordinator({ ...options, executor, onEvent });
    expect(result).toMatchObject({ complete: true, failures: [] });
    expect(result.tasks[0].retried).toBeGreaterThan(0);
    expect(zombies.length).toBeGreaterThan(0);
    expect(timesDone(place.run)).toEqual(Array(40).fill(1));
    await until('the zombie has ended, too', () => processesOf(place.run).length === 0);
    expect(outputHash(place.output, toys)).toBe(await undisturbedHash([{ name: 'first', plan: toyPlan([40]) }]));
  });
});
