import { join } from 'node:path';
import type { Executor } from '../coordinator/executor.js';
import { LocalExecutor } from '../workers/local-executor.js';

/** The script that workers are started with. */
const PROGRAM = join(import.meta.dirname, '..', '..', '..', 'bin', 'blockwright.js');

/** Workers as child processes of this one, with the command line's program. */
export function localWorkers(): Executor {
  return new LocalExecutor({ command: process.execPath, args: [PROGRAM, 'worker'] });
}
