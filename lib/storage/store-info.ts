import { join } from 'node:path';
import { messageOf } from '../errors.js';
import { type ArrayInfo, arrayInfo } from './array-info.js';
import { ChunkedArray } from './chunked-array.js';
import { listHierarchy } from './hierarchy.js';
import type { ImageAxis } from './image-group.js';

/** An OME-Zarr image of a group: its axes, and the paths of its levels in the group, finest first. */
export interface ImageInfo {
  readonly axes: readonly ImageAxis[];
  readonly levels: readonly {
    readonly path: string;
    readonly scale: readonly number[];
    readonly translation: readonly number[];
  }[];
}

/** Something in a group that cannot be opened. */
export interface UnreadableInfo {
  readonly kind: 'unreadable';
  readonly path: string;
  readonly message: string;
}

/** A group, and all arrays in it and in the groups below. */
export interface GroupInfo {
  readonly kind: 'group';
  readonly path: string;
  readonly zarrFormat?: 2 | 3;
  /** Images of the group itself. */
  readonly images: readonly ImageInfo[];
  readonly arrays: readonly (ArrayInfo | UnreadableInfo)[];
  /** False where there are more than were looked at. */
  readonly complete: boolean;
}

/**
 * Looks at an array, or at all arrays of a group or image.
 *
 * @param path absolute path of a folder
 * @param options.limit chunk files of an array after which counting stops @default 20 000
 * @throws as {@link ChunkedArray.open} when what stands there is no array or group that can be opened
 */
export async function storeInfo(
  path: string,
  options: { readonly limit?: number } = {},
): Promise<ArrayInfo | GroupInfo> {
  const { nodes, complete } = await listHierarchy(path);
  const [first] = nodes;
  if (first === undefined || (first.path === '' && first.kind !== 'group')) {
    const array = await ChunkedArray.open(path);
    if (first?.kind === 'damaged') throw first.error;
    return arrayInfo(array, options);
  }
  const group = first.path === '' && first.kind === 'group' ? first : undefined;
  const arrays: (ArrayInfo | UnreadableInfo)[] = [];
  for (const node of nodes) {
    if (node.kind === 'group') continue;
    const folder = join(path, node.path);
    try {
      if (node.kind === 'damaged') throw node.error;
      arrays.push(await arrayInfo(await ChunkedArray.open(folder), options));
    } catch (error) {
      arrays.push({ kind: 'unreadable', path: folder, message: messageOf(error) });
    }
  }
  return {
    kind: 'group',
    path,
    ...(group === undefined ? {} : { zarrFormat: group.zarrFormat }),
    images: (group?.images ?? []).map(({ axes, levels }) => ({
      axes,
      levels: levels.map((level) => ({
        path: level.path,
        scale: level.scale.map((value) => value.toNumber()),
        translation: level.translation.map((value) => value.toNumber()),
      })),
    })),
    arrays,
    complete,
  };
}
