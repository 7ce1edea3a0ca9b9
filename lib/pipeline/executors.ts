import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Executor } from '../coordinator/executor.js';
import type { PoolOptions } from '../coordinator/worker-pools.js';
import { BlockwrightError } from '../errors.js';
import { BatchExecutor } from '../executors/batch-executor.js';
import type { BatchSystem } from '../executors/batch-system.js';
import { Lsf } from '../executors/lsf.js';
import { Slurm } from '../executors/slurm.js';
import { LocalExecutor } from '../workers/local-executor.js';
import type { ExecutorConfig } from './executor-schema.js';
import type { Pipeline } from './pipeline.js';

/** The script that workers are started with. */
const PROGRAM = join(import.meta.dirname, '..', '..', '..', 'bin', 'blockwright.js');

/**
 * The executor that a pipeline describes, with the command line's program as worker.
 *
 * @param label of the jobs of a batch system, for people
 */
export function makeExecutor(config: ExecutorConfig, label: string): Executor {
  const system = batchSystemOf(config);
  if (system === undefined || config.type === 'local') {
    return new LocalExecutor({ command: process.execPath, args: [PROGRAM, 'worker'] });
  }
  const { pollSeconds, idleSeconds, listen } = config;
  return new BatchExecutor({ system, command: workerCommand(), label, pollSeconds, idleSeconds, listen });
}

/** The same with as many workers as it says, or as the machine has cores. */
export function makePool(config: ExecutorConfig, label: string): PoolOptions {
  return { executor: makeExecutor(config, label), workers: config.workers ?? availableParallelism() };
}

/** The scripts that a run of a pipeline submits, by the executor's name, 'executor' for its own; throws ERR_CONFIG when there are none. */
export function batchScripts({ executor, executors, name, runDirectory }: Pipeline): Map<string, string> {
  const scripts = new Map<string, string>();
  for (const [which, config] of [['executor', executor] as const, ...Object.entries(executors)]) {
    const workerIds = Array.from({ length: config.workers ?? 0 }, (_, number) => `1.${number}`);
    const submission = { name: `${name}-plan`, workerIds, runDirectory, command: workerCommand() };
    const script = batchSystemOf(config)?.script(submission);
    if (script !== undefined) scripts.set(which, script);
  }
  if (scripts.size > 0) return scripts;
  throw new BlockwrightError('ERR_CONFIG', `executor.type is ${executor.type}: nothing is submitted to a cluster`);
}

function batchSystemOf(config: ExecutorConfig): BatchSystem | undefined {
  if (config.type === 'slurm') return new Slurm(config);
  return config.type === 'lsf' ? new Lsf(config) : undefined;
}

function workerCommand(): string[] {
  // the signal that warns a worker would wake up the debugger, until the worker listens to it
  const quiet = '--disable-sigusr1';
  const flags = process.allowedNodeEnvironmentFlags.has(quiet) ? [quiet] : [];
  return [process.execPath, ...flags, PROGRAM, 'worker'];
}
