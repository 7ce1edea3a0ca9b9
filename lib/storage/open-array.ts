import { dirname, join } from 'node:path';
import { BlockwrightError } from '../errors.js';
import { exists, readDocument } from './array-folder.js';
import { type ArrayFormat, innermostChunk } from './array-format.js';
import { Document } from './document.js';
import { findImages, type Image } from './image-group.js';
import { findImageWorld } from './image-world.js';
import type { ArrayMetadata } from './metadata.js';
import { DIMENSION_NAMES_V2, hasWorldAttributes, otherAttributes, parseWorldAttributes } from './world-attributes.js';
import { parseZarrV2 } from './zarr-v2.js';
import { parseZarrV3 } from './zarr-v3.js';

interface Parsed {
  readonly format: ArrayFormat;
  readonly attributes: Document;
  readonly dimensionNames?: readonly (string | null)[] | undefined;
}

const levelsOf = (images: readonly Image[]) => images.flatMap((image) => image.levels.map((level) => level.path));

/** The image above a path where nothing is: whoever asked for a level may have mistaken its name. */
async function imageAbove(path: string): Promise<string> {
  for (let folder = dirname(path); folder !== dirname(folder); folder = dirname(folder)) {
    const levels = levelsOf((await findImages(folder).catch(() => undefined)) ?? []);
    if (levels.length > 0) return `; the image ${folder} has the levels ${levels.join(', ')}`;
    if (await exists(folder)) break;
  }
  return '';
}

async function missing(path: string): Promise<BlockwrightError> {
  const images = await findImages(path);
  let found = (await exists(path))
    ? 'the folder holds neither zarr.json nor .zarray'
    : `nothing is there${await imageAbove(path)}`;
  if (images !== undefined) {
    const levels = levelsOf(images);
    found = levels.length > 0 ? `it is an image with the levels ${levels.join(', ')}` : 'it is a zarr group';
  }
  return new BlockwrightError('ERR_ARRAY_MISSING', `${path}: expected a zarr array, but ${found}`, { path, found });
}

async function parse(path: string): Promise<Parsed> {
  const v3 = await readDocument(join(path, 'zarr.json'));
  if (v3 !== undefined) {
    if (v3.get('node_type') === 'group') throw await missing(path);
    return parseZarrV3(v3);
  }
  const v2 = await readDocument(join(path, '.zarray'));
  if (v2 === undefined) throw await missing(path);
  const attributesFile = join(path, '.zattrs');
  const attributes = (await readDocument(attributesFile)) ?? Document.of(attributesFile, {});
  const format = parseZarrV2(v2);
  const names = attributes.get(DIMENSION_NAMES_V2);
  const named = Array.isArray(names) && names.length === format.shape.length;
  return { format, attributes, dimensionNames: named ? attributes.texts(DIMENSION_NAMES_V2) : undefined };
}

/**
 * Reads the metadata of an array: format and place in the world. The latter comes from the array's attributes (as
 * funlib.persistence writes them), else from the OME-Zarr image around the array, else it has the defaults.
 */
export async function readArray(
  path: string,
): Promise<{ readonly format: ArrayFormat; readonly metadata: ArrayMetadata }> {
  const { format, attributes, dimensionNames } = await parse(path);
  const dimensions = format.shape.length;
  const world =
    (hasWorldAttributes(attributes) ? undefined : await findImageWorld(path, dimensions)) ??
    parseWorldAttributes(attributes, dimensions, dimensionNames);
  return {
    format,
    metadata: {
      shape: format.shape,
      chunkShape: innermostChunk(format).chunkShape,
      ...(format.shard === undefined ? {} : { shardShape: format.chunkShape }),
      dataType: format.dataType,
      ...world,
      attributes: otherAttributes(attributes),
    },
  };
}
