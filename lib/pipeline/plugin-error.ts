import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { BlockwrightError, messageOf } from '../errors.js';

/** Why a plugin's module could not be loaded, with the place in it as far as it can be found. */
export function pluginError(path: string, error: unknown): BlockwrightError {
  const place = existsSync(path) ? placeOf(path, error) : undefined;
  const reason = existsSync(path) ? messageOf(error) : 'there is no such file';
  const text = `cannot load the plugin ${path}: ${reason}${place === undefined ? '' : ` (at ${place})`}`;
  return new BlockwrightError('ERR_PLUGIN', text, { path }, { cause: error });
}

/** 'boundary-map.js:3:7' with the whole path. */
function placeOf(path: string, error: unknown): string | undefined {
  const { name, stack } = (typeof error === 'object' && error !== null ? error : {}) as Partial<Error>;
  if (typeof stack !== 'string') return undefined;
  const [, url, position] = /(file:\/\/\S+?)((?::\d+){1,2})\)?$/m.exec(stack) ?? [];
  // Where the first frame is ours, the error came from no module of the plugin's.
  if (url !== undefined && !url.startsWith(new URL('../', import.meta.url).href)) return fileURLToPath(url) + position;
  if (name !== 'SyntaxError') return undefined;
  // Node keeps the place of a syntax error to itself, but tells it when asked to check a text.
  const check = spawnSync(process.execPath, ['--check', '--input-type=module', '-'], {
    input: readFileSync(path),
    encoding: 'utf8',
  });
  const line = /^\[stdin\]:(\d+)$/m.exec(check.stderr)?.[1];
  return line === undefined ? undefined : `${path}:${line}`;
}
