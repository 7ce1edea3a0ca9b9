import { dirname, join } from 'node:path';
import { exists, replaceFile } from './array-folder.js';

const METADATA_FILES = ['zarr.json', '.zgroup', '.zarray'];

/**
 * Makes groups of the folders above an array, up to the nearest one whose name ends in .zarr, where they are nothing to zarr yet:
 * so `zarr.open('x.zarr')['labels']` finds `x.zarr/labels`. Without such a folder nothing is made; a folder that lets nobody write
 * stays as it is, for the array can be opened without it.
 */
export async function makeParentGroups(path: string, zarrFormat: 2 | 3): Promise<void> {
  for (const folder of parentGroups(path)) await makeGroup(folder, zarrFormat);
}

/** The folders above an array up to the nearest one whose name ends in .zarr, nearest first; none without such a folder. */
export function parentGroups(path: string): string[] {
  const folders: string[] = [];
  for (let folder = dirname(path); folder !== dirname(folder); folder = dirname(folder)) {
    folders.push(folder);
    if (folder.endsWith('.zarr')) return folders;
  }
  return [];
}

async function makeGroup(folder: string, zarrFormat: 2 | 3): Promise<void> {
  for (const name of METADATA_FILES) {
    if (await exists(join(folder, name))) return;
  }
  const [name, content] =
    zarrFormat === 3
      ? ['zarr.json', { zarr_format: 3, node_type: 'group', attributes: {} }]
      : ['.zgroup', { zarr_format: 2 }];
  try {
    await replaceFile(join(folder, name), `${JSON.stringify(content)}\n`);
  } catch (error) {
    const { details } = error as { details?: { errno?: unknown } };
    if (!['EACCES', 'EPERM', 'EROFS'].includes(String(details?.errno))) throw error;
  }
}
