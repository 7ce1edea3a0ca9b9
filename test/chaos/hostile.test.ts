import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { newKey } from '../../lib/coordinator/authentication.js';
import type { Connection } from '../../lib/coordinator/connection.js';
import { type Credentials, readCredentials } from '../../lib/coordinator/control-folder.js';
import { FRAME_LIMIT, FrameDecoder } from '../../lib/coordinator/frames.js';
import { parseHeartbeat, parseWorkerMessage } from '../../lib/coordinator/messages.js';
import { type RunResult, runCoordinator } from '../../lib/coordinator/run.js';
import { RunFolder } from '../../lib/coordinator/run-folder.js';
import { codeOf } from '../../lib/errors.js';
import { join as joinCoordinator } from '../../lib/workers/join.js';
import { fakeExecutor } from '../support/fake-workers.js';
import { frameOf, hostileBytes, strangeMessage } from '../support/hostile-bytes.js';
import { until } from '../support/processes.js';
import { seededRandom } from '../support/seeded-random.js';
import { journalOf, outputHash, toyChain, toyFolder, toyOptions, toyPlan, toyRun } from '../support/toy-run.js';
import { amount, chaosSeed, isLong } from './scale.js';

// fault 10: strangers, and workers that know the key and talk rubbish
const seed = chaosSeed(10);
const CONNECTIONS = amount(300, 10_000);
const FRAMES = amount(16, 50);
/** Bytes by which the attack may grow the coordinator. */
const BOUND = 256 * 2 ** 20;

let place: ReturnType<typeof toyFolder>;
let child: ChildProcess | undefined;
beforeEach(() => {
  place = toyFolder();
});
afterEach(() => {
  child?.kill('SIGKILL');
  place.remove();
});

const networks = {
  host: {},
  network: { listens: 'network', listen: { address: '127.0.0.1', hostToo: true } },
} as const;
const transports = Object.keys(networks) as (keyof typeof networks)[];

/** Opens a connection; resolves when it is made, or refused. */
async function dial(where: { path: string } | { host: string; port: number }): Promise<Socket> {
  const socket = connect(where);
  socket.on('error', () => undefined);
  await Promise.race([once(socket, 'connect'), once(socket, 'close')]).catch(() => undefined);
  return socket;
}

/** All that a worker that knows the key sends in a good session, as somebody in between hears it. */
async function recordSession(credentials: Credentials, where: Parameters<typeof dial>[0]): Promise<Buffer> {
  const heard: Buffer[] = [];
  const tap = createServer((worker) => {
    const coordinator = connect(where);
    for (const [from, to] of [
      [worker, coordinator],
      [coordinator, worker],
    ] as const) {
      from.on('error', () => undefined);
      from.on('close', () => to.destroy());
      from.on('data', (bytes) => to.write(bytes));
    }
    worker.on('data', (bytes) => heard.push(bytes));
  });
  const socket = join(place.folder, 'tap');
  const local = 'path' in where ? { path: socket } : { host: '127.0.0.1', port: 0 };
  await new Promise<void>((resolve) => tap.listen(local, resolve));
  const { port } = ('path' in where ? { port: 0 } : tap.address()) as { port: number };
  const way = 'path' in where ? { socket } : { socket, host: 'elsewhere', addresses: [{ address: '127.0.0.1', port }] };
  // nobody started a worker of this name, so it is sent away once it is known
  const { connection } = await joinCoordinator({ key: credentials.key, ...way }, { role: 'worker', workerId: '9.9' });
  connection.send({ type: 'work', results: [], acquire: true });
  await connection.closed;
  tap.close();
  return Buffer.concat(heard);
}

/** Bytes of memory: what a process has, and the most that it had. */
function memoryOf(pid: number): { now: number; most: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kibibytes = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]);
  return { now: kibibytes('VmRSS') * 1024, most: kibibytes('VmHWM') * 1024 };
}

describe('strangers do not disturb a run', () => {
  test.each(transports)(`over the %s (seed ${seed})`, async (transport) => {
    const random = seededRandom(seed);
    const opens = join(place.folder, 'open');
    const json = { shape: [3, 3], milliseconds: 0, act: 'call', opens, network: transport === 'network' };
    const script = join(import.meta.dirname, '..', 'support', 'toy-coordinator.js');
    child = spawn(process.execPath, [script, place.run, place.output, JSON.stringify(json)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let told = '';
    child.stdout?.on('data', (text) => {
      told += text;
    });
    const ended = once(child, 'exit');
    const journal = () => (existsSync(join(place.run, 'journal.jsonl')) ? journalOf(place.run) : []);
    await until('workers are there', () => journal().filter(({ event }) => event === 'worker-start').length === 3);
    const credentials = readCredentials(new RunFolder(place.run));
    const [network] = credentials.addresses ?? [];
    const where = network === undefined ? { path: credentials.socket } : { host: network.address, port: network.port };
    const recorded = await recordSession(credentials, where);
    expect(recorded.byteLength).toBeGreaterThan(250);
    // blocks are begun, and wait
    await delay(1000);
    const before = memoryOf(child.pid!);

    let sent = 0;
    let attacks = 0;
    const attack = async () => {
      attacks++;
      const socket = await dial(where);
      const closed = socket.destroyed ? Promise.resolve() : new Promise((resolve) => socket.once('close', resolve));
      const bytes: Buffer[] = [];
      const kind = random();
      if (kind < 0.1) bytes.push(recorded);
      // some say the beginning of what is good, and stop
      else if (kind < 0.15) bytes.push(recorded.subarray(0, Math.floor(random() * recorded.byteLength)));
      else for (let i = 0; i < FRAMES; i++) bytes.push(hostileBytes(random));
      sent += Math.max(FRAMES, bytes.length);
      socket.write(Buffer.concat(bytes));
      socket.resume();
      await closed;
    };
    const wrongKey = async () => {
      const wrong = joinCoordinator({ ...credentials, key: newKey() }, { role: 'worker', workerId: '1.0' });
      expect(codeOf(await wrong.catch((error: unknown) => error))).toMatch(/ERR_AUTHENTICATION|ERR_PROTOCOL|E\w+/);
    };
    let left = CONNECTIONS;
    // more at once than are let wait
    const attackers = Array.from({ length: 200 }, async () => {
      while (left-- > 0) await (left % 50 === 0 ? wrongKey() : attack());
    });
    await Promise.all(attackers);
    if (isLong) {
      // one byte a second, of what is good
      const slow = Array.from({ length: 50 }, async () => {
        const socket = await dial(where);
        socket.resume();
        let bytes = 0;
        for (; !socket.destroyed; bytes++) {
          socket.write(recorded.subarray(bytes, bytes + 1));
          await delay(1000);
        }
        return bytes;
      });
      for (const bytes of await Promise.all(slow)) expect(bytes).toBeLessThan(15);
    }
    const { most } = memoryOf(child.pid!);
    const growth = most - before.now;
    writeFileSync(opens, '');
    expect(await ended).toEqual([0, null]);
    const result = JSON.parse(told) as RunResult;
    expect(result).toMatchObject({ complete: true, tasks: [{ retried: 0 }, { retried: 0 }] });
    // who has another key may have hung up, having found the coordinator wrong
    expect(result.refusedConnections).toBeGreaterThanOrEqual(attacks);
    expect(attacks).toBeGreaterThan(CONNECTIONS * 0.9);
    expect(growth).toBeLessThan(BOUND);
    const calm = toyFolder();
    const toys = toyChain([3, 3]);
    expect((await toyRun(calm, toys)).complete).toBe(true);
    expect(outputHash(place.output, toys)).toBe(outputHash(calm.output, toys));
    calm.remove();
    console.log(
      `fault 10: ${transport}: ${CONNECTIONS} connections with ${sent} frames; ${result.refusedConnections} refused; ` +
        `memory ${(before.now / 2 ** 20).toFixed(0)} MiB, at most ${(growth / 2 ** 20).toFixed(0)} more`,
    );
  });
});

test(`messages of every kind with strange values are understood or refused by name (seed ${seed})`, () => {
  const random = seededRandom(seed);
  const counts: Record<string, number> = { understood: 0 };
  for (let i = 0; i < amount(10_000, 1_000_000); i++) {
    const bytes = hostileBytes(random);
    try {
      new FrameDecoder(FRAME_LIMIT).push(bytes, ({ header }) => {
        const message = header as { type: string };
        if (typeof message?.type !== 'string') return;
        const said = message.type === 'heartbeat' ? parseHeartbeat(message) : parseWorkerMessage(message);
        const numbers = JSON.stringify(said).match(/"(lease|call|running|seconds)":-?[\d.e+]+/g) ?? [];
        for (const text of numbers) {
          const value = Number(text.split(':')[1]);
          expect(value).toBeGreaterThanOrEqual(0);
          if (!text.startsWith('"seconds')) expect(Number.isSafeInteger(value)).toBe(true);
        }
        counts.understood++;
      });
    } catch (error) {
      const code = String(codeOf(error));
      counts[code] = (counts[code] ?? 0) + 1;
    }
  }
  expect(Object.keys(counts).sort()).toEqual(['ERR_PROTOCOL', 'understood']);
  expect(counts.understood).toBeGreaterThan(0);
  expect(counts.ERR_PROTOCOL).toBeGreaterThan(1000);
  expect(({} as { admin?: boolean }).admin).toBeUndefined();
});

test.each(transports)(
  `a worker that knows the key and talks rubbish ends itself alone, over the %s (seed ${seed})`,
  async (transport) => {
    const random = seededRandom(seed);
    const rubbish = amount(12, 60);
    const said: string[] = [];
    const executor = fakeExecutor(async (worker, started) => {
      let [{ lease }] = await worker.acquire();
      // one result, so that it is replaced without delay
      worker.done(lease, true);
      if (started < rubbish) {
        await worker.next('lease');
        const { connection, heartbeat } = worker;
        const strange = started % 3 === 0 ? heartbeat : connection;
        let text = strangeMessage(random);
        while (isUnderstood(text, strange === heartbeat)) text = strangeMessage(random);
        said.push(text);
        sendText(strange, text);
        await strange.closed;
        return;
      }
      for (;;) {
        const { message } = await worker.connection.next();
        if (message.type === 'stop') return;
        lease = (message.blocks as { lease: number }[])[0].lease;
        worker.done(lease, true);
      }
    }, networks[transport]);
    const blocks = 2 * rubbish + 10;
    const options = toyOptions(place, [{ name: 'first', plan: toyPlan([blocks]) }], { workers: 1, maxLosses: 1000 });
    const result = await runCoordinator({ ...options, executor });
    expect(result).toMatchObject({ complete: true, tasks: [{ done: blocks, retried: rubbish }] });
    expect(said).toHaveLength(rubbish);
    const journal = journalOf(place.run);
    const reasons = journal.filter(({ event }) => event === 'worker-end').map(({ reason }) => String(reason));
    expect(reasons.slice(0, rubbish).filter((reason) => !reason.startsWith('it broke the protocol'))).toEqual([]);
    expect(journal.filter(({ event }) => event === 'block-done')).toHaveLength(blocks);
  },
);

/** Whether a text is a message that a worker, or its heartbeat, may send. */
function isUnderstood(text: string, isHeartbeat: boolean): boolean {
  try {
    const message = JSON.parse(text) as { type: string };
    if (text.includes('__proto__')) return false;
    if (isHeartbeat) parseHeartbeat(message);
    else parseWorkerMessage(message);
    return true;
  } catch {
    return false;
  }
}

/** Sends any text in the place of a message. */
function sendText(connection: Connection, text: string): void {
  // a connection sends nothing but messages
  (connection as unknown as { socket: Socket }).socket.write(frameOf(text));
}
