import { afterEach, describe, expect, test } from '@jest/globals';
import { Connection, type Message } from '../../lib/coordinator/connection.js';
import { ControlDesk } from '../../lib/coordinator/control-desk.js';
import { socketPair } from '../support/socket-pair.js';

const open: Connection[] = [];
afterEach(() => {
  for (const connection of open.splice(0)) connection.destroy();
});

/** A client of a desk that answers with the type of the request, or throws where that is `stop`. */
async function visit(desk: ControlDesk): Promise<Connection> {
  const [client, server] = (await socketPair()).map((socket) => new Connection(socket));
  open.push(client, server);
  // as authentication leaves it: the limits of strangers for what comes in
  client.trust();
  desk.admit(server);
  return client;
}

const newDesk = (patience?: number, size = 0) =>
  new ControlDesk((request) => {
    if (request.type === 'stop') throw new Error('not now');
    return { type: request.type, padding: 'x'.repeat(size) };
  }, patience);

const answerTo = async (client: Connection, message: Message) => {
  client.send(message);
  return (await client.next()).message;
};

describe('control desk', () => {
  test('answers one request after the other, and goes on after one that it refuses', async () => {
    const client = await visit(newDesk());
    for (let i = 0; i < 3; i++) {
      expect(await answerTo(client, { type: 'status' })).toMatchObject({ type: 'answer', answer: { type: 'status' } });
    }
    expect(await answerTo(client, { type: 'stop' })).toMatchObject({ type: 'refuse', error: { message: 'not now' } });
    const explain = { type: 'explain-block', task: 'fill', block: 3 };
    expect(await answerTo(client, explain)).toMatchObject({ type: 'answer', answer: { type: 'explain-block' } });
  });

  const vector = (length: number, value: unknown = 1) => new Array<unknown>(length).fill(value);
  test.each<[string, Message]>([
    ['an unknown type', { type: 'shutdown' }],
    ['what a worker says', { type: 'work', results: [], acquire: true }],
    ['more than was asked for', { type: 'status', task: 'fill' }],
    ['a block without an index', { type: 'explain-block', task: 'fill' }],
    ['a negative block', { type: 'explain-block', task: 'fill', block: -1 }],
    ['part of a block', { type: 'explain-block', task: 'fill', block: 0.5 }],
    ['a block beyond all numbers', { type: 'explain-block', task: 'fill', block: 1e300 }],
    ['NaN', { type: 'explain-block', task: 'fill', block: Number.NaN }],
    ['a task that is no text', { type: 'retry', task: { name: 'fill' } }],
    ['a long name', { type: 'retry', task: 'x'.repeat(81) }],
    ['a Roi of NaN', { type: 'retry', roi: { offset: vector(3, Number.NaN), shape: vector(3) } }],
    ['a Roi of infinities', { type: 'retry', roi: { offset: vector(3), shape: vector(3, Number.POSITIVE_INFINITY) } }],
    ['a Roi of many dimensions', { type: 'retry', roi: { offset: vector(7), shape: vector(7) } }],
    ['a huge Roi', { type: 'retry', roi: { offset: vector(3), shape: vector(3, 1e300) } }],
    ['a Roi with more', { type: 'retry', roi: { offset: vector(3), shape: vector(3), voxelSize: 1 } }],
  ])('refuses %s and hangs up', async (_, message) => {
    const client = await visit(newDesk());
    expect(await answerTo(client, message)).toMatchObject({ type: 'refuse', error: { code: 'ERR_PROTOCOL' } });
    await client.closed;
  });

  test('hangs up on requests of more bytes than a stranger may send', async () => {
    const client = await visit(newDesk());
    client.send({ type: 'retry', task: 'x'.repeat(5000) });
    await client.closed;
  });

  test('hangs up on who asks before it has its answer, takes none, or says nothing', async () => {
    const hasty = await visit(newDesk());
    for (let i = 0; i < 1000; i++) hasty.send({ type: 'status' });
    await hasty.closed;
    const silent = await visit(newDesk(20));
    await silent.closed;
    // the socket's buffers hold some of it; the rest stays with the desk, which waits for a while
    const [socket, other] = await socketPair();
    socket.pause();
    const slow = new Connection(other);
    open.push(slow);
    newDesk(50, 8_000_000).admit(slow);
    const asking = new Connection(socket);
    socket.pause();
    open.push(asking);
    asking.send({ type: 'status' });
    await slow.closed;
  });

  test('lets few in at once, and others when those have gone', async () => {
    const desk = newDesk();
    const clients = await Promise.all(Array.from({ length: 8 }, () => visit(desk)));
    const ninth = await visit(desk);
    expect((await ninth.next()).message).toMatchObject({
      type: 'refuse',
      error: { message: 'expected at most 8 that ask at once' },
    });
    await ninth.closed;
    clients[0].end();
    await clients[0].closed;
    let answer: Message = { type: 'refuse' };
    while (answer.type === 'refuse') answer = await answerTo(await visit(desk), { type: 'status' });
    expect(answer.type).toBe('answer');
  });
});
