import { isBlockwrightError } from '../errors.js';
import type { Document } from './document.js';
import { findImages } from './image-group.js';
import { findImageOf } from './image-world.js';
import { documentsOf } from './store-documents.js';

/** In which range of values the viewers of an image show each channel. */
export interface OmeroWindows {
  /** [start, end] of every channel of the image. */
  readonly windows?: readonly (readonly [number, number])[];
  /** Why there are none, for messages. */
  readonly missing?: string;
}

/**
 * The `omero` windows of the image that an array is a level of, or why there are none.
 *
 * @param store absolute path of the folder of the array, or of the image itself; or its address
 */
export async function readOmeroWindows(store: string): Promise<OmeroWindows> {
  try {
    const documents = await documentsOf(store);
    const image = (await findImages(store, documents))?.[0] ?? (await findImageOf(store, documents))?.image;
    if (image === undefined) return { missing: 'no image around the array' };
    const { attributes } = image;
    if (!attributes.has('omero')) return { missing: `an image without 'omero' (${attributes.file})` };
    return { windows: attributes.object('omero').objects('channels').map(windowOf) };
  } catch (error) {
    if (!isBlockwrightError(error)) throw error;
    return { missing: error.message };
  }
}

function windowOf(channel: Document): readonly [number, number] {
  const window = channel.object('window');
  const [start, end] = [window.get('start'), window.get('end')];
  if (typeof start !== 'number' || !Number.isFinite(start)) return window.fail('start', 'a number');
  if (typeof end !== 'number' || !Number.isFinite(end) || end <= start) {
    return window.fail('end', `a number above the start, ${start}`);
  }
  return [start, end];
}
