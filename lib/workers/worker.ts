import { readCredentials } from '../coordinator/control-folder.js';
import { RunFolder } from '../coordinator/run-folder.js';
import { BlockwrightError } from '../errors.js';
import { BlockRunner, type ProcessBlock } from './block-runner.js';
import { Heartbeat } from './heartbeat.js';
import { join } from './join.js';
import { endProcess } from './process-end.js';

export interface WorkerOptions {
  readonly runDirectory: string;
  /** As the executor was given it. */
  readonly workerId: string;
  /** Makes the tasks of the coordinator's `workerConfig`: for each name what runs a block. */
  load(workerConfig: unknown): Promise<ReadonlyMap<string, ProcessBlock>>;
}

/**
 * Works for the coordinator of a run folder until it wants no more; this is a worker process's whole life. When the
 * coordinator is gone the process ends at once, by SIGKILL, with all that it started. Throws when it cannot join or load.
 */
export async function runWorker({ runDirectory, workerId, load }: WorkerOptions): Promise<void> {
  const folder = new RunFolder(runDirectory);
  const credentials = readCredentials(folder);
  const connection = await join(credentials, { role: 'worker', workerId });
  let over = false;
  void connection.closed.then(() => {
    if (!over) endProcess();
  });
  const { message, payload } = await connection.next();
  if (message.type !== 'welcome') {
    throw new BlockwrightError('ERR_PROTOCOL', `expected the message welcome, found ${message.type}`);
  }
  const { epoch, tasks, heartbeatSeconds } = message as unknown as Welcome;
  const heartbeat = new Heartbeat(credentials, workerId, heartbeatSeconds);
  const config: unknown = JSON.parse(Buffer.from(payload).toString('utf8'));
  const runner = new BlockRunner({
    connection,
    heartbeat,
    folder,
    workerId,
    epoch,
    taskNames: tasks,
    tasks: await load(config),
  });
  await runner.run();
  over = true;
  await heartbeat.stop();
  connection.end();
}

interface Welcome {
  readonly epoch: number;
  readonly tasks: readonly string[];
  readonly heartbeatSeconds: number;
}
