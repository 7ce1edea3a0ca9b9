import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { ProxyExecutor } from '../support/network-executor.js';
import { processesOf, until } from '../support/processes.js';
import { seededRandom } from '../support/seeded-random.js';
import { computations, journalOf, outputHash, type Toy, toyChain, toyFolder, toyRun } from '../support/toy-run.js';
import { chaosSeed } from './scale.js';

// fault 8: the network between the coordinator and its workers
let place: ReturnType<typeof toyFolder>;
beforeEach(() => {
  place = toyFolder();
});
afterEach(() => place.remove());

/** The first block waits in its first attempt, the last one until it is told; both are named by files. */
function waitingToys(): Toy[] {
  const [first, second] = toyChain([2, 2]);
  return [
    { ...first, act: 'await', on: [0], until: 1 },
    { ...second, act: 'await', on: [3] },
  ];
}

const entries = (event: string) =>
  existsSync(join(place.run, 'journal.jsonl')) ? journalOf(place.run).filter((entry) => entry.event === event) : [];

async function undisturbed(): Promise<string> {
  const calm = toyFolder();
  try {
    expect((await toyRun(calm, toyChain([2, 2]))).complete).toBe(true);
    return outputHash(calm.output, toyChain([2, 2]));
  } finally {
    calm.remove();
  }
}

/**
 * Cuts the link of the worker that holds the first block, until another has done it; then the first one, which never heard of it,
 * says that it is done.
 */
async function cutAndMend(cut: (workerId: string) => void, mend: () => void): Promise<void> {
  const waiting = join(place.folder, 'waiting-first-0');
  await until('the first block is at work', () => existsSync(waiting));
  const workerId = readFileSync(waiting, 'utf8');
  const alive = () => processesOf(workerId).length > 0;
  cut(workerId);
  await until('it was done by another', () =>
    entries('block-done').some(({ block, task }) => task === 'first' && block === 0),
  );
  expect(alive()).toBe(true);
  mend();
  writeFileSync(join(place.folder, 'open-first-0'), '');
  await until('the late worker has ended', () => !alive());
  writeFileSync(join(place.folder, 'open-second-3'), '');
}

/** What the journal and the outputs must say of it. */
async function expectOneLoss(): Promise<void> {
  const about = { task: 'first', block: 0 };
  const lost = entries('block-lost').filter(({ task, block }) => task === 'first' && block === 0);
  expect(lost).toMatchObject([{ ...about, attempt: 1, reason: 'no sign of life for 2 s' }]);
  const done = entries('block-done');
  expect(done).toHaveLength(8);
  expect(done.filter(({ task, block }) => task === 'first' && block === 0)).toMatchObject([{ ...about, attempt: 2 }]);
  // the first one did compute it, in the end
  expect(computations(place.output).get('first 0')).toBe(2);
  expect(outputHash(place.output, waitingToys())).toBe(await undisturbed());
}

describe('a link', () => {
  test('that lets nothing through for longer than a lease, and later everything', async () => {
    const executor = new ProxyExecutor();
    const together = () => executor.connections.length === 4;
    const running = toyRun(place, waitingToys(), { executor, leaseSeconds: 2 });
    // those of the heartbeats are there, too
    await until('all are connected', together);
    await cutAndMend(
      () => executor.cut(),
      () => executor.mend(),
    );
    expect(await running).toMatchObject({ complete: true });
    await expectOneLoss();
  });

  const seed = chaosSeed(8);
  test(`that is slow and uneven leaves a run as it is (seed ${seed})`, async () => {
    const random = seededRandom(seed);
    const executor = new ProxyExecutor(async (bytes) => {
      await delay(random() < 0.05 ? 200 : 5 + random() * 35);
      return bytes;
    });
    const result = await toyRun(place, toyChain([2, 2]), { executor });
    expect(result).toMatchObject({ complete: true, refusedConnections: 0, tasks: [{ retried: 0 }, { retried: 0 }] });
    expect(outputHash(place.output, toyChain([2, 2]))).toBe(await undisturbed());
  });
});
