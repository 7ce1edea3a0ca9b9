import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { newKey, type Peer } from '../../lib/coordinator/authentication.js';
import { encodeFrame } from '../../lib/coordinator/frames.js';
import { Listener } from '../../lib/coordinator/listener.js';
import type { Service } from '../../lib/coordinator/service-desk.js';
import { codeOf } from '../../lib/errors.js';
import { join as joinCoordinator } from '../../lib/workers/join.js';
import { until } from '../support/processes.js';
import { seededRandom } from '../support/seeded-random.js';
import { outputHash, toyChain, toyFolder, toyRun } from '../support/toy-run.js';

/** Opens a connection; resolves when it is made, or refused. */
async function dial(path: string): Promise<Socket> {
  const socket = connect(path);
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
