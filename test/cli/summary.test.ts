import { expect, test } from '@jest/globals';
import { summaryText } from '../../lib/cli/summary.js';
import type { RunResult, TaskResult } from '../../lib/coordinator/run.js';

const task = (name: string, more: Partial<TaskResult>): TaskResult => ({
  ...{ name, total: 0, done: 0, skipped: 0, failed: 0, orphaned: 0, unwanted: 0, alreadyDone: 0, seconds: 0 },
  ...{ attempts: 0, retried: 0, errors: 0, lost: 0, givenBack: 0 },
  ...more,
});
const failure = (name: string, block: number, message: string, attempt = 3) => ({
  ...{ task: name, block, attempt, message, stack: '', workerId: '0' },
  logFile: `/data/a.run/logs/${name}/${block}.log`,
});
const result = (more: Partial<RunResult>): RunResult => ({
  ...{ tasks: [], seconds: 12, complete: false, interrupted: false, stopReason: undefined },
  ...{ failures: [], refusedConnections: 0 },
  statistics: { seconds: 12, workerSeconds: 0, busySeconds: 0, utilisation: 0, tasks: [] },
  ...more,
});

test('a complete run is a table and a word', () => {
  const tasks = [
    task('fragments', { total: 4096, done: 4090, skipped: 6, alreadyDone: 1200, retried: 2, seconds: 232 }),
    task('lut', { total: 1, done: 1, seconds: 0.42 }),
  ];
  expect(summaryText(result({ tasks, complete: true, seconds: 240 }))).toBe(`\
task       blocks   done  already done  skipped  failed  orphaned  retried        time
fragments   4,096  4,090         1,200        6       0         0        2  3 min 52 s
lut             1      1             0        0       0         0        0       0.4 s

complete: every block is done or skipped (6), in 4 min 00 s
`);
});

test('failures are grouped by their cause, with block, attempt and log', () => {
  const tasks = [
    task('edges', { total: 20, done: 10, failed: 9, orphaned: 1, seconds: 5 }),
    task('lut', { total: 1, orphaned: 1 }),
  ];
  const failures = [
    failure('edges', 4, 'chunk c/0/1: short\n    at stack'),
    ...[5, 6, 7, 8, 1000, 11].map((block) => failure('edges', block, 'no \u001b[31mspace')),
    failure('edges', 14, 'chunk c/0/1: short', 2),
  ];
  expect(summaryText(result({ tasks, failures, refusedConnections: 2 }))).toBe(`\
task   blocks  done  already done  skipped  failed  orphaned  retried   time
edges      20    10             0        0       9         1        0  5.0 s
lut         1     0             0        0       0         1        0      -

edges: chunk c/0/1: short
  block   4  attempt 3  /data/a.run/logs/edges/4.log
  block  14  attempt 2  /data/a.run/logs/edges/14.log

edges: no space
  block   5  attempt 3  /data/a.run/logs/edges/5.log
  block   6  attempt 3  /data/a.run/logs/edges/6.log
  block   7  attempt 3  /data/a.run/logs/edges/7.log
  block   8  attempt 3  /data/a.run/logs/edges/8.log
  block  11  attempt 3  /data/a.run/logs/edges/11.log
  and 1 more block

and 1 more failed block: see 'blockwright failures'

incomplete after 12 s: 9 blocks failed, 2 orphaned (they need one that failed); 2 connections refused that did not know the run's key
`);
});

test('many causes are not all listed', () => {
  const failures = Array.from({ length: 30 }, (_, i) => failure('edges', i, `cause ${i}`));
  const text = summaryText(result({ tasks: [task('edges', { total: 30, failed: 30 })], failures }));
  expect(text).toContain('edges: cause 9\n');
  expect(text).not.toContain('cause 10');
  expect(text).toContain("and failures of 20 other kinds: see 'blockwright failures'\n");
});

test('an interrupted run says how to go on', () => {
  expect(summaryText(result({ interrupted: true }))).toContain(
    'interrupted after 12 s; the same command goes on from here\n',
  );
});
