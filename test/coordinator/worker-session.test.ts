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
  session.arrive();
  expect(session.overdue(1e12, patience)).toBeUndefined();
});

test('a worker that is connected is overdue when it was silent for a lease; each sign of life counts', () => {
  const session = newSession(0);
  session.arrive();
  session.connection = {} as Connection;
  session.lastSeen = 5000;
  expect(session.overdue(20_000, patience)).toBeUndefined();
  expect(session.overdue(20_001, patience)).toBe('no sign of life for 15 s');
  session.beat({ type: 'heartbeat', running: 0 }, 19_000);
  expect(session.overdue(34_000, patience)).toBeUndefined();
  expect(session.overdue(34_001, patience)).toBe('no sign of life for 15 s');
});

test('a worker that holds a block and is at work on none for a lease is overdue', () => {
  const session = newSession(0);
  session.arrive();
  session.connection = {} as Connection;
  const beatAndAsk = (running: number, now: number) => {
    session.beat({ type: 'heartbeat', running }, now);
    return session.overdue(now, patience);
  };
  expect(beatAndAsk(0, 60_000)).toBeUndefined();
  session.grant(0, 7, 1);
  expect(beatAndAsk(0, 61_000)).toBeUndefined();
  expect(beatAndAsk(0, 76_000)).toBeUndefined();
  expect(beatAndAsk(0, 76_001)).toBe('it holds blocks and was at work on none for 15 s');
  // a long block, of which the result does not come
  expect(beatAndAsk(1, 77_000)).toBeUndefined();
  expect(beatAndAsk(1, 200_000)).toBeUndefined();
  expect(beatAndAsk(0, 201_000)).toBeUndefined();
  expect(beatAndAsk(0, 216_001)).toBe('it holds blocks and was at work on none for 15 s');
  session.settle(1);
  expect(beatAndAsk(0, 300_000)).toBeUndefined();
});

test('the lease at work is the one that the worker named last, and its time counts from when it first did', () => {
  const session = newSession(0);
  const [first, second, third] = [7, 8, 9].map((block) => session.grant(0, block, 1));
  expect(session.atWork).toBeUndefined();
  session.begin(1, 100);
  expect([session.atWork, session.runningSince]).toEqual([first, 100]);
  expect(session.settle(1)).toBe(first);
  expect(session.atWork).toBeUndefined();
  session.beat({ type: 'heartbeat', running: 2 }, 300);
  session.beat({ type: 'heartbeat', running: 2 }, 500);
  session.begin(2, 600);
  // would else begin anew with each
  for (const running of [Number.NaN, '2', -1, 0.5, null, undefined, {}]) {
    expect(() => session.beat({ type: 'heartbeat', running }, 600)).toThrow(/running/);
  }
  expect([session.atWork, session.runningSince]).toEqual([second, 300]);
  // late, nonsense, and none
  for (const running of [1, 0, 4, 99]) session.beat({ type: 'heartbeat', running }, 700);
  expect([session.atWork, session.runningSince]).toEqual([second, 300]);
  expect(session.settle(2)).toBe(second);
  expect(session.settle(2)).toBeUndefined();
  expect(session.atWork).toBeUndefined();
  expect(session.takeAll()).toEqual([{ lease: third, came: 'begun' }]);
});

test('results come in the order of the leases, and leases go back from the end, unbegun', () => {
  const session = newSession(0);
  const [first, second, third] = [7, 8, 9].map((block) => session.grant(0, block, 1));
  expect(() => session.settle(2)).toThrow('lease 2: expected the result of 1 before it');
  expect(session.settle(1)).toBe(first);
  session.begin(2, 10);
  for (const id of [1, 2, 4]) expect(() => session.takeBack([id])).toThrow(`lease ${id}: expected one that is held`);
  expect(session.takeBack([3])).toEqual([third]);
  expect(() => session.takeBack([2])).toThrow('lease 2: expected one that is held, not begun, and the newest');
  expect(session.settle(2)).toBe(second);
  expect(session.leases.size).toBe(0);
});

test('a worker that was warned gives back what it has, while others are on their way to it', () => {
  const session = newSession(0);
  const [, second, third] = [7, 8, 9].map((block) => session.grant(0, block, 1));
  session.begin(1, 10);
  session.draining = true;
  // it had not seen the third
  expect(session.takeBack([2])).toEqual([]);
  expect(session.takeBack([3])).toEqual([third]);
  expect(session.leases.last).toBe(second);
});

test('what a worker held when it ended: begun, unbegun or unsure', () => {
  const cames = (begun: number | undefined, timedOut = false) => {
    const session = newSession(0);
    const leases = [7, 8, 9].map((block) => session.grant(0, block, 1));
    if (begun !== undefined) session.begin(begun, 10);
    if (timedOut) {
      session.leases.remove(leases[1]);
      session.faultBooked = true;
    }
    return session.takeAll().map(({ lease, came }) => `${lease.id} ${came}`);
  };
  expect(cames(undefined)).toEqual(['1 unsure', '2 unsure', '3 unsure']);
  expect(cames(1)).toEqual(['1 begun', '2 unbegun', '3 unbegun']);
  expect(cames(2)).toEqual(['1 unsure', '2 begun', '3 unbegun']);
  expect(cames(2, true)).toEqual(['1 unsure', '3 unbegun']);
});

test('the leases of a worker are found, and taken from both ends, however many came and went', () => {
  const session = newSession(0);
  let expected: number[] = [];
  for (let round = 0; round < 20; round++) {
    for (let i = 0; i < 300; i++) expected.push(session.grant(0, 1, 1).id);
    for (let i = 0; i < 250; i++) expect(session.settle(expected[i])?.id).toBe(expected[i]);
    expected = expected.slice(250);
    expect(session.takeBack([expected.at(-1)!]).map(({ id }) => id)).toEqual([expected.at(-1)]);
    expected.pop();
    expect(session.leases.size).toBe(expected.length);
    for (const id of expected) expect(session.leases.get(id)?.id).toBe(id);
    expect(session.leases.get(expected[0] - 1)).toBeUndefined();
  }
  expect(session.takeAll().map(({ lease }) => lease.id)).toEqual(expected);
});
