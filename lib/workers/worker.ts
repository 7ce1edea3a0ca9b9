import { readCredentials } from '../coordinator/control-folder.js';
import { RunFolder } from '../coordinator/run-folder.js';
import { BlockwrightError } from '../errors.js';
import { BlockRunner, type ProcessBlock } from './block-runner.js';
import { Heartbeat } from './heartbeat.js';
import { join } from './join.js';
import { endProcess } from './process-end.js';
import { Warnings } from './warnings.js';

export interface WorkerOptions {
  readonly runDirectory: string;
  /** As the executor was given it. */
  readonly workerId: string;
  /** How long a block that runs may go on when SIGUSR1 says that the worker's time is soon over. @default 50 */
  readonly drainSeconds?: number | undefined;
  /** Makes the tasks of the coordinator's `workerConfig`: for each name what runs a block. */
  load(workerConfig: unknown): Promise<ReadonlyMap<string, ProcessBlock>>;
}

/**
 * Works for the coordinator of a run folder until it wants no more; this is a worker process's whole life. When the
 * coordinator is gone the process ends at once, by SIGKILL, with all that it started. Warned by SIGUSR1 or SIGTERM it takes no more
 * blocks, ends or gives back the one at work, and returns. Throws when it cannot join or load.
 */
export async function runWorker(options: WorkerOptions): Promise<void> {
  const { runDirectory, workerId, load } = options;
  const warnings = new Warnings(options.drainSeconds);
  const folder = new RunFolder(runDirectory);
  const { connection, credentials } = await join(readCredentials(folder), { role: 'worker', workerId });
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
  warnings.listen((milliseconds) => runner.drain(milliseconds));
  await runner.run();
  over = true;
  warnings.close();
  await heartbeat.stop();
  connection.end();
}

interface Welcome {
  readonly epoch: number;
  readonly tasks: readonly string[];
  readonly heartbeatSeconds: number;
}
