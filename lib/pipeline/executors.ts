import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Executor } from '../coordinator/executor.js';
import type { PoolOptions } from '../coordinator/worker-pools.js';
import { LocalExecutor } from '../workers/local-executor.js';
import type { PipelineConfig } from './schema.js';

/** The script that workers are started with. */
const PROGRAM = join(import.meta.dirname, '..', '..', '..', 'bin', 'blockwright.js');

/** The executor that a pipeline describes, with the command line's program as worker. */
export function makeExecutor(_config: PipelineConfig['executor']): Executor {
  return new LocalExecutor({ command: process.execPath, args: [PROGRAM, 'worker'] });
}

/** The same with as many workers as it says, or as the machine has cores. */
export function makePool(config: PipelineConfig['executor']): PoolOptions {
  return { executor: makeExecutor(config), workers: config.workers ?? availableParallelism() };
}
