import { basename, dirname, join } from 'node:path';
import { exists, readDocument } from './array-folder.js';
import type { Document } from './document.js';

/** Where metadata files are read: local folders, or a remote store. Folders are absolute paths, or whole addresses. */
export interface DocumentSource {
  /** Reads a JSON metadata file of a folder; undefined when there is none. */
  read(folder: string, name: string): Promise<Document | undefined>;
  exists(folder: string, name: string): Promise<boolean>;
  /** Path or address of what is in a folder; the name may have several parts, with '/' between them. */
  child(folder: string, name: string): string;
  /** The folder above, and the name in it; undefined where there is none. */
  split(folder: string): { readonly folder: string; readonly name: string } | undefined;
  /** Whether there is such a folder; undefined where that cannot be known. */
  isFolder(path: string): Promise<boolean | undefined>;
}

export const LOCAL_DOCUMENTS: DocumentSource = {
  read: (folder, name) => readDocument(join(folder, name)),
  exists: (folder, name) => exists(join(folder, name)),
  child: join,
  split: (folder) => (dirname(folder) === folder ? undefined : { folder: dirname(folder), name: basename(folder) }),
  isFolder: exists,
};
