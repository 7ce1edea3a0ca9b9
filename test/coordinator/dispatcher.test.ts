import { describe, expect, test } from '@jest/globals';
import type { BlockLedger } from '../../lib/coordinator/block-ledger.js';
import type { Connection, Message } from '../../lib/coordinator/connection.js';
import { Dispatcher } from '../../lib/coordinator/dispatcher.js';
import { WorkerSession } from '../../lib/coordinator/worker-session.js';

/** A worker that only remembers what it is sent. */
function worker(id: string): { session: WorkerSession; sent: Message[] } {
  const ended = new Promise<never>(() => undefined);
  const session = new WorkerSession(id, { description: id, ended, kill: () => undefined }, 0);
  const sent: Message[] = [];
  const connection = { send: (message: Message) => sent.push(message), closed: ended, destroy: () => undefined };
  session.connection = connection as unknown as Connection;
  session.arrive();
  return { session, sent };
}

/** Blocks 0, 1, ... of one task, `ready` of which are given out in leases of `size`. */
function dispatching(size: number) {
  const stock = { ready: 0, next: 0 };
  const clock = { now: 0 };
  const sessions: WorkerSession[] = [];
  const ledger = {
    joined: () => undefined,
    secondsOf: () => 1,
    take: () =>
      Array.from({ length: Math.min(size, stock.ready) }, () => {
        stock.ready--;
        return { task: 0, block: stock.next++, attempt: 1 };
      }),
  } as unknown as BlockLedger;
  const dispatcher = new Dispatcher({
    ledger,
    sessions: () => sessions,
    now: () => clock.now,
    mayServe: () => true,
    onIdle: () => undefined,
  });
  return { stock, clock, sessions, dispatcher };
}

const types = (sent: readonly Message[]) => sent.map(({ type }) => type);

describe('a worker that was asked to give blocks back', () => {
  /** One with four blocks that asks ahead, and one that waits. */
  function asked() {
    const all = dispatching(4);
    const [busy, idle] = [worker('1.0'), worker('1.1')];
    all.sessions.push(busy.session, idle.session);
    all.stock.ready = 4;
    all.dispatcher.ask(busy.session, 0);
    all.dispatcher.serveIdle();
    busy.session.begin(1, 0);
    all.dispatcher.ask(busy.session, 4);
    all.dispatcher.ask(idle.session, 0);
    all.dispatcher.serveIdle();
    expect(types(busy.sent)).toEqual(['lease', 'return']);
    return { ...all, busy, idle };
  }

  test('gets no more until it has answered, for it gives back the newest', () => {
    const { stock, dispatcher, busy, idle } = asked();
    stock.ready = 8;
    dispatcher.serveIdle();
    dispatcher.serveAhead();
    expect(types(idle.sent)).toEqual(['lease']);
    expect(types(busy.sent)).toEqual(['lease', 'return']);
    expect(busy.session.takeBack([4])).toMatchObject([{ id: 4 }]);
    busy.session.returning = false;
    dispatcher.serveAhead();
    expect(types(busy.sent)).toEqual(['lease', 'return', 'lease']);
  });

  test('does not keep others from being asked when it does not answer', () => {
    const { clock, sessions, stock, dispatcher } = asked();
    const other = worker('1.2');
    sessions.push(other.session);
    stock.ready = 4;
    dispatcher.ask(other.session, 0);
    dispatcher.serveIdle();
    stock.ready = 4;
    dispatcher.serveIdle();
    const idle = worker('1.3');
    sessions.push(idle.session);
    dispatcher.ask(idle.session, 0);
    dispatcher.tick();
    const returns = () => sessions.filter(({ returning }) => returning).map(({ id }) => id);
    expect(returns()).toEqual(['1.0']);
    clock.now = 499;
    dispatcher.tick();
    expect(returns()).toEqual(['1.0']);
    clock.now = 500;
    dispatcher.tick();
    expect(returns()).toHaveLength(2);
  });

  test('is not asked again and again when it is about to end, nor given more', () => {
    const { dispatcher, stock, busy } = asked();
    busy.session.returning = false;
    busy.session.draining = true;
    dispatcher.forget(busy.session);
    for (let i = 0; i < 5; i++) dispatcher.tick();
    stock.ready = 1;
    dispatcher.serveAhead();
    expect(types(busy.sent)).toEqual(['lease', 'return']);
  });
});

test('one that was given up gets nothing', () => {
  const { stock, sessions, dispatcher } = dispatching(1);
  const { session, sent } = worker('1.0');
  sessions.push(session);
  dispatcher.ask(session, 0);
  session.dismissed = true;
  stock.ready = 1;
  dispatcher.serveIdle();
  expect(sent).toEqual([]);
  expect(stock.ready).toBe(1);
});

describe('a worker that asks for another lease while one is on its way', () => {
  test('gets as many as it asked for, counting what it had then', () => {
    const { stock, sessions, dispatcher } = dispatching(1);
    const { session, sent } = worker('1.0');
    sessions.push(session);
    stock.ready = 1;
    dispatcher.ask(session, 0);
    dispatcher.serveIdle();
    expect(types(sent)).toEqual(['lease']);
    // it has not seen that lease yet, then it has; nothing is ready for either wish
    dispatcher.ask(session, 0, 0);
    dispatcher.ask(session, 1, 1);
    dispatcher.serveAhead();
    expect([session.wanted, session.leases.size]).toEqual([2, 1]);
    stock.ready = 5;
    dispatcher.serveAhead();
    expect([session.wanted, session.leases.size]).toEqual([0, 3]);
    dispatcher.serveAhead();
    expect(session.leases.size).toBe(3);
  });

  test('is parked with all its wishes when it holds nothing', () => {
    const { stock, sessions, dispatcher } = dispatching(1);
    const { session } = worker('1.0');
    sessions.push(session);
    dispatcher.ask(session, 0);
    dispatcher.ask(session, 0, 0);
    expect([...dispatcher.parked]).toEqual([session]);
    stock.ready = 3;
    dispatcher.serveIdle();
    expect([dispatcher.parked.size, session.leases.size]).toEqual([0, 1]);
    dispatcher.serveAhead();
    expect([session.wanted, session.leases.size]).toEqual([0, 2]);
  });

  test('breaks the protocol where the counts differ, or where it asks without end', () => {
    const { stock, sessions, dispatcher } = dispatching(1);
    const { session } = worker('1.0');
    sessions.push(session);
    stock.ready = 1;
    dispatcher.ask(session, 0);
    dispatcher.serveIdle();
    expect(() => dispatcher.ask(session, 0, 1)).toThrow('expected 1 leases held when it asked for blocks, found 0');
    expect(() => dispatcher.ask(session, 1, 0)).toThrow('expected 0 leases held when it asked for blocks, found 1');
    for (let i = 0; i < 16; i++) dispatcher.ask(session, 1, 1);
    expect(() => dispatcher.ask(session, 1, 1)).toThrow('expected at most 16 leases asked for at once, found more');
  });
});
