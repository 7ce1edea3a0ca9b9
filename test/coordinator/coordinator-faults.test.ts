import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { RunResult } from '../../lib/coordinator/run.js';
import { readRunStatus } from '../../lib/coordinator/run-status.js';
import { processesOf, until } from '../support/processes.js';
import { seededRandom } from '../support/seeded-random.js';
import type { ToyCoordinator } from '../support/toy-coordinator.js';
import { computations, journalOf, outputHash, toyChain, toyFolder, toyRun } from '../support/toy-run.js';

let place: ReturnType<typeof toyFolder>;
let child: ChildProcess | undefined;
beforeEach(() => {
  place = toyFolder();
});
afterEach(async () => {
  if (child?.exitCode === null) child.kill('SIGKILL');
  await until('all processes have ended', () => processesOf(place.run).length === 0);
  place.remove();
});

function start(toy: ToyCoordinator): { child: ChildProcess; output: Promise<string> } {
  const script = join(import.meta.dirname, '../support/toy-coordinator.js');
  child = spawn(process.execPath, [script, place.run, place.output, JSON.stringify(toy)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout!.on('data', (bytes) => {
    text += bytes;
  });
  const { stdout } = child;
  const output = new Promise<string>((resolve) => stdout!.on('close', () => resolve(text)));
  return { child, output };
}

const acknowledged = () =>
  existsSync(join(place.run, 'journal.jsonl'))
    ? journalOf(place.run)
        .filter(({ event }) => event === 'block-done')
        .map(({ task, block }) => `${task} ${block}`)
    : [];

describe('a coordinator', () => {
  const seed = 1122;

  test(`killed 5 times at random and started again ends with the same result (seed ${seed})`, async () => {
    const random = seededRandom(seed);
    const toys = toyChain([3, 3, 3]);
    for (let kill = 0; kill < 5; kill++) {
      // anywhere from its start to some blocks later
      const killed = { blocks: Math.floor(random() * 6), milliseconds: random() * 60 };
      await start({ milliseconds: 30, killed }).output;
      // its workers notice
      await until('the workers have ended', () => processesOf(place.run).length === 0);
      await until('it is seen to be gone', () => (readRunStatus(place.run)?.state ?? 'killed') === 'killed');
      // what was acknowledged is not computed again
      const known = acknowledged();
      expect(new Set(known).size).toBe(known.length);
    }
    const counts = computations(place.output);
    const known = acknowledged();
    expect(known.length).toBeGreaterThan(0);

    const { output } = start({ milliseconds: 1 });
    const result = JSON.parse(await output) as RunResult;
    expect(result).toMatchObject({ complete: true, failures: [] });
    expect(result.tasks[0].alreadyDone + result.tasks[1].alreadyDone).toBeGreaterThanOrEqual(known.length);
    const after = computations(place.output);
    for (const block of known) expect(after.get(block)).toBe(counts.get(block));

    const other = toyFolder();
    await toyRun(other, toys);
    expect(outputHash(place.output, toys)).toBe(outputHash(other.output, toys));
    other.remove();
    const names = readdirSync(place.run).map((name) => name.replace(/^lock\.\d$/, 'lock'));
    expect(names.sort()).toEqual(['journal.jsonl', 'lock', 'logs', 'run.json', 'tasks']);
  });

  test('that was stopped for longer than a lease holds it against nobody', async () => {
    const { child, output } = start({ milliseconds: 60, leaseSeconds: 2 });
    await until('some blocks are done', () => acknowledged().length >= 4);
    await until('all workers are there', () => processesOf(place.run).length === 4);
    child.kill('SIGSTOP');
    await delay(3000);
    expect(processesOf(place.run).length).toBe(4);
    child.kill('SIGCONT');
    expect(JSON.parse(await output)).toMatchObject({ complete: true, tasks: [{ retried: 0 }, { retried: 0 }] });
    const ends = journalOf(place.run).filter(({ event }) => event === 'worker-end');
    expect(ends).toHaveLength(3);
    for (const end of ends) expect(end).toMatchObject({ status: 0 });
  });

  test('that was killed leaves no worker, even one that computes without end', async () => {
    const { child, output } = start({ milliseconds: 0, act: 'busy' });
    await until('one is busy', () => existsSync(join(place.run, 'tasks/first/logs')));
    await until('they are there', () => processesOf(place.run).length === 4);
    child.kill('SIGKILL');
    await output;
    await until('the workers have ended', () => processesOf(place.run).length === 0);
  });

  test('is stopped by a signal of its caller, with all workers', async () => {
    const { child, output } = start({ milliseconds: 60 });
    await until('some blocks are done', () => acknowledged().length >= 4);
    child.kill('SIGINT');
    expect(JSON.parse(await output)).toMatchObject({ complete: false, interrupted: true });
    expect(processesOf(place.run)).toEqual([]);
    expect(readRunStatus(place.run)?.state).toBe('interrupted');
  });
});
