import { describeThrown } from '../coordinator/messages.js';
import type { PipelinePlan } from '../pipeline/plan.js';
import { runPlan } from '../pipeline/run.js';
import type { RoiInput } from '../pipeline/wanted-tasks.js';
import type { Console } from './console.js';
import { type ExitCode, exitCodeOfResult } from './exit-code.js';
import { createProgress } from './progress.js';
import { noticeOf } from './run-notices.js';
import { onStopRequests } from './stop-requests.js';
import { summaryText } from './summary.js';

export interface RunArguments {
  readonly file: string;
  readonly workers: number | undefined;
  /** Seconds. */
  readonly deadline?: number | undefined;
  readonly roi?: RoiInput | undefined;
  readonly until?: readonly string[] | undefined;
  readonly serial?: boolean | undefined;
  readonly json: boolean;
  readonly quiet: boolean;
}

/**
 * Runs a plan on this machine, shows how it goes, and stops in order when asked to. It is made before, while Ctrl-C still ends the
 * process: nothing was begun then, and a server that does not answer can hold up a plan for minutes.
 */
export async function runWithProgress(
  plan: PipelinePlan,
  { file, workers, deadline, roi, until, serial, json, quiet }: RunArguments,
  console: Console,
): Promise<ExitCode> {
  const lines = { write: (text: string) => console.out(text.trimEnd()) };
  const progress = quiet ? undefined : createProgress(json ? lines : console.progress, { json });
  const say = (line: string) => (progress === undefined ? console.error(line) : progress.say(line));
  const requests = onStopRequests((request) => {
    if (request === 'stop') say('Stopping: blocks that run may end, no others begin. Ctrl-C again stops at once.');
    else say('Stopping at once: blocks that run are given up.');
  });
  try {
    const result = await runPlan(plan, {
      workers,
      deadlineSeconds: deadline,
      roi,
      until,
      serial,
      onThrown: (task, block, error) => console.error(`${task} block ${block}: ${describeThrown(error).stack}`),
      signal: requests.stop,
      killSignal: requests.kill,
      onEvent: (event) => {
        // others than who started it should not end a run without a word
        if (event.type === 'stop-asked' && progress === undefined) console.error(noticeOf(event) ?? '');
        progress?.onEvent(event);
      },
    });
    progress?.stop();
    if (json) console.out(JSON.stringify({ type: 'result', ...result }));
    else console.out(summaryText(result).trimEnd());
    if (result.failures.length > 0 && !json) console.error(`What failed: blockwright failures ${file}`);
    return exitCodeOfResult(result);
  } finally {
    progress?.stop();
    requests.release();
  }
}
