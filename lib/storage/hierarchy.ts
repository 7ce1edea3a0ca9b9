import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '../errors.js';
import { exists, readDocument } from './array-folder.js';
import { type ConsolidatedNode, readConsolidated } from './consolidated.js';
import { type Image, imagesOf } from './image-group.js';
import { innerStore } from './inner-path.js';
import { ioError } from './io-error.js';

/** An array or a group below a folder. */
export type HierarchyNode = {
  /** Relative to the folder that was listed, '/' between names; '' for the folder itself. */
  readonly path: string;
} & (
  | { readonly kind: 'array'; readonly zarrFormat: 2 | 3 }
  /** A group; with the OME-Zarr images that it describes, mostly none or one. Their levels are listed as arrays too. */
  | { readonly kind: 'group'; readonly zarrFormat: 2 | 3; readonly images: readonly Image[] }
  /** Metadata that cannot be read. */
  | { readonly kind: 'damaged'; readonly error: unknown }
);

export interface Hierarchy {
  /** Ordered by path, so a group comes before what it holds. */
  readonly nodes: readonly HierarchyNode[];
  /** False where the limits left something out. */
  readonly complete: boolean;
}

export interface HierarchyOptions {
  /** Names in a path. @default 8 */
  readonly maxDepth?: number;
  /** Folders that are looked into, or entries of consolidated metadata. @default 10 000 */
  readonly maxFolders?: number;
  /** Whether consolidated metadata is believed; else all folders are looked into. @default true */
  readonly consolidated?: boolean;
}

/**
 * Lists the arrays and groups in a folder: from its consolidated metadata where it has some (as zarr readers do; an entry may
 * then be out of date), else by looking into the folders below. Folders without metadata are looked into too, since no group is
 * needed above an array. Links to arrays are listed as arrays; no other link is followed. Nothing is read of an array but its kind.
 *
 * @param path absolute path of a folder
 * @returns no nodes where there is no folder, or nothing of zarr in it
 * @throws ERR_IO
 */
export async function listHierarchy(path: string, options: HierarchyOptions = {}): Promise<Hierarchy> {
  const { maxDepth = 8, maxFolders = 10_000, consolidated: isBelieved = true } = options;
  // A damaged copy is no loss: the folders say the same, and what is wrong with them.
  const consolidated = isBelieved ? await readConsolidated(path).catch(() => undefined) : undefined;
  if (consolidated !== undefined) {
    const within = consolidated.filter((node) => depthOf(node.path) <= maxDepth);
    const nodes = within.slice(0, maxFolders).map(nodeOf);
    return { nodes: nodes.sort(byPath), complete: nodes.length === consolidated.length };
  }
  const nodes: HierarchyNode[] = [];
  let complete = true;
  let folders = 0;
  const open = [''];
  for (let inner = open.pop(); inner !== undefined; inner = open.pop()) {
    if (++folders > maxFolders) {
      complete = false;
      break;
    }
    const found = await nodeAt(innerStore(path, inner));
    const node = found === undefined ? undefined : { ...found, path: inner };
    if (node !== undefined) nodes.push(node);
    if (node?.kind === 'array' || node?.kind === 'damaged') continue;
    const { names, links } = await foldersIn(innerStore(path, inner));
    if (names.length + links.length > 0 && depthOf(inner) === maxDepth) {
      complete = false;
      continue;
    }
    for (const name of names) open.push(innerPathTo(inner, name));
    for (const name of links) {
      const there = innerPathTo(inner, name);
      const linked = await nodeAt(innerStore(path, there));
      if (linked !== undefined && linked.kind !== 'group') nodes.push({ ...linked, path: there });
    }
  }
  return { nodes: nodes.sort(byPath), complete };
}

const innerPathTo = (folder: string, name: string) => (folder === '' ? name : `${folder}/${name}`);

const depthOf = (path: string) => (path === '' ? 0 : path.split('/').length);

function byPath(a: HierarchyNode, b: HierarchyNode): number {
  return a.path < b.path ? -1 : a.path > b.path ? 1 : 0;
}

function nodeOf({ path, kind, zarrFormat, attributes }: ConsolidatedNode): HierarchyNode {
  if (kind === 'array') return { path, kind, zarrFormat };
  try {
    return { path, kind, zarrFormat, images: imagesOf(attributes) };
  } catch (error) {
    return { path, kind: 'damaged', error };
  }
}

/** What a folder itself is, with the path ''; undefined where it holds no metadata. */
export async function nodeAt(folder: string): Promise<HierarchyNode | undefined> {
  const path = '';
  try {
    const v3 = await readDocument(join(folder, 'zarr.json'));
    if (v3 !== undefined) {
      const kind = v3.oneOf('node_type', ['array', 'group'] as const);
      if (kind === 'array') return { path, kind, zarrFormat: 3 };
      return { path, kind, zarrFormat: 3, images: imagesOf(v3.optionalObject('attributes')) };
    }
    if (await exists(join(folder, '.zarray'))) return { path, kind: 'array', zarrFormat: 2 };
    const attributes = await readDocument(join(folder, '.zattrs'));
    const images = attributes === undefined ? [] : imagesOf(attributes);
    const isGroup = images.length > 0 || (await exists(join(folder, '.zgroup')));
    return isGroup ? { path, kind: 'group', zarrFormat: 2, images } : undefined;
  } catch (error) {
    return { path, kind: 'damaged', error };
  }
}

/** Folders in a folder, last name first, and links, which may lead to more; hidden ones are left out. */
async function foldersIn(folder: string): Promise<{ readonly names: string[]; readonly links: string[] }> {
  try {
    const entries = (await readdir(folder, { withFileTypes: true })).filter(({ name }) => !name.startsWith('.'));
    const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
    const links = entries.filter((entry) => entry.isSymbolicLink()).map(({ name }) => name);
    return { names: names.sort().reverse(), links };
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return { names: [], links: [] };
    throw ioError('listing', folder, error);
  }
}
