import { join } from 'node:path';
import type { Executor } from '../coordinator/executor.js';
import { BlockwrightError } from '../errors.js';
import { BatchExecutor } from '../executors/batch-executor.js';
import type { BatchSystem } from '../executors/batch-system.js';
import { Slurm } from '../executors/slurm.js';
import { LocalExecutor } from '../workers/local-executor.js';
import type { ExecutorConfig } from './executor-schema.js';
import type { Pipeline } from './pipeline.js';

/** The script that workers are started with. */
const PROGRAM = join(import.meta.dirname, '..', '..', '..', 'bin', 'blockwright.js');

/** What starts the workers of a pipeline, as its file says. */
export function executorOf({ executor, name }: Pick<Pipeline, 'executor' | 'name'>): Executor {
  const system = batchSystemOf(executor);
  if (system === undefined || executor.type === 'local') return localWorkers();
  return new BatchExecutor({ system, command: workerCommand(), label: name, pollSeconds: executor.pollSeconds });
}

/** Workers as child processes of this one, with the command line's program. */
export function localWorkers(): Executor {
  return new LocalExecutor({ command: process.execPath, args: [PROGRAM, 'worker'] });
}

/** The script that a run of a pipeline submits, if its executor is a batch system; throws ERR_CONFIG for another. */
export function batchScript({ executor, name, runDirectory }: Pipeline, workers = executor.workers ?? 1): string {
  const system = batchSystemOf(executor);
  if (system === undefined) {
    throw new BlockwrightError('ERR_CONFIG', `executor.type is ${executor.type}: nothing is submitted to a cluster`);
  }
  const workerIds = Array.from({ length: workers }, (_, number) => `1.${number}`);
  return system.script({ name: `${name}-plan`, workerIds, runDirectory, command: workerCommand() });
}

function batchSystemOf(executor: ExecutorConfig): BatchSystem | undefined {
  return executor.type === 'slurm' ? new Slurm(executor) : undefined;
}

function workerCommand(): string[] {
  // the signal that warns a worker would wake up the debugger, until the worker listens to it
  const quiet = '--disable-sigusr1';
  const flags = process.allowedNodeEnvironmentFlags.has(quiet) ? [quiet] : [];
  return [process.execPath, ...flags, PROGRAM, 'worker'];
}
