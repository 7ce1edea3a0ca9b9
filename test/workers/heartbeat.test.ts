import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { newKey, type Peer } from '../../lib/coordinator/authentication.js';
import { Listener } from '../../lib/coordinator/listener.js';

let folder = '';
let child: ChildProcess | undefined;
let listener: Listener | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'heartbeat-'));
});
afterEach(async () => {
  child?.kill('SIGKILL');
  await listener?.close();
  rmSync(folder, { recursive: true });
});

test('signs of life come from a process that computes in JavaScript, without a turn of its event loop', async () => {
  const credentials = { socket: join(folder, 'socket'), key: newKey() };
  const enough = join(folder, 'enough');
  const peers: Peer[] = [];
  const beats: unknown[] = [];
  listener = new Listener({
    ...credentials,
    now: () => 0,
    onPeer: (peer, connection) => {
      peers.push(peer);
      connection.receive((message) => {
        beats.push(message.running);
        if (beats.length === 10) writeFileSync(enough, '');
      });
    },
  });
  await listener.open();
  const heartbeat = JSON.stringify(join(import.meta.dirname, '../../lib/workers/heartbeat.js'));
  const script = join(folder, 'busy.mjs');
  writeFileSync(
    script,
    `import { existsSync } from 'node:fs';
    import { Heartbeat } from ${heartbeat};
    const heartbeat = new Heartbeat(${JSON.stringify(credentials)}, '1.0', 0.01);
    heartbeat.show(7);
    while (!existsSync(${JSON.stringify(enough)}));
    await heartbeat.stop();`,
  );
  child = spawn(process.execPath, [script], { detached: true, stdio: ['ignore', 'inherit', 'inherit'] });
  expect(await once(child, 'exit')).toEqual([0, null]);
  expect(beats.slice(0, 10)).toEqual(Array(10).fill(7));
  expect(peers).toEqual([{ role: 'heartbeat', workerId: '1.0' }]);
});
