import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { newKey, type Peer } from '../../lib/coordinator/authentication.js';
import { encodeFrame } from '../../lib/coordinator/frames.js';
import { Listener } from '../../lib/coordinator/listener.js';
import { connectSecurely } from '../../lib/coordinator/secure-socket.js';
import type { Service } from '../../lib/coordinator/service-desk.js';
import { codeOf } from '../../lib/errors.js';
import { join as joinCoordinator } from '../../lib/workers/join.js';
import { until } from '../support/processes.js';
import { seededRandom } from '../support/seeded-random.js';
import { outputHash, toyChain, toyFolder, toyRun } from '../support/toy-run.js';

/** Opens a connection; resolves when it is made, or refused. */
async function dial(where: string | { host: string; port: number }): Promise<Socket> {
  const socket = typeof where === 'string' ? connect(where) : connect(where);
  socket.on('error', () => undefined);
  socket.resume();
  await new Promise((resolve) => {
    socket.once('connect', resolve);
    socket.once('close', resolve);
  });
  return socket;
}

const closing = (socket: Socket) =>
  new Promise<void>((resolve) => (socket.destroyed ? resolve() : socket.once('close', () => resolve())));

describe('strangers', () => {
  const seed = 99;

  test(`sending anything do not disturb a run (seed ${seed})`, async () => {
    const random = seededRandom(seed);
    const place = toyFolder();
    const toys = toyChain([3, 3, 3]).map((toy) => ({ ...toy, act: 'call' as const }));
    let attacked: () => void = () => undefined;
    const afterTheAttack = new Promise<void>((resolve) => {
      attacked = resolve;
    });
    // no block ends before the strangers are done
    const toy: Service = {
      async echo(_request, header, payload) {
        await afterTheAttack;
        return { header, payload };
      },
      async *count() {
        for (let i = 1; i <= 5; i++) yield { header: i };
      },
    };
    const running = toyRun(place, toys, { services: { toy } });
    const file = join(place.run, 'control/address.json');
    await until('the coordinator listens', () => existsSync(file));
    const { socket: path } = JSON.parse(readFileSync(file, 'utf8')) as { socket: string };
    await until('the socket is there', () => existsSync(path));
    const hello = { type: 'hello', version: 1, role: 'worker', workerId: '1.0', nonce: 'a'.repeat(64) };
    const attacks: (() => Uint8Array)[] = [
      () => randomBytes(Math.floor(random() * 300)),
      () => Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0),
      () => Buffer.concat(encodeFrame({ type: 'work', results: [], acquire: true })),
      () => Buffer.concat(encodeFrame({ type: 'hello', big: 'x'.repeat(5000) })),
      () => Buffer.concat([...encodeFrame(hello), ...encodeFrame({ type: 'proof', proof: 'b'.repeat(64) })]),
      () => Buffer.concat(encodeFrame({ ...hello, constructor: { prototype: { admin: true } } })),
      () => Buffer.from('\0\0\0\x20\0\0\0\x1c{"__proto__":{"admin":true}}', 'latin1'),
      () => Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
      () => Uint8Array.of(0),
    ];
    const sockets: Socket[] = [];
    for (let i = 0; i < 400; i++) {
      const socket = await dial(path);
      sockets.push(socket);
      socket.write(attacks[i % attacks.length]());
    }
    // with a wrong key, but by the book
    const wrong = await joinCoordinator({ socket: path, key: newKey() }, { role: 'worker', workerId: '1.0' }).catch(
      (error: unknown) => error,
    );
    expect(codeOf(wrong)).toBe('ERR_AUTHENTICATION');
    attacked();
    const result = await running;
    expect(result).toMatchObject({ complete: true, tasks: [{ retried: 0 }, { retried: 0 }] });
    // at the end some that never said enough to be refused are still there
    expect(result.refusedConnections).toBeGreaterThan(400 - 128);
    await Promise.all(sockets.map(closing));
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
    expect(outputHash(place.output, toys)).toMatch(/^[0-9a-f]{64}$/);
    place.remove();
  });

  test('that are slow or silent are sent away, and those who know the key are let in meanwhile', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'listener-'));
    const credentials = { socket: join(folder, 'socket'), key: newKey() };
    let now = 0;
    const peers: Peer[] = [];
    const listener = new Listener({ ...credentials, now: () => now, onPeer: (peer) => peers.push(peer) });
    await listener.open();
    const silent: Socket[] = [];
    for (let i = 0; i < 100; i++) silent.push(await dial(credentials.socket));
    const slow = await dial(credentials.socket);
    const bytes = Buffer.concat(encodeFrame({ type: 'hello', version: 1 }));
    for (const byte of bytes.subarray(0, 20)) {
      slow.write(Uint8Array.of(byte));
      now += 400;
      listener.tick();
      await delay(1);
    }
    expect(slow.destroyed).toBe(false);
    now += 5000;
    listener.tick();
    await Promise.all([...silent, slow].map(closing));
    await until('all are counted', () => listener.refused === 101);

    // more at once than are kept: the oldest go
    const many: Socket[] = [];
    for (let i = 0; i < 300; i++) many.push(await dial(credentials.socket));
    await until('the oldest are gone', () => many.filter((socket) => socket.destroyed).length >= 172);
    const { connection: worker } = await joinCoordinator(credentials, { role: 'worker', workerId: '1.0' });
    await until('the worker is known', () => peers.length === 1);
    expect(worker.open).toBe(true);
    await listener.close();
    await Promise.all(many.map(closing));
    await worker.closed;
    expect(existsSync(credentials.socket)).toBe(false);
    rmSync(folder, { recursive: true });
  });
});

test('strangers over TCP have no more time and are no more at once, in the midst of the TLS handshake', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'listener-'));
  const key = newKey();
  let now = 0;
  const peers: Peer[] = [];
  const options = { socket: join(folder, 'socket'), key, network: [{ address: '127.0.0.1' }], now: () => now };
  const listener = new Listener({ ...options, onPeer: (peer) => peers.push(peer) });
  await listener.open();
  const { address, port } = listener.addresses[0];
  const greeting = await beginningOfTls(key);
  const reach = () => dial({ host: address, port });
  const silent = await Promise.all(Array.from({ length: 50 }, reach));
  const slow = await reach();
  for (const byte of greeting.subarray(0, 20)) {
    slow.write(Uint8Array.of(byte));
    now += 400;
    listener.tick();
    await delay(1);
  }
  expect(slow.destroyed).toBe(false);
  // some may have been let in a while after they were connected
  now += 10_001;
  listener.tick();
  await Promise.all([...silent, slow].map(closing));
  await until('those are counted', () => listener.refused === 51);
  // all of the greeting, and after its answer nothing
  const halfway = await reach();
  halfway.write(greeting);
  await once(halfway, 'data');
  now += 10_001;
  listener.tick();
  await closing(halfway);

  const many: Socket[] = [];
  for (let i = 0; i < 300; i++) {
    many.push(await reach());
    if (i % 2 === 0) many[i].write(greeting);
  }
  await until('the oldest are gone', () => many.filter((socket) => socket.destroyed).length >= 172);
  await until('and counted', () => listener.refused >= 52 + 172);
  // what is no TLS ends at once, an endless greeting soon
  const plain = await reach();
  plain.write(Buffer.concat(encodeFrame({ type: 'hello', version: 1 })));
  const endless = await reach();
  endless.write(Buffer.concat([Buffer.of(22, 3, 1, 0x40, 0, 1, 0xff, 0xff, 0xff), Buffer.alloc(0x40_0000)]));
  await Promise.all([closing(plain), closing(endless)]);
  const way = { socket: options.socket, host: 'elsewhere', key, addresses: [{ address, port }] };
  const { connection: worker } = await joinCoordinator(way, { role: 'worker', workerId: '1.0' });
  await until('the worker is known', () => peers.length === 1);
  expect(worker.open).toBe(true);
  await listener.close();
  await Promise.all(many.map(closing));
  await worker.closed;
  rmSync(folder, { recursive: true });
});

test('who leaves before the answer is not counted, who sends nonsense is', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'listener-'));
  const key = newKey();
  const options = { socket: join(folder, 'socket'), key, network: [{ address: '127.0.0.1' }], now: () => 0 };
  const listener = new Listener({ ...options, onPeer: () => undefined });
  await listener.open();
  const { address, port } = listener.addresses[0];
  const places = [options.socket, { host: address, port }];
  const hello = { type: 'hello', version: 1, role: 'control', workerId: '1.0', nonce: 'a'.repeat(64) };
  const greetings = [Buffer.concat(encodeFrame(hello)), await beginningOfTls(key)];
  try {
    // as of a coordinator that is suspended, whoever asks gives up, at any time
    for (const [place, where] of places.entries()) {
      for (const bytes of [0, 20, greetings[place].byteLength]) {
        const asking = await dial(where);
        if (bytes > 0) asking.write(greetings[place].subarray(0, bytes));
        asking.destroy();
      }
    }
    const answered = await dial({ host: address, port });
    answered.write(greetings[1]);
    await once(answered, 'data');
    answered.destroy();
    await delay(100);
    expect(listener.refused).toBe(0);
    for (const [place, where] of places.entries()) {
      const stranger = await dial(where);
      stranger.end('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
      await until('nonsense is counted', () => listener.refused > place);
    }
    await delay(100);
    expect(listener.refused).toBe(2);
  } finally {
    await listener.close();
    rmSync(folder, { recursive: true });
  }
});

/** The first bytes that a worker sends over TCP. */
async function beginningOfTls(key: string): Promise<Buffer> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const accepted = new Promise<Buffer>((resolve) => {
    server.once('connection', (socket) => socket.once('data', (bytes) => resolve(bytes)));
  });
  const worker = connectSecurely({ address: '127.0.0.1', port: (server.address() as AddressInfo).port }, key);
  worker.on('error', () => undefined);
  const bytes = await accepted;
  worker.destroy();
  server.close();
  return bytes;
}
