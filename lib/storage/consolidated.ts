import { join } from 'node:path';
import { readDocument } from './array-folder.js';
import type { Document } from './document.js';
import { isInnerPath } from './inner-path.js';

/** An array or group that consolidated metadata lists. */
export interface ConsolidatedNode {
  /** Relative to the group; '' for the group itself. */
  readonly path: string;
  readonly kind: 'array' | 'group';
  readonly zarrFormat: 2 | 3;
  readonly attributes: Document;
}

/**
 * What the consolidated metadata of a group lists: zarr v2's `.zmetadata`, or the `consolidated_metadata` in a v3 group's
 * zarr.json. A copy of the metadata of all that is below, which whoever changes that must renew.
 *
 * @returns undefined where the folder has none
 * @throws ERR_METADATA, also for paths that would lead out of the group; ERR_UNSUPPORTED; ERR_IO
 */
export async function readConsolidated(path: string): Promise<readonly ConsolidatedNode[] | undefined> {
  const v3 = await readDocument(join(path, 'zarr.json'));
  if (v3 !== undefined) {
    const is = v3.get('consolidated_metadata');
    return is === undefined || is === null ? undefined : parseV3(v3);
  }
  const v2 = await readDocument(join(path, '.zmetadata'));
  return v2 === undefined ? undefined : parseV2(v2);
}

function checkPath(path: string, metadata: Document): string {
  return path === '' || isInnerPath(path) ? path : metadata.fail(path, 'a relative path inside the group');
}

function parseV3(group: Document): ConsolidatedNode[] {
  const consolidated = group.object('consolidated_metadata');
  if (consolidated.get('kind') !== 'inline') consolidated.unsupported('kind', '"inline"');
  const metadata = consolidated.object('metadata');
  const nodes = Object.keys(metadata.members).map((path): ConsolidatedNode => {
    checkPath(path, metadata);
    const node = metadata.object(path);
    const kind = node.oneOf('node_type', ['array', 'group'] as const);
    return { path, kind, zarrFormat: 3, attributes: node.optionalObject('attributes') };
  });
  const own: ConsolidatedNode = {
    path: '',
    kind: 'group',
    zarrFormat: 3,
    attributes: group.optionalObject('attributes'),
  };
  return [own, ...nodes];
}

function parseV2(file: Document): ConsolidatedNode[] {
  const metadata = file.object('metadata');
  return Object.keys(metadata.members).flatMap((key): ConsolidatedNode[] => {
    const found = /^(?:(.*)\/)?\.z(array|group)$/s.exec(key);
    if (found === null) return [];
    const path = checkPath(found[1] ?? '', metadata);
    const attributes = metadata.optionalObject(path === '' ? '.zattrs' : `${path}/.zattrs`);
    return [{ path, kind: found[2] as 'array' | 'group', zarrFormat: 2, attributes }];
  });
}
