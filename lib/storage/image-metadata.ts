import { rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { BlockwrightError } from '../errors.js';
import { createFolder, readDocument, replaceFile } from './array-folder.js';
import { Document, type JsonObject } from './document.js';
import { type Json, stringifyJson } from './exact-json.js';
import { nodeAt } from './hierarchy.js';
import { imagesOf } from './image-group.js';
import { ioError } from './io-error.js';

/** 0.4 is zarr v2, 0.5 zarr v3. */
export type ImageVersion = '0.4' | '0.5';

/** A multiscale of OME-Zarr metadata, as JSON; other members stay. */
export interface Multiscale extends JsonObject {
  readonly datasets: (JsonObject & { readonly path: string; readonly coordinateTransformations: JsonObject[] })[];
}

/** The zarr format of an image's group and levels. */
export function zarrFormatOf(version: ImageVersion): 2 | 3 {
  return version === '0.4' ? 2 : 3;
}

/** Why an image of this version cannot stand in a folder, or undefined where it can. */
export async function whyNoImageAt(path: string, version: ImageVersion): Promise<string | undefined> {
  const node = await nodeAt(path);
  if (node === undefined) return undefined;
  if (node.kind === 'damaged') throw node.error;
  if (node.kind === 'array') return 'an array is there';
  if (node.zarrFormat === zarrFormatOf(version)) return undefined;
  return `a zarr v${node.zarrFormat} group is there, and OME-Zarr ${version} is zarr v${zarrFormatOf(version)}`;
}

/**
 * Changes one multiscale of a group's attributes, and makes the group where it is not there. Readers see the old or the new
 * metadata; durable when the promise resolves.
 *
 * @param levels paths by which the multiscale is known: the first that has one of them is changed, else one is added
 * @param change gets the multiscale that is there, checked, or undefined
 */
export async function writeMultiscale(
  path: string,
  version: ImageVersion,
  levels: readonly string[],
  change: (found: Multiscale | undefined) => Multiscale,
): Promise<void> {
  const reason = await whyNoImageAt(path, version);
  if (reason !== undefined) throw new BlockwrightError('ERR_ARRAY_EXISTS', `${path}: ${reason}`, { path });
  const file = join(path, version === '0.4' ? '.zattrs' : 'zarr.json');
  const document = (await readDocument(file)) ?? Document.of(file, {});
  const attributes = version === '0.4' ? document : document.optionalObject('attributes');
  const owner = version === '0.4' || !attributes.has('ome') ? attributes : attributes.object('ome');
  imagesOf(attributes); // refuses what cannot be kept
  const multiscales = (owner.get('multiscales') ?? []) as Multiscale[];
  const at = multiscales.findIndex(({ datasets }) => datasets.some((dataset) => levels.includes(dataset.path)));
  const changed = named(change(at < 0 ? undefined : multiscales[at]), path, version);
  const list: Json[] = at < 0 ? [...multiscales, changed] : multiscales.with(at, changed);
  if (version === '0.4') {
    await write(path, '.zgroup', { zarr_format: 2 });
    await write(path, '.zattrs', { ...document.members, multiscales: list });
    await remove(join(path, '.zmetadata'));
    return;
  }
  const { consolidated_metadata: _stale, ...rest } = document.members;
  const ome = { ...(attributes.has('ome') ? owner.members : {}), version, multiscales: list };
  await write(path, 'zarr.json', {
    zarr_format: 3,
    node_type: 'group',
    ...rest,
    attributes: { ...attributes.members, ome },
  });
}

/** With a version, where this version of OME-Zarr has it here, and a name. */
function named(multiscale: Multiscale, path: string, version: ImageVersion): Multiscale {
  return {
    ...(version === '0.4' ? { version } : {}),
    name: basename(path).replace(/(\.ome)?\.zarr$/, ''),
    ...multiscale,
  };
}

async function write(folder: string, name: string, content: JsonObject): Promise<void> {
  const file = join(folder, name);
  const text = `${stringifyJson(content, file)}\n`;
  await createFolder(folder);
  await replaceFile(file, text);
}

async function remove(file: string): Promise<void> {
  try {
    await rm(file, { force: true });
  } catch (error) {
    throw ioError('removing', file, error);
  }
}
