import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { runCoordinator } from '../../lib/coordinator/run.js';
import type { Service } from '../../lib/coordinator/service-desk.js';
import { fakeExecutor } from '../support/fake-workers.js';
import { journalOf, toyFolder, toyOptions, toyPlan } from '../support/toy-run.js';

let place: ReturnType<typeof toyFolder>;
beforeEach(() => {
  place = toyFolder();
});
afterEach(() => place.remove());

const options = (blocks: number) =>
  toyOptions(place, [{ name: 'first', plan: toyPlan([blocks]) }], { workers: 1, leaseSeconds: 30 });

describe('what a worker may say', () => {
  test('results count once, and only from who holds the block', async () => {
    const executor = fakeExecutor(async (worker) => {
      const [first] = await worker.acquire();
      worker.done(999);
      worker.done(first.lease);
      worker.done(first.lease);
      const [second] = await worker.acquire();
      expect(second).toMatchObject({ block: 1, attempt: 1 });
      worker.done(first.lease);
      worker.done(second.lease, true);
      await worker.next('stop');
    });
    const result = await runCoordinator({ ...options(2), executor });
    expect(result).toMatchObject({ complete: true, tasks: [{ done: 2, retried: 0 }] });
    const journal = journalOf(place.run);
    expect(journal.filter(({ event }) => event === 'block-done')).toHaveLength(2);
    expect(journal.filter(({ event }) => event === 'result-refused').map(({ lease }) => lease)).toEqual([999, 1, 1]);
  });

  test('anything else ends that worker and nothing more', async () => {
    const nonsense: object[] = [
      { type: 'work', results: 'all', acquire: true },
      { type: 'work', results: [{ lease: 1, outcome: 'perfect', seconds: 0 }], acquire: true },
      { type: 'work', results: [{ lease: 1, outcome: 'done', seconds: Number.NaN }], acquire: true },
      { type: 'work', results: [], acquire: true, extra: 1 },
      { type: 'lease', blocks: [] },
      { type: 'work', results: [], acquire: true },
      { type: 'part' },
      { type: 'call', payloadBytes: 1e300 },
      { kind: 'work' },
    ];
    const executor = fakeExecutor(async (worker, started) => {
      const leases = await worker.acquire();
      if (started < nonsense.length) {
        // one result first: so it is replaced without delay
        worker.done(leases[0].lease);
        await worker.acquire();
        worker.connection.send(nonsense[started] as { type: string });
        await worker.connection.closed;
        return;
      }
      for (let [{ lease }] = leases; ; ) {
        worker.connection.send({ type: 'work', results: [{ lease, outcome: 'done', seconds: 1 }], acquire: true });
        const { message } = await worker.connection.next();
        if (message.type === 'stop') return;
        lease = (message.blocks as { lease: number }[])[0].lease;
      }
    });
    const blocks = 2 * nonsense.length + 1;
    const result = await runCoordinator({ ...options(blocks), executor, maxLosses: 20 });
    expect(result).toMatchObject({ complete: true, tasks: [{ done: blocks }] });
    const ends = journalOf(place.run).filter(({ event }) => event === 'worker-end');
    expect(ends.slice(0, -1).every(({ reason }) => String(reason).startsWith('it broke the protocol'))).toBe(true);
  });

  test('calls are refused without the lease, and after it', async () => {
    let served = 0;
    const toy: Service = {
      touch: async () => {
        served++;
        return {};
      },
    };
    const executor = fakeExecutor(async (worker) => {
      worker.call(1, 1, 'touch');
      expect(await worker.next('refuse')).toMatchObject({ call: 1, error: { code: 'ERR_LEASE_LOST' } });
      const [{ lease }] = await worker.acquire();
      worker.call(2, lease, 'touch');
      expect(await worker.next('answer')).toMatchObject({ call: 2 });
      for (const method of ['constructor', '__proto__', 'toString']) {
        worker.call(3, lease, method);
        expect(await worker.next('refuse')).toMatchObject({ call: 3, error: { code: 'ERR_PROTOCOL' } });
      }
      worker.done(lease);
      worker.call(4, lease, 'touch');
      expect(await worker.next('refuse')).toMatchObject({ call: 4, error: { code: 'ERR_LEASE_LOST' } });
      worker.connection.send({ type: 'work', results: [], acquire: true });
      await worker.next('stop');
    });
    const result = await runCoordinator({ ...options(1), executor, services: { toy } });
    expect(result.complete).toBe(true);
    expect(served).toBe(1);
  });

  test('a call of a lost attempt ends before one of the next begins, and knows that it is lost', async () => {
    const order: string[] = [];
    const rows: number[] = [];
    let begun: () => void = () => undefined;
    const firstBegan = new Promise<void>((resolve) => {
      begun = resolve;
    });
    const toy: Service = {
      write: async (request) => {
        order.push(`begin ${request.attempt}`);
        begun();
        // the first is slow; its worker is lost meanwhile
        if (request.attempt === 1) await delay(300);
        if (request.isCurrent()) rows.push(request.attempt);
        order.push(`end ${request.attempt}`);
        return {};
      },
    };
    const executor = fakeExecutor(async (worker, started) => {
      const [{ lease, attempt }] = await worker.acquire();
      expect(attempt).toBe(started + 1);
      worker.call(1, lease, 'write');
      if (started === 0) {
        await firstBegan;
        return;
      }
      await worker.next('answer');
      worker.done(lease, true);
      await worker.next('stop');
    });
    const result = await runCoordinator({ ...options(1), executor, services: { toy } });
    expect(result).toMatchObject({ complete: true, tasks: [{ retried: 1 }] });
    expect(order).toEqual(['begin 1', 'end 1', 'begin 2', 'end 2']);
    expect(rows).toEqual([2]);
  });

  test('a worker that nobody started, or a second one of a name, is not let in', async () => {
    const { join } = await import('../../lib/workers/join.js');
    const { readCredentials } = await import('../../lib/coordinator/control-folder.js');
    const { RunFolder } = await import('../../lib/coordinator/run-folder.js');
    const executor = fakeExecutor(async (worker) => {
      const credentials = readCredentials(new RunFolder(place.run));
      for (const workerId of ['1.7', '0.0', worker.id]) {
        for (const role of ['worker', 'heartbeat'] as const) {
          const { connection: intruder } = await join(credentials, { role, workerId });
          intruder.send({ type: 'work', results: [], acquire: true });
          await intruder.closed;
        }
      }
      const [{ lease }] = await worker.acquire();
      worker.done(lease, true);
      await worker.next('stop');
    });
    const result = await runCoordinator({ ...options(1), executor });
    expect(result).toMatchObject({ complete: true, refusedConnections: 6, tasks: [{ retried: 0 }] });
  });
});
