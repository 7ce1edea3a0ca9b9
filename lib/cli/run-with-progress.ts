import { join } from 'node:path';
import type { Pipeline } from '../pipeline/pipeline.js';
import { runPipeline } from '../pipeline/run.js';
import { LocalExecutor } from '../workers/local-executor.js';
import type { CommandContext } from './command.js';
import type { RunArguments } from './commands/run.js';
import { type ExitCode, exitCodeOfResult } from './exit-code.js';
import { onStopRequests } from './stop-requests.js';

/** The script that workers are started with. */
const PROGRAM = join(import.meta.dirname, '..', '..', '..', 'bin', 'blockwright.js');

/** Runs a pipeline on this machine, shows how it goes, and stops in order when asked to. */
export async function runWithProgress(
  pipeline: Pipeline,
  { file, workers, json, quiet }: RunArguments,
  { console }: CommandContext,
): Promise<ExitCode> {
  const again = `Continue with: blockwright resume ${file}`;
  const requests = onStopRequests((request) => {
    if (request === 'stop') {
      console.error('\nStopping: blocks that run may end, no others begin. Ctrl-C again stops at once.');
    } else {
      console.error('\nStopping at once: blocks that run are given up.');
    }
    console.error(again);
  });
  try {
    const result = await runPipeline(pipeline, {
      executor: new LocalExecutor({ command: process.execPath, args: [PROGRAM, 'worker'] }),
      workers,
      signal: requests.stop,
      killSignal: requests.kill,
      onEvent: (event) => {
        if (json) console.out(JSON.stringify(event));
      },
    });
    if (json) console.out(JSON.stringify({ type: 'result', ...result }));
    else if (!quiet) console.out(JSON.stringify(result));
    return exitCodeOfResult(result);
  } finally {
    requests.release();
  }
}
