import { readFileSync, statSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { newKey, type Peer } from '../../lib/coordinator/authentication.js';
import { Listener } from '../../lib/coordinator/listener.js';
import { listenAddresses, type NetworkAddress } from '../../lib/coordinator/network-address.js';
import { codeOf, messageOf } from '../../lib/errors.js';
import { join as joinCoordinator } from '../../lib/workers/join.js';
import { chaosSeed } from '../chaos/scale.js';
import { type Direction, NetworkExecutor, ProxyExecutor } from '../support/network-executor.js';
import { until } from '../support/processes.js';
import { seededRandom } from '../support/seeded-random.js';
import { journalOf, outputHash, toyChain, toyFolder, toyRun } from '../support/toy-run.js';

let place: ReturnType<typeof toyFolder>;
beforeEach(() => {
  place = toyFolder();
});
afterEach(() => place.remove());

/** What a run that nothing disturbed leaves. */
async function undisturbed(): Promise<string> {
  const calm = toyFolder();
  try {
    expect((await toyRun(calm, toyChain([3, 3]))).complete).toBe(true);
    return outputHash(calm.output, toyChain([3, 3]));
  } finally {
    calm.remove();
  }
}

describe('workers over TCP', () => {
  test('do what workers on the Unix socket do; the address is proved by the first', async () => {
    const toys = toyChain([3, 3]);
    const seen: unknown[] = [];
    let file: { addresses?: unknown[] } = {};
    const result = await toyRun(place, toys, {
      executor: new NetworkExecutor(),
      onEvent: (event) => {
        if (event.type === 'address-proved') seen.push(event);
        if (event.type !== 'block-done') return;
        const path = join(place.run, 'control', 'address.json');
        file = JSON.parse(readFileSync(path, 'utf8')) as typeof file;
        expect(statSync(path).mode & 0o777).toBe(0o600);
      },
    });
    expect(result).toMatchObject({ complete: true, refusedConnections: 0, tasks: [{ retried: 0 }, { retried: 0 }] });
    expect(outputHash(place.output, toys)).toBe(await undisturbed());
    const proved = { address: '127.0.0.1', port: expect.any(Number) };
    expect(seen).toEqual([{ type: 'address-proved', ...proved }]);
    expect(file.addresses).toEqual([proved]);
    const journal = journalOf(place.run);
    expect(journal.filter(({ event }) => event === 'listening')).toMatchObject([{ addresses: [proved] }]);
    expect(journal.filter(({ event }) => event === 'address-proved')).toMatchObject([proved]);
  });

  const seed = chaosSeed(41);
  test(`do not take what was changed on the way (seed ${seed})`, async () => {
    const random = seededRandom(seed);
    const toys = toyChain([3, 3]);
    /** For the first connections: in which direction, and from which byte on; within the handshakes and after them. */
    const plans = Array.from({ length: 5 }, () => {
      const direction: Direction = random() < 0.5 ? 'to coordinator' : 'to worker';
      return { direction, at: Math.floor(random() * 400) };
    });
    const passed = new Map<string, number>();
    const flipped = new Set<number>();
    const executor = new ProxyExecutor((bytes, direction, connection) => {
      const name = `${direction} ${connection}`;
      const before = passed.get(name) ?? 0;
      passed.set(name, before + bytes.byteLength);
      const plan = plans[connection];
      if (plan?.direction !== direction || flipped.has(connection) || bytes.byteLength === 0) return bytes;
      let at = Math.max(0, plan.at - before);
      // a header says how long a record is: a longer one makes its reader wait, as anybody in between can
      while (at < bytes.byteLength && headerAt(bytes, at)) at++;
      if (at >= bytes.byteLength) return bytes;
      flipped.add(connection);
      bytes[at] ^= 1 << Math.floor(random() * 8);
      return bytes;
    });
    const many = { maxLosses: 1000, maxRestarts: 1000, maxCrashes: 1000 };
    const result = await toyRun(place, toys, { executor, ...many });
    expect(result.complete).toBe(true);
    expect([...flipped].sort()).toEqual([0, 1, 2, 3, 4]);
    for (const connection of flipped) expect(executor.connections[connection]).toEqual({ ended: true });
    // a worker that finds it out ends at once, and the coordinator may not hear of the reason
    const toCoordinator = plans.filter(({ direction }) => direction === 'to coordinator').length;
    expect(result.refusedConnections).toBeGreaterThanOrEqual(toCoordinator);
    expect(outputHash(place.output, toys)).toBe(await undisturbed());
    const done = journalOf(place.run).filter(({ event }) => event === 'block-done');
    expect(new Set(done.map(({ task, block }) => `${task} ${block}`)).size).toBe(done.length);
  });
});

/** Whether a byte belongs to the header of a TLS record or of the message in it, in bytes that begin with a record. */
function headerAt(bytes: Buffer, at: number): boolean {
  for (let begin = 0; begin + 5 <= bytes.byteLength && begin <= at; begin += 5 + bytes.readUInt16BE(begin + 3)) {
    if (at < begin + 9) return true;
  }
  return false;
}

describe('where a coordinator listens', () => {
  const codeAndMessage = (work: () => unknown) => {
    try {
      work();
    } catch (error) {
      return `${codeOf(error)}: ${messageOf(error)}`;
    }
    return undefined;
  };

  test('is never everywhere, and nowhere that this host is not', () => {
    for (const address of ['0.0.0.0', '::', '192.0.2.77', 'localhost', '']) {
      expect(codeAndMessage(() => listenAddresses({ address }))).toMatch(/^ERR_CONFIG: listen.address: .*127.0.0.1/);
    }
    expect(codeAndMessage(() => listenAddresses({ interface: 'nope0' }))).toMatch(
      /^ERR_CONFIG: listen.interface: .*lo/,
    );
    expect(listenAddresses({ address: '127.0.0.1' })).toEqual(['127.0.0.1']);
    expect(listenAddresses({ hostToo: true })).toContain('127.0.0.1');
    const internal = Object.values(networkInterfaces()).flatMap((all = []) => all.filter((one) => one.internal));
    let found: string[] = [];
    codeAndMessage(() => {
      found = listenAddresses({});
    });
    for (const { address } of internal) expect(found).not.toContain(address);
  });

  test('is the one address that a worker came over, once one came', async () => {
    const credentials = { socket: join(place.folder, 'socket'), key: newKey() };
    const peers: Peer[] = [];
    const proved: NetworkAddress[] = [];
    const listener = new Listener({
      ...credentials,
      network: [{ address: '127.0.0.1', hostToo: true }, { address: '127.0.0.1', hostToo: true }, { interface: 'lo' }],
      now: () => 0,
      onPeer: (peer) => peers.push(peer),
      onProved: (address) => proved.push(address),
    });
    await listener.open();
    try {
      const all = listener.addresses;
      expect(all[0].address).toBe('127.0.0.1');
      // nothing listens at the first, which was closed
      const way = { ...credentials, host: 'elsewhere', addresses: [{ address: '127.0.0.1', port: 1 }, ...all] };
      const { connection, credentials: next } = await joinCoordinator(way, { role: 'worker', workerId: '1.0' });
      expect(next.addresses).toEqual([all[0], { address: '127.0.0.1', port: 1 }, ...all.slice(1)]);
      await joinCoordinator(next, { role: 'heartbeat', workerId: '1.0' });
      expect(proved).toEqual([all[0]]);
      expect(listener.addresses).toEqual([all[0]]);
      await until('the heartbeat is known', () => peers.length === 2);
      for (const other of all.slice(1)) {
        const closed = joinCoordinator({ ...way, addresses: [other] }, { role: 'worker', workerId: '1.1' });
        expect(await closed.catch((error: unknown) => error)).toMatchObject({ code: 'ECONNREFUSED' });
      }
      connection.destroy();
      // another key: neither side learns anything
      const wrong = joinCoordinator({ ...next, key: newKey() }, { role: 'worker', workerId: '1.0' });
      expect(codeOf(await wrong.catch((error: unknown) => error))).toBe('ERR_AUTHENTICATION');
      expect(peers).toHaveLength(2);
      // a worker of this host does not need the network
      const { connection: near } = await joinCoordinator(
        { ...way, host: undefined },
        { role: 'worker', workerId: '1.2' },
      );
      expect(near.open).toBe(true);
    } finally {
      await listener.close();
    }
  });
});
