import { BlockwrightError, messageOf } from '../errors.js';
import { Coordinate } from '../geometry/coordinate.js';
import { openImage } from './image-group.js';
import { innerStore, isInnerPath } from './inner-path.js';
import { readArray } from './open-array.js';
import { documentsOf } from './store-documents.js';

/** A level of an OME-Zarr image: the path of its array in the group, or its voxel size in world units, one number a physical axis. */
export type Level = string | readonly number[];

/**
 * The store of a level. A path is taken as it is: opening the array says which levels there are where it is not one of them. A
 * voxel size must be exactly that of a level, as opening the level's array gives it.
 *
 * @param store absolute path of the image's group, or its address
 * @throws ERR_ARGUMENT for a path that leads out of the group; ERR_ARRAY_MISSING where there is no image, or it has no such level
 *   (with those that it has); ERR_METADATA, ERR_UNSUPPORTED, ERR_IO
 */
export async function storeOfLevel(store: string, level: Level): Promise<string> {
  if (typeof level === 'string') {
    if (isInnerPath(level)) return innerStore(store, level);
    throw new BlockwrightError('ERR_ARGUMENT', `level: expected a path inside ${store}, found '${level}'`);
  }
  const wanted = new Coordinate(level);
  const found: string[] = [];
  const documents = await documentsOf(store);
  for (const { path } of (await openImage(store, documents)).levels) {
    const voxelSize = await readArray(innerStore(store, path), documents).then(
      ({ metadata }) => metadata.voxelSize,
      (error: unknown) => messageOf(error),
    );
    if (typeof voxelSize !== 'string' && voxelSize.dimensions === wanted.dimensions && voxelSize.equals(wanted)) {
      return innerStore(store, path);
    }
    found.push(`${path} ${typeof voxelSize === 'string' ? `(${voxelSize})` : voxelSize}`);
  }
  const message = `${store}: expected a level with the voxel size ${wanted}, found ${found.join(', ')}`;
  throw new BlockwrightError('ERR_ARRAY_MISSING', message, { path: store, expected: wanted, found });
}
