import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, fstatSync, mkdirSync, openSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname } from 'node:path';
import type { Executor, WorkerEnd, WorkerHandle, WorkerRequest } from '../coordinator/executor.js';
import { diedOutOfMemory } from '../coordinator/out-of-memory.js';
import { messageOf } from '../errors.js';
import { readTail } from './log-tail.js';
import { MemoryKills } from './memory-kills.js';
import { threadCounts } from './thread-counts.js';

export interface LocalExecutorOptions {
  /** The program that runs {@link runWorker}; it gets `--run-directory DIR --worker-id ID` after `args`. */
  readonly command: string;
  readonly args?: readonly string[] | undefined;
  /** Set beside this process's environment. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Threads that libraries in a worker may use. They read it when they start, so a worker cannot set it itself. @default 1 */
  readonly threads?: number | undefined;
  /** How many processes the kernel has ended for want of memory. @default as the kernel counts */
  readonly countMemoryKills?: (() => number | undefined) | undefined;
}

/** Bytes of a worker's log where what V8 prints when memory runs out is looked for: it goes on for long after it said so. */
const REPORT = 65_536;
const OUT_OF_MEMORY = { cause: 'out-of-memory' } as const;

/** Starts workers as child processes of the coordinator. */
export class LocalExecutor implements Executor {
  readonly name = 'local';
  readonly startSeconds = 120;
  readonly startsAtOnce = availableParallelism();

  private readonly memoryKills: MemoryKills;

  constructor(private readonly options: LocalExecutorOptions) {
    this.memoryKills = new MemoryKills(options.countMemoryKills);
  }

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
    let killed = false;
    const child = spawn(command, [...args, '--run-directory', runDirectory, '--worker-id', workerId], {
      // a group of its own: Ctrl-C in the terminal is for the coordinator, and what a worker starts ends with it
      detached: true,
      stdio: ['ignore', log, log],
      env: { ...process.env, ...threadCounts(threads), ...env },
    });
    const ended = new Promise<WorkerEnd>((resolve) => {
      const end = (status: number | null, signal: string | null, reason?: string) => {
        const lastLines = reason ?? readTail(log, begin);
        // what it started and left behind
        if (child.pid !== undefined) killGroup(child.pid);
        // 137: a shell between us and the worker says it so
        const cut = !killed && (signal === 'SIGKILL' || status === 137) && this.memoryKills.claim();
        const outOfMemory = cut || (status !== 0 && diedOutOfMemory(readTail(log, begin, REPORT)));
        closeSync(log);
        resolve({ status, signal, lastLines, ...(outOfMemory ? OUT_OF_MEMORY : {}) });
      };
      child.once('exit', (status, signal) => end(status, signal));
      child.once('error', (error) => {
        if (child.pid === undefined) end(null, null, error.message);
      });
    });
    const killIt = () => {
      killed = true;
      kill(child);
    };
    return { description: `process ${child.pid ?? 'not started'}`, ended, kill: killIt };
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
