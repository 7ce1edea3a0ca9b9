import { connect } from 'node:net';
import { hostname } from 'node:os';
import { BlockwrightError, codeOf, messageOf } from '../errors.js';
import { authenticateToCoordinator } from './authentication.js';
import { Connection } from './connection.js';
import { readCredentials } from './control-folder.js';
import type { ControlRequest, RetryRequest } from './control-messages.js';
import type { BlockReport, RunReport } from './explain-schedule.js';
import { RunFolder } from './run-folder.js';
import type { LiveStatus } from './run-report.js';

/** Milliseconds for each answer. */
const PATIENCE = 5000;

/** What {@link ControlClient.retry} did. */
export interface RetryAnswer {
  /** Blocks that had failed and are tried again. */
  readonly failed: number;
  /** Blocks that were orphaned and wait again. */
  readonly orphaned: number;
}

/** Asks the coordinator of a run that is at work. */
export class ControlClient {
  private constructor(private readonly connection: Connection) {}

  /**
   * Throws when nobody answers: no run is at work here, its process is stopped or on another host (ERR_AUTHENTICATION,
   * ERR_IO, ERR_PROTOCOL, ERR_UNSUPPORTED).
   */
  static async open(runDirectory: string, patience: number = PATIENCE): Promise<ControlClient> {
    const { socket, key, host } = readCredentials(new RunFolder(runDirectory));
    if (host !== undefined && host !== hostname()) {
      throw new BlockwrightError('ERR_UNSUPPORTED', `expected to be asked on host ${host}, where the run is`);
    }
    const connection = new Connection(connect(socket));
    try {
      const peer = { role: 'control', workerId: `control-${process.pid}` } as const;
      await within(patience, connection, authenticateToCoordinator(connection, key, peer));
      return new ControlClient(connection);
    } catch (error) {
      connection.destroy();
      const errno = codeOf(error);
      if (errno === undefined || errno.startsWith('ERR_')) throw error;
      throw new BlockwrightError('ERR_IO', `socket ${socket}: ${messageOf(error)}`, { errno }, { cause: error });
    }
  }

  /** Undefined where {@link open} would throw; `say` gets the reason. */
  static async find(runDirectory: string, say: (reason: string) => void): Promise<ControlClient | undefined> {
    try {
      return await ControlClient.open(runDirectory);
    } catch (error) {
      say(messageOf(error));
      return undefined;
    }
  }

  status(): Promise<LiveStatus> {
    return this.ask({ type: 'status' }) as Promise<LiveStatus>;
  }

  explainRun(): Promise<RunReport> {
    return this.ask({ type: 'explain-run' }) as Promise<RunReport>;
  }

  /** From the block that was asked for to the one that is the cause, as far as it goes. */
  explainBlock(task: string, block: number): Promise<readonly BlockReport[]> {
    return this.ask({ type: 'explain-block', task, block }) as Promise<readonly BlockReport[]>;
  }

  retry(request: RetryRequest): Promise<RetryAnswer> {
    return this.ask({ type: 'retry', ...request }) as Promise<RetryAnswer>;
  }

  /** Orderly, or at once. Whether it was stopping already. */
  async stop(now: boolean): Promise<boolean> {
    const answer = await this.ask({ type: now ? 'abandon' : 'stop' });
    return (answer as { stopping: boolean }).stopping;
  }

  close(): void {
    this.connection.destroy();
  }

  private async ask(request: ControlRequest | ({ readonly type: 'retry' } & RetryRequest)): Promise<unknown> {
    this.connection.send({ ...request });
    const { message } = await within(PATIENCE, this.connection, this.connection.next());
    if (message.type === 'answer') return message.answer;
    const { message: text = 'no reason was given', code } = (message.error ?? {}) as {
      message?: string;
      code?: string;
    };
    throw new BlockwrightError(code === 'ERR_PROTOCOL' ? 'ERR_PROTOCOL' : 'ERR_CONFIG', text);
  }
}

/** A stopped process takes connections and says nothing. */
async function within<Result>(milliseconds: number, connection: Connection, answer: Promise<Result>): Promise<Result> {
  const silence = new BlockwrightError(
    'ERR_PROTOCOL',
    `the run's process did not answer within ${milliseconds / 1000} s`,
  );
  const timer = setTimeout(() => connection.destroy(silence), milliseconds);
  try {
    return await answer;
  } finally {
    clearTimeout(timer);
  }
}
