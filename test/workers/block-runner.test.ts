import { expect, test } from '@jest/globals';
import { Connection, type Message } from '../../lib/coordinator/connection.js';
import { RunFolder } from '../../lib/coordinator/run-folder.js';
import { BlockRunner, type BlockRunnerOptions } from '../../lib/workers/block-runner.js';
import { socketPair } from '../support/socket-pair.js';

test('a worker whose next blocks were given back asks again when it has nothing to do', async () => {
  const [near, far] = (await socketPair()).map((socket) => new Connection(socket));
  for (const connection of [near, far]) connection.trust();
  let open: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const runner = new BlockRunner({
    connection: near,
    heartbeat: { show: () => undefined, named: () => false },
    folder: new RunFolder('/nowhere'),
    workerId: '1.0',
    epoch: 1,
    taskNames: ['first'],
    tasks: new Map([['first', () => gate]]),
  } as unknown as BlockRunnerOptions);
  const ended = runner.run();
  const lease = (id: number) => {
    far.send({ type: 'lease', blocks: [{ lease: id, task: 0, block: id, attempt: 1 }] });
  };
  /** The next message that asks for blocks or gives some back. */
  const said = async (): Promise<Message> => {
    for (;;) {
      const { message } = await far.next();
      if (message.acquire === true || message.returned !== undefined) return message;
    }
  };
  expect(await said()).toMatchObject({ acquire: true });
  lease(1);
  expect(await said()).toMatchObject({ acquire: true, held: 1 });
  lease(2);
  far.send({ type: 'return', count: 1 });
  expect(await said()).toMatchObject({ returned: [2] });
  open();
  expect(await said()).toMatchObject({ results: [{ lease: 1, outcome: 'done' }], acquire: true, held: 0 });
  far.send({ type: 'stop' });
  await ended;
  for (const connection of [near, far]) connection.destroy();
});
