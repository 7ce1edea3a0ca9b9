import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { RunFolder } from '../../lib/coordinator/run-folder.js';
import { readStatistics } from '../../lib/coordinator/run-statistics.js';
import { journalOf, type Toy, toyFolder, toyPlan, toyRun } from '../support/toy-run.js';

let place: ReturnType<typeof toyFolder>;
beforeEach(() => {
  place = toyFolder();
});
afterEach(() => place.remove());

/** The only chunk of an array of costs. */
function cells(task: string, name: string): number[] {
  const bytes = readFileSync(join(new RunFolder(place.run).costs(task), name, 'c', '0', '0'));
  return name === 'attempts' ? [...bytes] : [...new Float32Array(new Uint8Array(bytes).buffer)];
}

test('a run tells what its blocks took, by block, by run and in all; a failed block counts its attempts', async () => {
  const toys: Toy[] = [
    { name: 'slow', plan: toyPlan([2, 2]), milliseconds: 20, act: 'throw', on: [2], maxRetries: 1 },
    { name: 'skips', plan: toyPlan([1, 2]), act: 'skip' },
  ];
  const first = await toyRun(place, toys);
  expect(first.tasks).toMatchObject([{ done: 3, failed: 1 }, { skipped: 2 }]);
  const { statistics } = first;
  expect(statistics.tasks).toMatchObject([
    { name: 'slow', done: 3, skipped: 0, failed: 2, lost: 0, attempts: 5 },
    { name: 'skips', done: 0, skipped: 2, failed: 0, lost: 0, attempts: 2 },
  ]);
  const [slow] = statistics.tasks;
  expect(slow.maxSeconds).toBeGreaterThan(0.018);
  expect(slow.p50).toBeGreaterThan(0.018);
  expect(slow.p99).toBeLessThanOrEqual(slow.maxSeconds);
  expect(slow.slowest.map(({ block }) => block).sort()).toEqual([0, 1, 3]);
  expect(slow.slowest.find(({ block }) => block === 3)).toMatchObject({ roi: { offset: [10, 10], shape: [10, 10] } });
  expect(slow.busySeconds).toBeCloseTo(slow.readSeconds + slow.computeSeconds + slow.writeSeconds, 9);
  expect(statistics.utilisation).toBeGreaterThan(0);
  expect(statistics.utilisation).toBeLessThan(1);
  expect(cells('slow', 'attempts')).toEqual([1, 1, 2, 1]);
  const wall = cells('slow', 'wallSeconds');
  for (const block of [0, 1, 3]) expect(wall[block]).toBeGreaterThan(0.018);
  expect(cells('skips', 'attempts')).toEqual([1, 1]);

  // a second run of the rest adds to the first
  await toyRun(place, [{ ...toys[0], on: [] }, toys[1]]);
  const both = readStatistics(place.run)!;
  expect(both.runs.map(({ state, epoch }) => [state, epoch])).toEqual([
    ['incomplete', 1],
    ['complete', 2],
  ]);
  expect(both.runs[1].tasks[0]).toMatchObject({ done: 1, failed: 0, attempts: 1 });
  expect(both.total).toMatchObject({ runs: 2, tasks: [{ done: 4, failed: 2, attempts: 6 }, { skipped: 2 }] });
  expect(both.total.workerSeconds).toBeCloseTo(both.runs[0].workerSeconds + both.runs[1].workerSeconds, 9);
  expect(cells('slow', 'attempts')).toEqual([1, 1, 3, 1]);

  // a third has nothing to do and adds nothing
  const third = await toyRun(place, [{ ...toys[0], on: [] }, toys[1]]);
  expect(third.statistics.tasks.map(({ attempts }) => attempts)).toEqual([0, 0]);
  expect(readStatistics(place.run)).toEqual(both);
});

test('another plan begins anew; blocks that were lost with their worker are counted', async () => {
  const lost: Toy = { name: 'a', plan: toyPlan([2, 2]), act: 'exit', on: [1], until: 1 };
  await toyRun(place, [lost], { workers: 1 });
  const before = readStatistics(place.run)!.total.tasks[0];
  expect(before.done).toBe(4);
  expect(before.lost).toBeGreaterThanOrEqual(1);
  expect(cells('a', 'attempts')[1]).toBeGreaterThanOrEqual(2);
  expect(cells('a', 'attempts').reduce((sum, count) => sum + count)).toBe(before.attempts);

  // its record is gone, and the plan is another
  const task = dirname(new RunFolder(place.run).costs('a'));
  writeFileSync(join(place.output, 'computed.txt'), '');
  rmSync(join(task, 'done'), { recursive: true });
  await toyRun(place, [{ ...lost, on: [], identity: { other: true } }], { workers: 1 });
  expect(readStatistics(place.run)!.total.tasks[0]).toMatchObject({ done: 4, lost: 0, attempts: 4 });
  expect(cells('a', 'attempts')).toEqual([1, 1, 1, 1]);
});

test('where costs cannot be written the run goes on, and the journal says so', async () => {
  const toys: Toy[] = [{ name: 'a', plan: toyPlan([2, 2]) }];
  const folder = new RunFolder(place.run);
  folder.create();
  // a file where a folder should be
  const costs = folder.costs('a');
  mkdirSync(dirname(costs), { recursive: true });
  writeFileSync(costs, '');
  const { complete } = await toyRun(place, toys);
  expect(complete).toBe(true);
  expect(journalOf(place.run).filter(({ event }) => event === 'costs-failed')).toHaveLength(1);
  expect(existsSync(folder.statistics)).toBe(false);
  expect(readdirSync(place.run).filter((name) => name.endsWith('.tmp'))).toEqual([]);
});
