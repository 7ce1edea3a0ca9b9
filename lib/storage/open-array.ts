import { BlockwrightError } from '../errors.js';
import { type ArrayFormat, innermostChunk } from './array-format.js';
import { Document } from './document.js';
import { type DocumentSource, LOCAL_DOCUMENTS } from './document-source.js';
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
async function imageAbove(path: string, documents: DocumentSource): Promise<string> {
  for (let place = documents.split(path); place !== undefined; place = documents.split(place.folder)) {
    const { folder } = place;
    const levels = levelsOf((await findImages(folder, documents).catch(() => undefined)) ?? []);
    if (levels.length > 0) return `; the image ${folder} has the levels ${levels.join(', ')}`;
    if (await documents.isFolder(folder).catch(() => undefined)) break;
  }
  return '';
}

async function missing(path: string, documents: DocumentSource): Promise<BlockwrightError> {
  const images = await findImages(path, documents);
  let found: string;
  if (images !== undefined) {
    const levels = levelsOf(images);
    found =
      levels.length > 0
        ? `it is an image with the levels ${levels.join(', ')} (name one: ${path}/${levels[0]}, or \`level: ${levels[0]}\` beside the store)`
        : 'it is a zarr group';
  } else {
    const isFolder = await documents.isFolder(path);
    found = isFolder === undefined ? 'neither zarr.json nor .zarray is there' : 'nothing is there';
    const place = documents.split(path);
    if (isFolder) found = 'the folder holds neither zarr.json nor .zarray';
    else if (isFolder === false && place !== undefined && (await documents.exists(place.folder, place.name)))
      found = 'a file is there';
    else found += await imageAbove(path, documents);
  }
  return new BlockwrightError('ERR_ARRAY_MISSING', `${path}: expected a zarr array, but ${found}`, { path, found });
}

async function parse(path: string, documents: DocumentSource): Promise<Parsed> {
  const v3 = await documents.read(path, 'zarr.json');
  if (v3 !== undefined) {
    if (v3.get('node_type') === 'group') throw await missing(path, documents);
    return parseZarrV3(v3);
  }
  const v2 = await documents.read(path, '.zarray');
  if (v2 === undefined) throw await missing(path, documents);
  const attributes = (await documents.read(path, '.zattrs')) ?? Document.of(documents.child(path, '.zattrs'), {});
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
  documents: DocumentSource = LOCAL_DOCUMENTS,
): Promise<{ readonly format: ArrayFormat; readonly metadata: ArrayMetadata }> {
  const { format, attributes, dimensionNames } = await parse(path, documents);
  const dimensions = format.shape.length;
  const world =
    (hasWorldAttributes(attributes) ? undefined : await findImageWorld(path, dimensions, documents)) ??
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
