import { afterEach, describe, expect, test } from '@jest/globals';
import { authenticateClient, authenticateToCoordinator, newKey } from '../../lib/coordinator/authentication.js';
import { Connection, type Message } from '../../lib/coordinator/connection.js';
import { codeOf } from '../../lib/errors.js';
import { socketPair } from '../support/socket-pair.js';

const open: Connection[] = [];

async function connections(): Promise<[Connection, Connection]> {
  const [client, server] = (await socketPair()).map((socket) => new Connection(socket));
  open.push(client, server);
  return [client, server];
}

afterEach(() => {
  for (const connection of open.splice(0)) connection.destroy();
});

const codeOfRejection = async (promise: Promise<unknown>) => codeOf(await promise.catch((error: unknown) => error));

describe('authentication', () => {
  const peer = { role: 'worker', workerId: '1.0' } as const;

  test('lets both sides know each other', async () => {
    const key = newKey();
    expect(key).toMatch(/^[0-9a-f]{64}$/);
    expect(newKey()).not.toBe(key);
    const [client, server] = await connections();
    const [found] = await Promise.all([authenticateClient(server, key), authenticateToCoordinator(client, key, peer)]);
    expect(found).toEqual(peer);
  });

  test('refuses a client with another key, which finds the coordinator wrong, too', async () => {
    const [client, server] = await connections();
    const serverSide = codeOfRejection(authenticateClient(server, newKey()));
    expect(await codeOfRejection(authenticateToCoordinator(client, newKey(), peer))).toBe('ERR_AUTHENTICATION');
    client.destroy();
    expect(await serverSide).toBe('ERR_PROTOCOL');
  });

  test('refuses wrong, reflected and replayed proofs', async () => {
    const key = newKey();
    let recorded: Message | undefined;
    // what an honest client answers, heard by somebody
    const [honest, listening] = await connections();
    const send = honest.send.bind(honest);
    honest.send = (message, payload) => {
      if (message.type === 'proof') recorded = message;
      return send(message, payload);
    };
    await Promise.all([authenticateClient(listening, key), authenticateToCoordinator(honest, key, peer)]);

    const nonce = 'a'.repeat(64);
    for (const cheat of ['none', 'reflect', 'replay', 'short', 'number']) {
      const [client, server] = await connections();
      const refused = codeOfRejection(authenticateClient(server, key));
      client.send({ type: 'hello', version: 1, ...peer, nonce });
      const { message: challenge } = await client.next();
      const proofs: Record<string, unknown> = {
        none: undefined,
        reflect: challenge.proof,
        replay: recorded?.proof,
        short: '00',
        number: 7,
      };
      client.send({ type: 'proof', proof: proofs[cheat] });
      expect(await refused).toBe('ERR_AUTHENTICATION');
    }
  });

  test('refuses greetings that it does not understand', async () => {
    const nonce = 'a'.repeat(64);
    const hello = { type: 'hello', version: 1, role: 'worker', workerId: '1.0', nonce };
    for (const change of [
      { type: 'work' },
      { version: 2 },
      { role: 'coordinator' },
      { workerId: '../../etc' },
      { workerId: 5 },
      { workerId: '' },
      { nonce: 'A'.repeat(64) },
      { nonce: ['a'.repeat(64)] },
    ]) {
      const [client, server] = await connections();
      const refused = codeOfRejection(authenticateClient(server, newKey()));
      client.send({ ...hello, ...change });
      expect(await refused).toBe('ERR_AUTHENTICATION');
    }
  });

  test('keeps the small limit for strangers and lifts it for those it knows', async () => {
    const [client, server] = await connections();
    const refused = codeOfRejection(authenticateClient(server, newKey()));
    client.send({ type: 'hello', text: 'x'.repeat(5000) });
    expect(await refused).toBe('ERR_PROTOCOL');
    // small in itself, but asks for memory
    const [stranger, asked] = await connections();
    const alsoRefused = codeOfRejection(authenticateClient(asked, newKey()));
    stranger.send({ type: 'hello', payloadBytes: 2 ** 31 });
    expect(await alsoRefused).toBe('ERR_PROTOCOL');

    const key = newKey();
    const [worker, coordinator] = await connections();
    await Promise.all([authenticateClient(coordinator, key), authenticateToCoordinator(worker, key, peer)]);
    // beyond one frame's part: travels in several
    const payload = new Uint8Array(20 * 2 ** 20).map((_, i) => i * 31);
    worker.send({ type: 'large', call: 3 }, payload);
    worker.send({ type: 'small' });
    const large = await coordinator.next();
    expect(large.message).toMatchObject({ type: 'large', call: 3 });
    expect(Buffer.compare(large.payload, payload)).toBe(0);
    expect((await coordinator.next()).message).toEqual({ type: 'small' });
  });
});
