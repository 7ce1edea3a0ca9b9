import { BlockwrightError, codeOf } from '../errors.js';
import { Decimal } from './decimal.js';
import type { Document } from './document.js';
import { type DocumentSource, LOCAL_DOCUMENTS } from './document-source.js';
import { isInnerPath } from './inner-path.js';
import { ioError } from './io-error.js';
import { leadsOut } from './links.js';

/** An axis of an OME-Zarr image. */
export interface ImageAxis {
  readonly name: string;
  /** 'space', 'time', 'channel' or another word. */
  readonly type: string;
  readonly unit: string;
}

/** One resolution of an image: position in the world = scale * voxel + translation, one entry an axis. */
export interface ImageLevel {
  /** Of the array, relative to the group. */
  readonly path: string;
  readonly scale: readonly Decimal[];
  readonly translation: readonly Decimal[];
}

/** An OME-Zarr 0.4 or 0.5 multiscale image. */
export interface Image {
  /** The metadata file. */
  readonly source: Document;
  /** What stands beside `multiscales`, e.g. `omero`. */
  readonly attributes: Document;
  readonly axes: readonly ImageAxis[];
  /** Finest first. */
  readonly levels: readonly ImageLevel[];
}

/** Each is looked for on disk; halving 2^53 voxels down to one takes 54. */
const MAX_LEVELS = 100;
const TYPES_BY_NAME: Readonly<Record<string, string>> = { t: 'time', c: 'channel', z: 'space', y: 'space', x: 'space' };

function parseAxes(multiscale: Document): ImageAxis[] {
  return multiscale.objects('axes').map((axis) => {
    const name = axis.text('name');
    const fallback = Object.hasOwn(TYPES_BY_NAME, name) ? TYPES_BY_NAME[name] : 'channel';
    return {
      name,
      type: axis.has('type') ? axis.text('type') : fallback,
      unit: axis.has('unit') ? axis.text('unit') : '',
    };
  });
}

/** One scale, and at most one translation after it. */
function parseTransformations(owner: Document, axes: number): { scale: Decimal[]; translation: Decimal[] } {
  const key = 'coordinateTransformations';
  const list = owner.objects(key);
  const types = list.map((entry) => entry.text('type')).join(', ');
  if (types !== 'scale' && types !== 'scale, translation') owner.fail(key, 'a scale, then at most one translation');
  const vector = (entry: Document, name: string) => {
    const values = entry.numbers(name);
    return values.length === axes ? values : entry.fail(name, `${axes} numbers, one an axis`);
  };
  const scale = vector(list[0], 'scale');
  if (!scale.every((value) => value > 0)) list[0].fail('scale', 'positive numbers');
  const translation = list.length > 1 ? vector(list[1], 'translation') : scale.map(() => 0);
  return { scale: scale.map(Decimal.of), translation: translation.map(Decimal.of) };
}

/** A path below the image; one that leads elsewhere is refused. */
function parseLevelPath(dataset: Document): string {
  const path = dataset.text('path');
  return isInnerPath(path) ? path : dataset.fail('path', 'a relative path inside the image');
}

function parseMultiscale(multiscale: Document, attributes: Document): Image {
  const axes = parseAxes(multiscale);
  const datasets = multiscale.objects('datasets');
  if (datasets.length > MAX_LEVELS) multiscale.fail('datasets', `at most ${MAX_LEVELS} levels`, 'ERR_LIMIT');
  if (datasets.length === 0) multiscale.fail('datasets', 'at least one level');
  const outer = multiscale.has('coordinateTransformations')
    ? parseTransformations(multiscale, axes.length)
    : { scale: axes.map(() => Decimal.of(1)), translation: axes.map(() => Decimal.of(0)) };
  const levels = datasets.map((dataset) => {
    const path = parseLevelPath(dataset);
    const inner = parseTransformations(dataset, axes.length);
    return {
      path,
      scale: inner.scale.map((value, axis) => value.times(outer.scale[axis])),
      translation: inner.translation.map((value, axis) => value.times(outer.scale[axis]).plus(outer.translation[axis])),
    };
  });
  return { source: multiscale, attributes, axes, levels };
}

/**
 * The images that the attributes of a group describe.
 *
 * @throws ERR_METADATA, ERR_UNSUPPORTED
 */
export function imagesOf(attributes: Document): Image[] {
  const owner = attributes.has('ome') ? attributes.object('ome') : attributes;
  if (!owner.has('multiscales')) return [];
  return owner.objects('multiscales').map((multiscale) => {
    const versioned = owner.has('version') ? owner : multiscale;
    if (versioned.has('version') && !['0.4', '0.5'].includes(versioned.text('version'))) {
      versioned.unsupported('version', 'OME-Zarr 0.4 or 0.5');
    }
    return parseMultiscale(multiscale, owner);
  });
}

/** The images of a folder: undefined where it is no zarr group, empty where it is one without images. */
export async function findImages(
  path: string,
  documents: DocumentSource = LOCAL_DOCUMENTS,
): Promise<readonly Image[] | undefined> {
  const v3 = await documents.read(path, 'zarr.json');
  if (v3 !== undefined) {
    return v3.get('node_type') === 'group' ? imagesOf(v3.optionalObject('attributes')) : undefined;
  }
  const v2 = await documents.read(path, '.zattrs');
  if (v2 !== undefined && !(await documents.exists(path, '.zarray'))) return imagesOf(v2);
  return (await documents.exists(path, '.zgroup')) ? [] : undefined;
}

async function levelLeadsOut(image: string, level: string): Promise<boolean> {
  try {
    return await leadsOut(image, level);
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return false;
    throw ioError('examining', level, error);
  }
}

/**
 * Opens an OME-Zarr image and checks that its levels exist.
 *
 * @throws ERR_ARRAY_MISSING when the folder holds no image, or a level is not there; ERR_METADATA; ERR_UNSUPPORTED
 */
export async function openImage(path: string, documents: DocumentSource = LOCAL_DOCUMENTS): Promise<Image> {
  const [image] = (await findImages(path, documents)) ?? [];
  if (image === undefined) {
    throw new BlockwrightError('ERR_ARRAY_MISSING', `${path}: no OME-Zarr image is here`, { path });
  }
  for (const level of image.levels) {
    const array = documents.child(path, level.path);
    if (documents === LOCAL_DOCUMENTS && (await levelLeadsOut(path, array))) {
      image.source.fail('datasets', 'levels inside the image, no links out of it');
    }
    if (!(await documents.exists(array, 'zarr.json')) && !(await documents.exists(array, '.zarray'))) {
      throw new BlockwrightError(
        'ERR_ARRAY_MISSING',
        `${path}: the image lists the level ${level.path}, but no array is there`,
        {
          path: array,
        },
      );
    }
  }
  return image;
}
