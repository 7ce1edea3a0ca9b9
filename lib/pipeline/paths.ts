import { realpathSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import { isAddress } from '../storage/address.js';

/** A path of the file, absolute; an address such as https://... is left alone. */
export function resolvePath(folder: string, path: string): string {
  if (isAddress(path)) return path;
  return isAbsolute(path) ? resolve(path) : resolve(folder, path);
}

/** An absolute path without links, of what need not be there; anything else is left alone. */
export function withoutLinks(path: string): string {
  if (!isAbsolute(path)) return path;
  try {
    return realpathSync(path);
  } catch {
    const folder = dirname(path);
    return folder === path ? path : join(withoutLinks(folder), basename(path));
  }
}
