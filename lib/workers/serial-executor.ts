import type { Connection } from '../coordinator/connection.js';
import { readCredentials } from '../coordinator/control-folder.js';
import type { Executor, WorkerEnd, WorkerHandle, WorkerRequest } from '../coordinator/executor.js';
import { describeThrown } from '../coordinator/messages.js';
import { RunFolder } from '../coordinator/run-folder.js';
import { BlockwrightError } from '../errors.js';
import { BlockRunner, type ProcessBlock } from './block-runner.js';
import { join } from './join.js';

export interface SerialExecutorOptions {
  /** Makes the tasks of the coordinator's `workerConfig`, as {@link runWorker} has it. */
  load(workerConfig: unknown): Promise<ReadonlyMap<string, ProcessBlock>>;
  /** Called at once for what a block throws. */
  readonly onThrown?: ((task: string, block: number, error: unknown) => void) | undefined;
}

/**
 * Runs blocks in the coordinator's own process, one after the other, for debuggers: the worker is a second party in this
 * process, which speaks to the coordinator as any other does. Use it with one worker. A block cannot be killed here: one that
 * does not heed its signal is waited for.
 */
export class SerialExecutor implements Executor {
  readonly name = 'serial';
  readonly startSeconds = Number.POSITIVE_INFINITY;
  readonly endSeconds = Number.POSITIVE_INFINITY;

  constructor(private readonly options: SerialExecutorOptions) {}

  start(request: WorkerRequest): WorkerHandle {
    let runner: BlockRunner | undefined;
    let killed = false;
    const kill = () => {
      killed = true;
      runner?.drain(0);
    };
    const work = async (): Promise<WorkerEnd> => {
      try {
        await this.work(request, (made) => {
          runner = made;
          if (killed) kill();
        });
        return { status: 0, signal: null, lastLines: '' };
      } catch (error) {
        return { status: 1, signal: null, lastLines: describeThrown(error).stack };
      }
    };
    return { description: `process ${process.pid}, which runs the coordinator too`, ended: work(), kill };
  }

  private async work(
    { runDirectory, workerId }: WorkerRequest,
    onRunner: (runner: BlockRunner) => void,
  ): Promise<void> {
    const folder = new RunFolder(runDirectory);
    const { connection, credentials } = await join(readCredentials(folder), { role: 'worker', workerId });
    let heartbeat: Heartbeat | undefined;
    try {
      const { message, payload } = await connection.next();
      if (message.type !== 'welcome') {
        throw new BlockwrightError('ERR_PROTOCOL', `expected the message welcome, found ${message.type}`);
      }
      const { epoch, tasks, heartbeatSeconds } = message as unknown as Welcome;
      const loaded = await this.options.load(JSON.parse(Buffer.from(payload).toString('utf8')));
      heartbeat = new Heartbeat(
        (await join(credentials, { role: 'heartbeat', workerId })).connection,
        heartbeatSeconds,
      );
      const telling = new Map([...loaded].map(([task, run]) => [task, this.telling(task, run)]));
      const runner = new BlockRunner({
        connection,
        heartbeat,
        folder,
        workerId,
        epoch,
        taskNames: tasks,
        tasks: telling,
      });
      void connection.closed.then(() => runner.drain(0));
      onRunner(runner);
      await runner.run();
    } finally {
      heartbeat?.stop();
      connection.end();
    }
  }

  private telling(task: string, run: ProcessBlock): ProcessBlock {
    return async (block, context) => {
      try {
        return await run(block, context);
      } catch (error) {
        this.options.onThrown?.(task, block, error);
        throw error;
      }
    };
  }
}

interface Welcome {
  readonly epoch: number;
  readonly tasks: readonly string[];
  readonly heartbeatSeconds: number;
}

/** Signs of life without a thread: while this process stands still, the coordinator and its clock do too. */
class Heartbeat {
  private running = 0;
  private told = 0;
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly connection: Connection,
    seconds: number,
  ) {
    this.beat();
    this.timer = setInterval(() => this.beat(), seconds * 1000);
  }

  show(lease: number): void {
    this.running = lease;
  }

  named(lease: number): boolean {
    return this.told === lease;
  }

  stop(): void {
    clearInterval(this.timer);
    this.connection.end();
  }

  private beat(): void {
    this.told = this.running;
    this.connection.send({ type: 'heartbeat', running: this.running });
  }
}
