import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { RunResult } from '../../lib/coordinator/run.js';
import { messageOf } from '../../lib/errors.js';
import { ProxyExecutor } from '../support/network-executor.js';
import { NetworkNamespaces, within } from '../support/network-namespaces.js';
import { processesOf, until } from '../support/processes.js';
import { seededRandom } from '../support/seeded-random.js';
import type { ToyCoordinator } from '../support/toy-coordinator.js';
import { computations, journalOf, outputHash, type Toy, toyChain, toyFolder, toyRun } from '../support/toy-run.js';
import { chaosSeed } from './scale.js';

// fault 8: the network between the coordinator and its workers
let place: ReturnType<typeof toyFolder>;
beforeEach(() => {
  place = toyFolder();
});
afterEach(() => place.remove());

/** The first block waits in its first attempt, the last one until it is told; both are named by files. */
const differences = [
  { act: 'await', on: [0], until: 1 },
  { act: 'await', on: [3] },
] as const;
const waitingToys = () => toyChain([2, 2]).map((toy, i): Toy => ({ ...toy, ...differences[i] }));

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
async function cutAndMend(folder: string, cut: (workerId: string) => void, mend: () => void): Promise<void> {
  const waiting = join(place.folder, 'waiting-first-0');
  await until('the first block is at work', () => existsSync(waiting));
  const workerId = readFileSync(waiting, 'utf8');
  const alive = () => processesOf(folder, workerId).length > 0;
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
      `${place.run}.proxy`,
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

/** The namespaces, or why there are none here. */
function namespaces(): NetworkNamespaces | string {
  try {
    return new NetworkNamespaces();
  } catch (error) {
    return `no network namespaces here: ${messageOf(error).trim().split('\n').at(-1)}`;
  }
}

describe('between network namespaces', () => {
  let hosts: NetworkNamespaces | string = '';
  let child: ChildProcess | undefined;
  beforeEach(() => {
    hosts = namespaces();
    if (typeof hosts === 'string') console.log(`fault 8: skipped: ${hosts}`);
  });
  afterEach(() => {
    child?.kill('SIGKILL');
    if (typeof hosts !== 'string') hosts.remove();
  });

  /** Runs toys, the coordinator on a host of its own. */
  function begin(hosts: NetworkNamespaces, options: Partial<ToyCoordinator>): Promise<RunResult> {
    const script = join(import.meta.dirname, '..', 'support', 'toy-coordinator.js');
    const names = { names: hosts.workers, cut: join(place.folder, 'cut') };
    const json = JSON.stringify({ shape: [2, 2], milliseconds: 0, namespaces: names, ...options });
    const command = [...within(hosts.coordinator), process.execPath, script, place.run, place.output, json];
    const coordinator = spawn('nsenter', command, { stdio: ['ignore', 'pipe', 'inherit'] });
    child = coordinator;
    let told = '';
    coordinator.stdout.on('data', (text) => {
      told += text;
    });
    return once(coordinator, 'exit').then(() => JSON.parse(told) as RunResult);
  }

  /** TCP connections that the coordinator has. */
  const connections = () => {
    const lines = readFileSync(`/proc/${child?.pid}/net/tcp`, 'utf8').split('\n');
    // both ends of a link are in namespaces of their own: each connection is there once
    return lines.filter((line) => line.split(/\s+/)[4] === '01').length;
  };

  test('a link is cut for longer than a lease, and mended', async () => {
    if (typeof hosts === 'string') return;
    const far = hosts;
    const running = begin(far, { leaseSeconds: 2, differences });
    await until('three workers and their heartbeats are connected', () => connections() === 6);
    // workers are on one and the other host in turn
    let host = 0;
    const cut = (workerId: string) => {
      host = Number(workerId.split('.')[1]) % 2;
      writeFileSync(join(place.folder, 'cut'), '');
      far.cut(host);
    };
    await cutAndMend(place.run, cut, () => far.mend(host));
    expect(await running).toMatchObject({ complete: true });
    await expectOneLoss();
  });

  test('a slow link that loses packets leaves a run as it is', async () => {
    if (typeof hosts === 'string') return;
    try {
      hosts.slow();
    } catch (error) {
      console.log(`fault 8: skipped: no slow links here: ${messageOf(error).trim().split('\n').at(-1)}`);
      return;
    }
    const result = await begin(hosts, {});
    expect(result).toMatchObject({ complete: true, refusedConnections: 0, tasks: [{ retried: 0 }, { retried: 0 }] });
    expect(outputHash(place.output, toyChain([2, 2]))).toBe(await undisturbed());
  });
});
