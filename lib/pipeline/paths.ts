import { isAbsolute, resolve } from 'node:path';

/** A path of the file, absolute; an address such as https://... is left alone. */
export function resolvePath(folder: string, path: string): string {
  if (/^[a-z][a-z0-9+.-]+:\/\//.test(path)) return path;
  return isAbsolute(path) ? resolve(path) : resolve(folder, path);
}
