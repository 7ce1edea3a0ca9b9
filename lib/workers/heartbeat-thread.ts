import { hostname } from 'node:os';
import { workerData } from 'node:worker_threads';
import type { HeartbeatData } from './heartbeat.js';
import { join } from './join.js';
import { endProcess } from './process-end.js';

// A worker thread that does nothing but show that its process lives. When the coordinator is gone it ends the process,
// which may be deep in a kernel.
const { credentials, workerId, seconds, running } = workerData as HeartbeatData;

const { connection } = await join(credentials, { role: 'heartbeat', workerId }).catch(() => endProcess());
// as the cluster calls it, so that it can be told to avoid it
const host = process.env.SLURMD_NODENAME ?? hostname();
const beat = () => {
  const lease = Atomics.load(running, 0);
  Atomics.store(running, 1, lease);
  // either the worker sees that it was named, or it has ended already
  const named = Atomics.load(running, 0) === lease ? lease : 0;
  connection.send({ type: 'heartbeat', running: named, host, memory: process.memoryUsage.rss() });
};
beat();
setInterval(beat, seconds * 1000);
void connection.closed.then(() => endProcess());
