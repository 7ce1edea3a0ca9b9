import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { RunEvent } from '../../lib/coordinator/events.js';
import type { Executor } from '../../lib/coordinator/executor.js';
import { type HostFault, HostWatch } from '../../lib/coordinator/host-watch.js';
import { LocalExecutor } from '../../lib/workers/local-executor.js';
import { processesOf, until } from '../support/processes.js';
import { journalOf, type Toy, toyFolder, toyPlan, toyRun, toyWorker } from '../support/toy-run.js';

const fault = (block: number): HostFault => ({ task: 0, block, what: 'failure' });

describe('a host', () => {
  test('that fails three blocks while three are done elsewhere is excluded, and its faults are given back', () => {
    const watch = new HostWatch();
    watch.succeeded('good');
    for (const block of [1, 1, 2]) expect(watch.failed('bad', fault(block))).toEqual([]);
    expect(watch.suspects('bad')).toBe(false);
    expect(watch.failed('bad', fault(3))).toEqual([]);
    expect(watch.suspects('bad')).toBe(true);
    expect([watch.succeeded('good'), watch.succeeded('good')]).toEqual([[], []]);
    expect(watch.succeeded('good')).toEqual([{ host: 'bad', faults: [1, 1, 2, 3].map(fault) }]);
    expect([...watch.excluded]).toEqual(['bad']);
    expect(watch.suspects('bad')).toBe(false);
  });

  test('is not blamed for blocks that fail everywhere', () => {
    const watch = new HostWatch();
    for (let block = 0; block < 50; block++) {
      for (const host of ['one', 'two']) expect(watch.failed(host, fault(block))).toEqual([]);
    }
    expect(watch.excluded.size).toBe(0);
  });

  test('is not blamed for blocks that failed on most hosts, though others are good then', () => {
    const watch = new HostWatch();
    const hosts = Array.from({ length: 20 }, (_, i) => `host ${i}`);
    for (const host of hosts) watch.meet(host);
    for (let block = 0; block < 3; block++) {
      for (const host of hosts) expect(watch.failed(host, fault(block))).toEqual([]);
    }
    for (let i = 0; i < 100; i++) expect(watch.succeeded('host 1')).toEqual([]);
    // those on which it was noticed first are free of suspicion too
    expect(hosts.filter((host) => watch.suspects(host)).length).toBeLessThanOrEqual(10);
    expect(watch.excluded.size).toBe(0);
  });

  test('that did blocks is given more time, and a success clears it', () => {
    const watch = new HostWatch();
    watch.succeeded('bad');
    for (let block = 0; block < 9; block++) {
      expect(watch.failed('bad', fault(block))).toEqual([]);
      expect(watch.succeeded('good')).toEqual([]);
    }
    watch.succeeded('bad');
    for (let block = 0; block < 9; block++) expect(watch.failed('bad', fault(block))).toEqual([]);
    for (let i = 0; i < 20; i++) expect(watch.succeeded('good')).toEqual([]);
    expect(watch.failed('bad', fault(9))).toMatchObject([{ host: 'bad' }]);
  });
});

describe('a run on two hosts of which one fails every block', () => {
  let place: ReturnType<typeof toyFolder>;
  beforeEach(() => {
    place = toyFolder();
  });
  afterEach(async () => {
    await until('all processes have ended', () => processesOf(place.run).length === 0);
    place.remove();
  });

  test('avoids it, and every block is done', async () => {
    const toys: Toy[] = [{ name: 'first', plan: toyPlan([30]), act: 'bad host', milliseconds: 40 }];
    const on = (host: string) =>
      new LocalExecutor({ command: process.execPath, args: [toyWorker], env: { SLURMD_NODENAME: host } });
    const executors = { good: on('good'), bad: on('bad') };
    let started = 0;
    let excluded: readonly string[] = [];
    const executor: Executor = {
      name: 'two hosts',
      start: (request) => executors[excluded.includes('bad') || started++ % 2 > 0 ? 'good' : 'bad'].start(request),
      excludeHosts: (hosts) => {
        excluded = [...hosts];
      },
    };
    const events: RunEvent[] = [];
    const result = await toyRun(place, toys, { executor, onEvent: (event) => events.push(event) });
    expect(result).toMatchObject({ complete: true, failures: [] });
    expect(excluded).toEqual(['bad']);
    expect(events).toContainEqual({ type: 'host-excluded', host: 'bad', blocks: expect.any(Number) });
    expect(journalOf(place.run)).toContainEqual(
      expect.objectContaining({ event: 'worker-end', reason: 'its host bad is avoided' }),
    );
  });
});
