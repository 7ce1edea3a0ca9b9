import { expect, test } from '@jest/globals';
import type { Connection } from '../../lib/coordinator/connection.js';
import { WorkerSession } from '../../lib/coordinator/worker-session.js';

const patience = { startSeconds: 120, leaseSeconds: 15 };

function newSession(started: number): WorkerSession {
  const handle = { description: 'none', ended: new Promise<never>(() => undefined), kill: () => undefined };
  return new WorkerSession('1.0', handle, started);
}

test('a worker that never asks for a block is overdue when its time to start is over', () => {
  const session = newSession(1000);
  expect(session.overdue(121_000, patience)).toBeUndefined();
  expect(session.overdue(121_001, patience)).toBe('it did not ask for a block within 120 s');
  expect(session.overdue(1e12, { ...patience, startSeconds: Number.POSITIVE_INFINITY })).toBeUndefined();
  session.asked = true;
  expect(session.overdue(1e12, patience)).toBeUndefined();
});

test('a worker that is connected is overdue when it was silent for a lease; each sign of life counts', () => {
  const session = newSession(0);
  session.asked = true;
  session.connection = {} as Connection;
  session.lastSeen = 5000;
  expect(session.overdue(20_000, patience)).toBeUndefined();
  expect(session.overdue(20_001, patience)).toBe('no sign of life for 15 s');
  session.beat({ type: 'heartbeat', running: 0 }, 19_000);
  expect(session.overdue(34_000, patience)).toBeUndefined();
  expect(session.overdue(34_001, patience)).toBe('no sign of life for 15 s');
});

test('the lease at work is the one that the signs of life name, and its time counts from when they first did', () => {
  const session = newSession(0);
  const [first, second] = [session.grant(0, 7, 1, 100), session.grant(0, 8, 1, 100)];
  expect([session.atWork, session.runningSince]).toEqual([first, 100]);
  session.beat({ type: 'heartbeat', running: 2 }, 300);
  session.beat({ type: 'heartbeat', running: 2 }, 500);
  // would else begin anew with each
  for (const running of [Number.NaN, '2', -1, 0.5, null, undefined, {}]) {
    expect(() => session.beat({ type: 'heartbeat', running }, 600)).toThrow(/running/);
  }
  expect([session.atWork, session.runningSince]).toEqual([second, 300]);
  expect(session.settle(2, 600)).toBe(second);
  expect([session.atWork, session.runningSince]).toEqual([first, 600]);
  expect(session.settle(2, 700)).toBeUndefined();
});
