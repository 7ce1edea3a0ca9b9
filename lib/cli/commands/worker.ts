import { parseArgs } from 'node:util';
import type { Console } from '../console.js';
import { ExitCode, exitCodeOfError } from '../exit-code.js';
import { printError } from '../print-error.js';

/** A worker process: `worker --run-directory DIR --worker-id ID`, as executors start it. */
export async function worker(argv: readonly string[], console: Console): Promise<ExitCode> {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        'run-directory': { type: 'string' },
        'worker-id': { type: 'string' },
        'drain-seconds': { type: 'string' },
      },
    });
    const { 'run-directory': runDirectory, 'worker-id': workerId } = values;
    if (runDirectory === undefined || workerId === undefined) {
      console.error(
        'blockwright: expected worker --run-directory DIR --worker-id ID; `blockwright run` starts workers',
      );
      return ExitCode.refused;
    }
    const { runWorker } = await import('../../workers/worker.js');
    await runWorker({
      runDirectory,
      workerId,
      drainSeconds: values['drain-seconds'] === undefined ? undefined : Number(values['drain-seconds']),
      load: async (config) => {
        const [{ loadTasks }, { loadBuiltInTasks }] = await Promise.all([
          import('../../pipeline/load-tasks.js'),
          import('../../tasks/built-in.js'),
        ]);
        const given = config as Parameters<typeof loadTasks>[0];
        return loadTasks(given, await loadBuiltInTasks(given.tasks.map(({ type }) => type)));
      },
    });
    return ExitCode.complete;
  } catch (error) {
    printError(error, console, true);
    // Its connections and its heartbeat's thread would keep the process alive, and the coordinator waiting.
    process.exit(exitCodeOfError(error));
  }
}
