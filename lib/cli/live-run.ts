import { ControlClient } from '../coordinator/control-client.js';
import { type RunStatus, readRunStatus } from '../coordinator/run-status.js';
import type { Console } from './console.js';
import { firstLine } from './format.js';
import { noRun } from './run-directory.js';

/** A run, and a connection to it while it is at work and answers. */
export interface FoundRun {
  readonly status: RunStatus;
  readonly client: ControlClient | undefined;
  /** Why there is none, of a run at work. */
  readonly silence: string | undefined;
}

/** Finds out how a run stands and asks for its process. Throws ERR_CONFIG when there is none. */
export async function findRun(runDirectory: string): Promise<FoundRun> {
  const status = readRunStatus(runDirectory);
  if (status === undefined) throw noRun(runDirectory);
  if (status.owner === undefined) return { status, client: undefined, silence: undefined };
  let silence: string | undefined;
  const client = await ControlClient.find(runDirectory, (reason) => {
    silence = `process ${status.owner?.pid} on host ${status.owner?.host} does not answer: ${firstLine(reason)}`;
  });
  return { status, client, silence };
}

/** Says so where what follows comes from the run's files, though the run is at work. */
export function saySilence({ silence }: FoundRun, console: Console): void {
  if (silence !== undefined) console.error(`From the run's files, for its ${silence}`);
}
