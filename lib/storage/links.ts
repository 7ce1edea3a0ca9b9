import { lstat, realpath } from 'node:fs/promises';
import { sep } from 'node:path';
import { codeOf } from '../errors.js';

/**
 * Whether links on the way from a folder to something below it lead out of the folder, or nowhere. A store may come from anyone:
 * what it links to outside itself is not read.
 *
 * @throws the system's error where nothing is there
 */
export async function leadsOut(folder: string, path: string): Promise<boolean> {
  await lstat(path);
  try {
    const [outer, inner] = await Promise.all([realpath(folder), realpath(path)]);
    return inner !== outer && !inner.startsWith(outer.endsWith(sep) ? outer : outer + sep);
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ELOOP') return true;
    throw error;
  }
}
