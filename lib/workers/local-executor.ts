import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, fstatSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Executor, WorkerEnd, WorkerHandle, WorkerRequest } from '../coordinator/executor.js';
import { messageOf } from '../errors.js';
import { readTail } from './log-tail.js';
import { threadCounts } from './thread-counts.js';

export interface LocalExecutorOptions {
  /** The program that runs {@link runWorker}; it gets `--run-directory DIR --worker-id ID` after `args`. */
  readonly command: string;
  readonly args?: readonly string[] | undefined;
  /** Set beside this process's environment. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Threads that libraries in a worker may use. They read it when they start, so a worker cannot set it itself. @default 1 */
  readonly threads?: number | undefined;
}

/** Starts workers as child processes of the coordinator. */
export class LocalExecutor implements Executor {
  readonly name = 'local';
  readonly startSeconds = 120;

  constructor(private readonly options: LocalExecutorOptions) {}

  start(request: WorkerRequest): WorkerHandle {
    let log: number | undefined;
    try {
      mkdirSync(dirname(request.logFile), { recursive: true });
      log = openSync(request.logFile, 'a+');
      return this.spawn(request, log);
    } catch (error) {
      if (log !== undefined) closeSync(log);
      return neverStarted(error);
    }
  }

  private spawn({ workerId, runDirectory }: WorkerRequest, log: number): WorkerHandle {
    const { command, args = [], env = {}, threads = 1 } = this.options;
    const begin = fstatSync(log).size;
    const child = spawn(command, [...args, '--run-directory', runDirectory, '--worker-id', workerId], {
      // a group of its own: Ctrl-C in the terminal is for the coordinator, and what a worker starts ends with it
      detached: true,
      stdio: ['ignore', log, log],
      env: { ...process.env, ...threadCounts(threads), ...env },
    });
    const ended = new Promise<WorkerEnd>((resolve) => {
      const end = (status: number | null, signal: string | null, reason?: string) => {
        const lastLines = reason ?? readTail(log, begin);
        closeSync(log);
        // what it started and left behind
        if (child.pid !== undefined) killGroup(child.pid);
        resolve({ status, signal, lastLines });
      };
      child.once('exit', (status, signal) => end(status, signal));
      child.once('error', (error) => {
        if (child.pid === undefined) end(null, null, error.message);
      });
    });
    return { description: `process ${child.pid ?? 'not started'}`, ended, kill: () => kill(child) };
  }
}

function kill(child: ChildProcess): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  // the group is made by the child itself, a moment after it began
  if (!killGroup(child.pid)) child.kill('SIGKILL');
}

/** Whether there was such a group. */
function killGroup(leader: number): boolean {
  try {
    process.kill(-leader, 'SIGKILL');
    return true;
  } catch {
    return false;
  }
}

function neverStarted(error: unknown): WorkerHandle {
  const end: WorkerEnd = { status: null, signal: null, lastLines: messageOf(error) };
  return { description: 'not started', ended: Promise.resolve(end), kill: () => undefined };
}
