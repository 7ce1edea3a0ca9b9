import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { BlockwrightError, codeOf, messageOf } from '../errors.js';
import { buildPipeline, type Pipeline, type PipelineOptions } from './pipeline.js';
import { problemsError } from './problem.js';
import { parseText } from './source.js';

export interface LoadOptions extends Omit<PipelineOptions, 'folder'> {
  /**
   * Where `${VAR}` is looked up.
   * @default process.env
   */
  readonly environment?: NodeJS.ProcessEnv;
}

/**
 * Reads a pipeline file (YAML or JSON). Relative paths in it are relative to the file; `${VAR}` in values comes from
 * the environment. ERR_CONFIG names everything that is wrong with the file at once, with line and column.
 */
export async function loadPipeline(file: string, options: LoadOptions = {}): Promise<Pipeline> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    const reasons: Record<string, string> = { ENOENT: 'there is no such file', EISDIR: 'it is a folder' };
    const reason = reasons[codeOf(error) ?? ''] ?? messageOf(error);
    throw new BlockwrightError(
      'ERR_CONFIG',
      `cannot read the pipeline file ${file}: ${reason}`,
      { file },
      { cause: error },
    );
  }
  const { value, source, problems, usable } = parseText(text, file, options.environment ?? process.env);
  if (!usable) throw problemsError(problems);
  return buildPipeline(value, { ...options, folder: dirname(resolve(file)), source, problems });
}
