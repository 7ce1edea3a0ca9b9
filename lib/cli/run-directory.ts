import { stat } from 'node:fs/promises';
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
