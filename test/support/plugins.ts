import { join } from 'node:path';

/** The file of a task definition that tests use as a plugin. */
export function pluginPath(name: string): string {
  return join(import.meta.dirname, '..', '..', '..', 'test', 'support', 'plugins', `${name}.js`);
}
