import { stat } from 'node:fs/promises';
import { BlockwrightError } from '../errors.js';
import { loadPipeline } from '../pipeline/file.js';
import type { CommandContext } from './command.js';

/** The run directory that an argument means: itself, or that of the pipeline file. */
export async function findRunDirectory(path: string, context: CommandContext): Promise<string> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory()) return path;
  return (await loadPipeline(path, { definitions: await context.definitions() })).runDirectory;
}

export function noRun(runDirectory: string): BlockwrightError {
  return new BlockwrightError('ERR_CONFIG', `${runDirectory}: there is no run`);
}
