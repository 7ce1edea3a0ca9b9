import type { Connection, Message } from '../../lib/coordinator/connection.js';
import { readCredentials } from '../../lib/coordinator/control-folder.js';
import type { Executor, WorkerEnd, WorkerHandle, WorkerRequest } from '../../lib/coordinator/executor.js';
import type { LeasedBlock } from '../../lib/coordinator/messages.js';
import { RunFolder } from '../../lib/coordinator/run-folder.js';
import { join } from '../../lib/workers/join.js';

/** A worker played by a test, message by message. */
export class FakeWorker {
  readonly ended: Promise<WorkerEnd>;
  end: (end: WorkerEnd) => void = () => undefined;

  private constructor(
    readonly id: string,
    readonly connection: Connection,
    readonly heartbeat: Connection,
  ) {
    this.ended = new Promise((resolve) => {
      this.end = resolve;
    });
  }

  static async start({ workerId, runDirectory }: WorkerRequest): Promise<FakeWorker> {
    const credentials = readCredentials(new RunFolder(runDirectory));
    const { connection } = await join(credentials, { role: 'worker', workerId });
    const { connection: heartbeat } = await join(credentials, { role: 'heartbeat', workerId });
    const worker = new FakeWorker(workerId, connection, heartbeat);
    await worker.next('welcome');
    return worker;
  }

  /** The next message, which must be of a type. */
  async next(type: string): Promise<Message> {
    const { message } = await this.connection.next();
    if (message.type !== type) throw new Error(`expected ${type}, found ${JSON.stringify(message)}`);
    return message;
  }

  async acquire(): Promise<readonly LeasedBlock[]> {
    this.connection.send({ type: 'work', results: [], acquire: true });
    return (await this.next('lease')).blocks as LeasedBlock[];
  }

  done(lease: number, acquire = false): void {
    this.connection.send({ type: 'work', results: [{ lease, outcome: 'done', seconds: 1 }], acquire });
  }

  call(call: number, lease: number, method: string, header: unknown = null): void {
    this.connection.send({ type: 'call', call, lease, service: 'toy', method, header, stream: false });
  }
}

/** An executor whose workers are played by a test: each start calls `play`, whose end is the worker's. */
export function fakeExecutor(
  play: (worker: FakeWorker, started: number) => Promise<void>,
  network: Pick<Executor, 'listens' | 'listen'> = {},
): Executor {
  let started = 0;
  return {
    name: 'fake',
    ...network,
    start(request) {
      let kill: (end: WorkerEnd) => void = () => undefined;
      const killed = new Promise<WorkerEnd>((resolve) => {
        kill = resolve;
      });
      const number = started++;
      const played = FakeWorker.start(request).then(async (worker): Promise<WorkerEnd> => {
        try {
          await play(worker, number);
          return { status: 0, signal: null, lastLines: '' };
        } catch (error) {
          return { status: 1, signal: null, lastLines: String(error) };
        } finally {
          worker.connection.destroy();
          worker.heartbeat.destroy();
        }
      });
      const handle: WorkerHandle = {
        description: 'fake',
        ended: Promise.race([played, killed]),
        kill: () => kill({ status: null, signal: 'SIGKILL', lastLines: '' }),
      };
      return handle;
    },
  };
}
