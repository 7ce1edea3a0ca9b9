import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { createProgress, type ProgressOptions } from '../../lib/cli/progress.js';
import { shownTasks, taskLine } from '../../lib/cli/progress-bars.js';
import { idleText, RunFigures } from '../../lib/cli/run-figures.js';
import type { RunEvent, TaskCounts } from '../../lib/coordinator/events.js';

const counts = (name: string, total: number, more: Partial<TaskCounts> = {}): TaskCounts => ({
  ...{
    name,
    total,
    waiting: 0,
    ready: 0,
    running: 0,
    done: 0,
    skipped: 0,
    failed: 0,
    orphaned: 0,
    unwanted: 0,
    masked: 0,
  },
  ...more,
});
const block = (task: string, index = 0) => ({ task, block: index, attempt: 1, worker: '0' });
const done = (task: string): RunEvent => ({ type: 'block-done', seconds: 1, ...block(task) });
const skipped = (task: string): RunEvent => ({ type: 'block-skipped', seconds: 0, ...block(task) });
const failed = (task: string, willRetry: boolean, message = 'no luck', index = 7): RunEvent => ({
  type: 'block-failed',
  ...block(task, index),
  message,
  willRetry,
});
const start: RunEvent = {
  type: 'run-start',
  epoch: 1,
  tasks: [counts('fragments', 2000, { done: 90, skipped: 10 }), counts('edges', 3)],
};
const taskStart = (name: string): RunEvent => ({ type: 'task-start', task: name, counts: counts(name, 0) });
const worker = (name: string): RunEvent => ({ type: 'worker-start', worker: name, description: 'process 1' });

let time = 0;
const now = () => time;

/** Lets the clock and the timers go on. */
function pass(milliseconds: number): void {
  for (let step = 0; step < milliseconds; step += 100) {
    time += 100;
    jest.advanceTimersByTime(100);
  }
}

beforeEach(() => {
  time = 0;
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

function feed(figures: { apply(event: RunEvent): void }, ...events: RunEvent[]): void {
  for (const event of events) figures.apply(event);
}

describe('figures of a run', () => {
  test('count every end of a block, once', () => {
    const figures = new RunFigures(now);
    feed(figures, start, taskStart('fragments'), done('fragments'), done('fragments'), skipped('fragments'));
    feed(figures, failed('fragments', true), failed('fragments', false), done('nowhere'));
    feed(figures, { type: 'block-lost', ...block('fragments'), reason: 'killed', willRetry: true });
    feed(figures, { type: 'block-lost', ...block('fragments'), reason: 'killed', willRetry: false });
    expect(figures.tasks()[0]).toMatchObject({
      ...{ name: 'fragments', total: 2000, alreadyDone: 100, done: 92, skipped: 11, failed: 2, retried: 2 },
      ...{ orphaned: 0, finished: 105, started: true },
    });
    expect(figures.tasks()[1]).toMatchObject({ name: 'edges', started: false, finished: 0 });
    expect(figures.tasks()[1].rate).toBeUndefined();
    const tasks = [counts('fragments', 2000, { done: 1998, failed: 2 }), counts('edges', 3, { orphaned: 3 })];
    feed(figures, { type: 'run-end', state: 'incomplete', tasks });
    expect(figures.tasks()[1]).toMatchObject({ orphaned: 3, finished: 3 });
    expect(figures.state).toBe('incomplete');
  });

  test('rate and time left follow the last half minute, and leave out what was done before', () => {
    const figures = new RunFigures(now);
    feed(figures, start, taskStart('fragments'));
    expect(figures.tasks()[0].rate).toBeUndefined();
    const run = (seconds: number, blocksASecond: number) => {
      for (let second = 0; second < seconds; second++) {
        time += 1000;
        for (let i = 0; i < blocksASecond; i++) figures.apply(done('fragments'));
        figures.tasks();
      }
    };
    run(10, 5);
    expect(figures.tasks()[0].rate).toBeCloseTo(5, 5);
    expect(figures.tasks()[0].secondsLeft).toBeCloseTo((2000 - 150) / 5, 5);
    run(60, 20);
    expect(figures.tasks()[0].rate).toBeCloseTo(20, 5);
    run(10, 0);
    expect(figures.tasks()[0].rate).toBeCloseTo((20 * 20) / 30, 0);
    run(60, 0);
    expect(figures.tasks()[0].rate).toBe(0);
    expect(figures.tasks()[0].secondsLeft).toBeUndefined();
  });

  test('say why workers wait, until a block ends', () => {
    const figures = new RunFigures(now);
    feed(figures, start, worker('0'), worker('1'), taskStart('fragments'), { type: 'idle', workers: 1 });
    expect(idleText(figures)).toBe('1 of 2 workers idle: no other block can start before one that runs ends');
    feed(figures, done('fragments'));
    expect(idleText(figures)).toBeUndefined();
    feed(figures, { type: 'idle', workers: 2, reason: 'resource gpu' } as RunEvent);
    expect(idleText(figures)).toBe('2 of 2 workers idle: all of resource gpu is in use');
    feed(figures, { type: 'worker-end', worker: '1', reason: 'exit', expected: true });
    expect(idleText(figures)).toBe('1 of 1 workers idle: all of resource gpu is in use');
  });
});

class FakeStream {
  text = '';
  columns = 80;
  rows = 24;
  constructor(readonly isTTY: boolean) {}
  write(text: string): boolean {
    this.text += text;
    return true;
  }
}

function show(isTTY: boolean, options: ProgressOptions = {}) {
  const stream = new FakeStream(isTTY);
  const progress = createProgress(stream, { now, terminal: 'xterm', ...options });
  return { stream, progress, feed: (...events: RunEvent[]) => events.forEach((event) => void progress.onEvent(event)) };
}

describe('plain lines', () => {
  test('tell how far the record of earlier runs is read', () => {
    const { stream, progress, feed: tell } = show(false);
    tell({ type: 'reading-record', task: 'fragments', blocks: 1_048_576, total: 4_500_000 });
    progress.stop();
    expect(stream.text).toBe('[00:00:00] fragments: 1,048,576 of 4,500,000 blocks of earlier runs read\n');
  });

  test('tell beginnings, ends, troubles, and the state every five seconds', () => {
    const { stream, progress, feed: tell } = show(false);
    tell(start, worker('0'), taskStart('fragments'));
    pass(2000);
    for (let i = 0; i < 60; i++) tell(done('fragments'));
    tell(failed('fragments', true, 'chunk c/0/1: short\nstack'), failed('fragments', false, 'again'));
    pass(3000);
    tell(taskStart('edges'), done('edges'), skipped('edges'), failed('edges', false, 'bad', 2));
    pass(10_000);
    tell({ type: 'worker-end', worker: '0', reason: 'killed by SIGKILL', expected: false });
    progress.stop();
    tell(done('fragments'));
    pass(10_000);
    expect(stream.text.split('\n')).toEqual([
      '[00:00:00] fragments 2,000 blocks (100 already done); edges 3 blocks',
      '[00:00:00] fragments: begins',
      '[00:00:02] fragments block 7 failed (attempt 1, will be retried): chunk c/0/1: short',
      '[00:00:02] fragments block 7 failed (attempt 1, gave up): again',
      '[00:00:05] fragments 160/2,000 (8 %), 12/s, 2 min 31 s left, 1 failed, 1 retried',
      '[00:00:05] edges: begins',
      '[00:00:05] edges block 2 failed (attempt 1, gave up): bad',
      '[00:00:05] edges: ends, 1 done, 1 skipped, 1 failed',
      '[00:00:10] fragments 160/2,000 (8 %), 6.1/s, 5 min 01 s left, 1 failed, 1 retried',
      '[00:00:15] fragments 160/2,000 (8 %), 4.1/s, 7 min 32 s left, 1 failed, 1 retried',
      '[00:00:15] worker 0 ended: killed by SIGKILL',
      '[00:00:15] fragments: stops at 160/2,000 (8 %), 4.1/s, 7 min 32 s left, 1 failed, 1 retried',
      '',
    ]);
  });

  test('a run that fails everywhere stays readable', () => {
    const { stream, progress, feed: tell } = show(false);
    tell(start, taskStart('fragments'));
    for (let i = 0; i < 500; i++) tell(failed('fragments', true, `\u001b[2Jno ${i}`));
    progress.stop();
    const lines = stream.text.split('\n');
    expect(lines.length).toBeLessThan(18);
    expect(lines).toContain('[00:00:00] and 490 more notices of this kind');
    expect(stream.text).not.toMatch(/[^\n\P{Cc}]/u);
  });

  test('are what a dumb terminal gets', () => {
    const { stream, feed: tell, progress } = show(true, { terminal: 'dumb' });
    tell(start);
    progress.stop();
    expect(stream.text).toBe('[00:00:00] fragments 2,000 blocks (100 already done); edges 3 blocks\n');
  });
});

describe('JSON lines', () => {
  test('each line is an object; done blocks come as counts', () => {
    const { stream, progress, feed: tell } = show(true, { json: true });
    tell(start, taskStart('fragments'));
    for (let i = 0; i < 1000; i++) tell(done('fragments'));
    tell(failed('fragments', false, 'line\nline'));
    pass(3000);
    tell(done('fragments'), { type: 'run-end', state: 'interrupted', tasks: [] });
    progress.stop();
    const lines = stream.text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.map(({ type }) => type)).toEqual([
      'run-start',
      'task-start',
      'block-failed',
      'progress',
      'progress',
      'run-end',
    ]);
    expect(lines[3].tasks[0]).toMatchObject({ name: 'fragments', done: 1090, failed: 1 });
    expect(lines[4].tasks[0]).toMatchObject({ done: 1091 });
    expect(lines[5].state).toBe('interrupted');
    for (const line of lines) expect(Date.parse(line.time)).not.toBeNaN();
  });
});

describe('bars', () => {
  const figures = () => {
    const run = new RunFigures(now);
    feed(run, start, taskStart('fragments'));
    time += 10_000;
    for (let i = 0; i < 900; i++) run.apply(done('fragments'));
    feed(run, failed('fragments', false), failed('fragments', true));
    return run.tasks();
  };

  test('line up, and give way in a narrow terminal', () => {
    const tasks = figures();
    expect([0, 1].map((index) => taskLine(tasks, index, 90))).toEqual([
      'fragments ███████████████░░░░░░░░░░░░░░░ 1,000/2,000 90/s, 11 s left, 1 failed, 1 retried',
      'edges     ░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░         0/3 waits',
    ]);
    expect(taskLine(tasks, 0, 70)).toBe('fragments █████░░░░░ 1,000/2,000 90/s, 11 s left, 1 failed, 1 retried');
    expect(taskLine(tasks, 0, 40)).toBe('fragments 1,000/2,000 90/s, 11 s left, …');
    expect(taskLine(tasks, 1, 40)).toBe('edges             0/3 waits');
  });

  test('show what is done, not what will never be', () => {
    const run = new RunFigures(now);
    feed(run, start, { type: 'run-end', state: 'incomplete', tasks: [counts('edges', 3, { orphaned: 2, done: 1 })] });
    expect(taskLine(run.tasks(), 1, 60)).toMatch(/^edges {5}█+░+ {9}1\/3 2 orphaned$/);
  });

  test('of many tasks show those at work', () => {
    const run = new RunFigures(now);
    const tasks = Array.from({ length: 9 }, (_, i) => counts(`t${i}`, 2, { done: i < 5 ? 2 : 0 }));
    feed(run, { type: 'run-start', epoch: 1, tasks }, taskStart('t5'));
    expect(shownTasks(run.tasks(), 3).map(({ name }) => name)).toEqual(['t5', 't6', 't7']);
    expect(shownTasks(run.tasks(), 6).map(({ name }) => name)).toEqual(['t3', 't4', 't5', 't6', 't7', 't8']);
    expect(shownTasks(run.tasks(), 9).length).toBe(9);
  });

  test('are drawn in place, with troubles above, and the cursor comes back', () => {
    const { stream, progress, feed: tell } = show(true);
    tell(start, worker('0'), taskStart('fragments'));
    pass(1000);
    const before = stream.text.length;
    expect(stream.text).toContain('\u001b[?25l');
    tell(failed('fragments', true, '\u001b]0;title\u0007 boom \u001b[2J'));
    pass(1000);
    const drawn = stream.text.slice(before);
    expect(drawn).toContain('fragments block 7 failed (attempt 1, will be retried):  ]0;title  boom\u001b[K\n');
    expect(drawn).toContain('1 worker');
    expect(drawn).not.toContain('\u0007');
    expect(drawn).not.toContain('\u001b[2J');
    progress.stop();
    expect(stream.text.endsWith('\n')).toBe(true);
    expect(stream.text.lastIndexOf('\u001b[?25h')).toBeGreaterThan(stream.text.lastIndexOf('\u001b[?25l'));
    const length = stream.text.length;
    progress.stop();
    tell(start, done('fragments'));
    pass(1000);
    expect(stream.text.length).toBe(length);
  });
});
