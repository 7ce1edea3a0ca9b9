import { describe, expect, test } from '@jest/globals';
import { chainText, runReportText } from '../../lib/cli/live-explain-text.js';
import { liveStatusText, workersLine } from '../../lib/cli/live-status-text.js';
import type { BlockReport } from '../../lib/coordinator/explain-schedule.js';
import type { LiveStatus, LiveTask, LiveWorker } from '../../lib/coordinator/run-report.js';

const task = (name: string, counts: Partial<LiveTask> = {}): LiveTask => ({
  name,
  total: 1000,
  waiting: 0,
  ready: 0,
  running: 0,
  done: 0,
  skipped: 0,
  failed: 0,
  orphaned: 0,
  unwanted: 0,
  masked: 0,
  retried: 0,
  ...counts,
});
const worker = (id: string, more: Partial<LiveWorker> = {}): LiveWorker => ({
  id,
  executor: 'local',
  description: 'process 7',
  host: 'node1',
  state: 'idle',
  seconds: 3,
  leases: 0,
  ...more,
});
const status = (more: Partial<LiveStatus> = {}): LiveStatus => ({
  epoch: 1,
  host: 'head',
  pid: 5,
  seconds: 100,
  stopping: false,
  tasks: [task('fill', { ready: 1000 })],
  workers: [],
  workersUnlisted: 0,
  pauses: [],
  resources: [{ name: 'gpu', capacity: 2, used: 2 }],
  events: [],
  ...more,
});
const block = (of: string, index: number, state: BlockReport['state'], more: Partial<BlockReport> = {}) => {
  const none = { attempts: 0, failures: 0, losses: 0, waitsFor: [], held: [] };
  return { task: of, block: index, state, ...none, ...more };
};

describe('why a run is idle', () => {
  const report = (more: Partial<LiveStatus>, rest: object = {}) =>
    runReportText('r.run', { status: status(more), chains: [], lacking: [], ...rest }, () => ['cannot load', 'bye']);

  test('resources that are in use, and by whom', () => {
    const holders = [
      { task: 'fill', block: 3 },
      { task: 'net', block: 9 },
    ];
    const workers = [worker('1.0'), worker('1.1', { state: 'working', task: 'fill', block: 3, attempt: 1 })];
    const text = report({ workers, idleReason: 'resource gpu' }, { lacking: [{ task: 'fill', name: 'gpu', holders }] });
    expect(text).toBe(
      'r.run: running, 2 workers: 1 idle, 1 working, all of resource gpu in use\n' +
        'Blocks of fill could run, but resource gpu is in use (2 of 2), by block 3 of fill, block 9 of net.',
    );
  });

  test('workers that do not start, wait in a queue, or are about to be started again', () => {
    const ended = { type: 'worker-end', worker: '1.4', reason: 'exit status 1', expected: false } as const;
    const text = report({
      workers: [worker('1.5', { state: 'starting', seconds: 40 })],
      pauses: [
        { executor: 'local', seconds: 8 },
        { executor: 'local', seconds: 4 },
      ],
      queued: { workers: 3, reason: 'Priority' },
      events: [{ secondsAgo: 2, event: ended }],
    });
    expect(text.split('\n')).toEqual([
      'r.run: running, 1 worker: 1 starting, 3 in the queue (Priority), 2 places paused before another start',
      'In the queue of the cluster: Priority.',
      '1 worker started and did not ask for a block yet, for up to 40 s.',
      '2 places of workers paused, as the last ones ended without a result; the next start in 4.0 s.',
      '  the last: worker 1.4 ended: exit status 1',
      '    cannot load',
      '    bye',
      '1,000 blocks could run and wait for a worker that is free.',
    ]);
  });

  test('dependencies, down to the block at work', () => {
    const waitsFor = [{ task: 'fill', needed: 2, missing: 1, first: [{ block: 4, state: 'running' as const }] }];
    const place = { id: '1.0', host: 'node1', description: 'process 7' };
    const chain = [
      block('copy', 1, 'waiting', { waitsFor }),
      block('fill', 4, 'running', { attempts: 2, worker: place, seconds: 12 }),
    ];
    const text = report(
      { tasks: [task('fill'), task('copy', { waiting: 1 })], workers: [worker('1.1')], idleReason: 'dependencies' },
      { chains: [chain] },
    );
    expect(text.split('\n')).toEqual([
      'r.run: running, 1 worker: 1 idle, no other block can start before one that runs ends',
      '1 block of copy waits; of these the first:',
      '  block 1 of copy: waiting',
      '    1 of the 2 blocks of fill that it needs not done: 4 (running)',
      '  block 4 of fill: running, attempt 2 on worker 1.0 (process 7 on node1) for 12 s',
    ]);
  });
});

test('a block that is ready may wait for a resource, a limit, or in vain; a revived one for those behind it', () => {
  const text = (more: Partial<BlockReport>, rest: Partial<LiveStatus> = {}) =>
    chainText([block('fill', 3, 'ready', more)], status(rest), () => []);
  expect(text({ resource: { name: 'gpu', holders: [] } })).toContain(
    '\n  It could run, but resource gpu is in use (2 of 2).',
  );
  expect(text({ limit: 1 })).toContain('\n  It could run, but no more than 1 block of fill may at once.');
  expect(text({}, { stopping: true })).toContain('\n  It could run, but the run is stopping: no other block begins.');
  const revived = block('fill', 3, 'waiting', { held: [8, 9] });
  expect(chainText([revived], status(), () => [])).toBe(
    'block 3 of fill: waiting, revived\n  it was revived while blocks behind it ran, and waits for their ends: 8, 9',
  );
});

test('long chains are shown at both ends', () => {
  const chain = Array.from({ length: 40 }, (_, i) => block('fill', i, 'waiting'));
  const lines = chainText(chain, status(), () => []).split('\n');
  expect(lines).toHaveLength(17);
  expect(lines[8]).toBe('... 24 blocks in between ...');
  expect(lines.at(-1)).toBe('block 39 of fill: waiting');
});

test('a million blocks on many workers fit a terminal of 80 columns, and no text moves the cursor', () => {
  const tasks = ['fragments', 'edges'].map((name) =>
    task(name, {
      total: 1_234_567,
      done: 345_678,
      running: 64,
      ready: 123_456,
      waiting: 765_369,
      rate: 82,
      secondsLeft: 1e4,
    }),
  );
  const workers = Array.from({ length: 64 }, (_, i) =>
    worker(`1.${i}`, { state: 'working', task: 'fragments', block: 345_000 + i, attempt: 2 }),
  );
  const lost = { type: 'block-lost', task: 'edges', block: 1, attempt: 1, worker: '1.2', willRetry: true } as const;
  const events = [{ secondsAgo: 70, event: { ...lost, reason: 'gone\u001b[2J\nsecond line' } }];
  const lines = liveStatusText('r.run', status({ tasks, workers, events, workersUnlisted: 10 })).split('\n');
  for (const line of lines.slice(0, lines.indexOf('lately:'))) expect(line.length).toBeLessThanOrEqual(80);
  expect(lines).toContain('  and 62 more workers');
  expect(lines.at(-1)).toBe('  1 min 10 s ago  edges block 1 lost its worker (attempt 1, will be retried): gone');
  expect(workersLine(status())).toBe('0 workers');
});
