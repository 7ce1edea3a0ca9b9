import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { lockOwner } from '../coordinator/run-lock.js';
import { BlockwrightError } from '../errors.js';
import { loadPipeline } from '../pipeline/file.js';

/** The run directory that an argument means: itself, or that of the pipeline file. */
export async function findRunDirectory(path: string): Promise<string> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory()) return path;
  return (await loadPipeline(path)).runDirectory;
}

export function noRun(runDirectory: string): BlockwrightError {
  return new BlockwrightError('ERR_CONFIG', `${runDirectory}: there is no run`);
}

/** Throws ERR_RUN_LOCKED while a coordinator has the run folder. */
export function refuseRunAtWork(runDirectory: string): void {
  const owner = existsSync(runDirectory) ? lockOwner(runDirectory) : undefined;
  if (owner === undefined) return;
  throw new BlockwrightError(
    'ERR_RUN_LOCKED',
    `${runDirectory}: expected a run that is not at work, found process ${owner.pid} on host ${owner.host} at work. ` +
      'Stop it with: blockwright cancel',
  );
}
