import { callNative } from './addon.js';

/**
 * A file as memory that the system pages in as it is read; the mapping ends when the buffer is collected. Writing to the
 * buffer changes neither the file nor other mappings of it. The file may be removed or replaced (by renaming another
 * over it) meanwhile, but must not be cut short. An empty file gives an empty buffer.
 *
 * @throws ERR_IO with the path and the system's reason
 */
export async function mapFile(path: string): Promise<ArrayBuffer> {
  return callNative<ArrayBuffer>('mapFile', { path });
}
