import { expect, test } from '@jest/globals';
import { Connection, type Message } from '../../lib/coordinator/connection.js';
import { RunFolder } from '../../lib/coordinator/run-folder.js';
import { BlockRunner, type BlockRunnerOptions } from '../../lib/workers/block-runner.js';
import { socketPair } from '../support/socket-pair.js';

/** A runner of one task, and the far end of its connection. */
async function makeRunner(more: Partial<BlockRunnerOptions>) {
  const [near, far] = (await socketPair()).map((socket) => new Connection(socket));
  for (const connection of [near, far]) connection.trust();
  const runner = new BlockRunner({
    connection: near,
    heartbeat: { show: () => undefined, named: () => false },
    folder: new RunFolder('/nowhere'),
    workerId: '1.0',
    epoch: 1,
    taskNames: ['first'],
    tasks: new Map([['first', () => Promise.resolve()]]),
    ...more,
  } as unknown as BlockRunnerOptions);
  const ended = runner.run();
  return {
    lease: (id: number, attempt = 1) => {
      far.send({ type: 'lease', blocks: [{ lease: id, task: 0, block: id, attempt }] });
    },
    send: (message: Message) => far.send(message),
    said: async () => (await far.next()).message,
    end: async () => {
      far.send({ type: 'stop' });
      await ended;
      for (const connection of [near, far]) connection.destroy();
    },
  };
}

test('a worker whose next blocks were given back asks again when it has nothing to do', async () => {
  let open: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const { lease, send, said, end } = await makeRunner({ tasks: new Map([['first', () => gate]]) });
  /** The next message that asks for blocks or gives some back. */
  const asked = async (): Promise<Message> => {
    for (;;) {
      const message = await said();
      if (message.acquire === true || message.returned !== undefined) return message;
    }
  };
  expect(await asked()).toMatchObject({ acquire: true });
  lease(1);
  expect(await asked()).toMatchObject({ acquire: true, held: 1 });
  lease(2);
  send({ type: 'return', count: 1 });
  expect(await asked()).toMatchObject({ returned: [2] });
  open();
  expect(await asked()).toMatchObject({ results: [{ lease: 1, outcome: 'done' }], acquire: true, held: 0 });
  await end();
});

test('a block alone that is over at once is one message, with the next on its way', async () => {
  const { lease, said, end } = await makeRunner({ briefSeconds: Number.POSITIVE_INFINITY });
  const done = (id: number) => [{ lease: id, outcome: 'done' }];
  expect(await said()).toMatchObject({ acquire: true, results: [] });
  // how long it takes is not known yet
  lease(1);
  expect(await said()).toMatchObject({ acquire: true, held: 1, begun: 1, results: [] });
  expect(await said()).toMatchObject({ acquire: true, held: 0, newest: 1, results: done(1) });
  for (const id of [2, 3]) {
    lease(id);
    const message = await said();
    expect(message).toMatchObject({ acquire: true, held: 0, newest: id, results: done(id) });
    expect(message).not.toHaveProperty('begun');
  }
  // one that was tried before is named before it begins
  lease(4, 2);
  expect(await said()).toMatchObject({ acquire: false, begun: 4, results: [] });
  expect(await said()).toMatchObject({ acquire: true, held: 0, newest: 4, results: done(4) });
  lease(5);
  lease(6);
  const both = [await said(), await said()];
  expect(both.map(({ results }) => results)).toMatchObject([done(5), done(6)]);
  expect(both.map(({ acquire }) => acquire)).toEqual([true, true]);
  await end();
});

test('a worker whose next blocks were given back between two blocks asks again', async () => {
  const runner = await makeRunner({
    tasks: new Map([
      [
        'first',
        async (block: number) => {
          if (block !== 2) return;
          // heard together when this block, which lets nothing else happen, has ended
          runner.lease(3);
          runner.send({ type: 'return', count: 1 });
          for (const began = performance.now(); performance.now() - began < 30; );
        },
      ],
    ]),
  });
  expect(await runner.said()).toMatchObject({ acquire: true });
  const blocks = [1, 2].map((lease) => ({ lease, task: 0, block: lease, attempt: 1 }));
  runner.send({ type: 'lease', blocks });
  expect(await runner.said()).toMatchObject({ acquire: true, held: 2, results: [] });
  for (;;) {
    const message = await runner.said();
    if (message.returned === undefined) continue;
    expect(message.returned).toEqual([3]);
    break;
  }
  expect(await runner.said()).toMatchObject({ acquire: true, held: 0 });
  await runner.end();
});

test('a long block that is leased alone is named, though others were asked for before', async () => {
  const tasks = new Map(['first', 'second'].map((name) => [name, () => Promise.resolve()]));
  const runner = await makeRunner({ briefSeconds: Number.POSITIVE_INFINITY, taskNames: ['first', 'second'], tasks });
  await runner.said();
  for (const [lease, messages] of [
    [1, 2],
    [2, 1],
  ]) {
    runner.lease(lease);
    for (let i = 0; i < messages; i++) await runner.said();
  }
  runner.send({ type: 'lease', blocks: [{ lease: 3, task: 1, block: 0, attempt: 1 }] });
  expect(await runner.said()).toMatchObject({ acquire: false, begun: 3, results: [] });
  await runner.end();
});
