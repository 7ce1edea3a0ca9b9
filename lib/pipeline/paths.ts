import { isAbsolute, resolve } from 'node:path';
import { isAddress } from '../storage/address.js';

/** A path of the file, absolute; an address such as https://... is left alone. */
export function resolvePath(folder: string, path: string): string {
  if (isAddress(path)) return path;
  return isAbsolute(path) ? resolve(path) : resolve(folder, path);
}
