import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { codeOf, messageOf } from '../errors.js';
import { type ExecutorConfig, executorSchema } from './executor-schema.js';
import { resolvePath } from './paths.js';
import { describeValue } from './problem.js';

/**
 * An executor with what it does not say itself taken from its `profile`, a file that `blockwright doctor --save` wrote. Throws an
 * error whose message is for the place where the profile is named.
 */
export function withProfile(config: ExecutorConfig, folder: string): ExecutorConfig {
  if (config.type === 'local' || config.profile === undefined) return config;
  const { profile, ...own } = config;
  const path = resolvePath(folder, profile);
  const defaults = executorOf(path);
  if (!('type' in defaults) || defaults.type !== config.type) {
    const found = 'type' in defaults ? describeValue(defaults.type) : 'none';
    throw new Error(`expected a profile whose executor has type ${config.type}, found ${found}: ${path}`);
  }
  const { data, error } = executorSchema.safeParse({ ...defaults, ...own });
  if (data !== undefined) return data;
  const [{ path: key, message }] = error.issues;
  throw new Error(`${path}: executor${['', ...key.map(String)].join('.')}: ${message}`);
}

function executorOf(path: string): object {
  let content: unknown;
  try {
    content = parse(readFileSync(path, 'utf8'));
  } catch (error) {
    const reason = codeOf(error) === 'ENOENT' ? 'there is no such file' : messageOf(error).split('\n', 1)[0];
    throw new Error(`cannot read the profile ${path}: ${reason}`);
  }
  const executor =
    typeof content === 'object' && content !== null && 'executor' in content ? content.executor : undefined;
  if (typeof executor !== 'object' || executor === null) {
    throw new Error(`expected a profile with an \`executor\`, as doctor --save writes it, found none: ${path}`);
  }
  return executor;
}
