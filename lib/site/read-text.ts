import { readFileSync } from 'node:fs';

/** The content of a file, undefined when it cannot be read. */
export type ReadText = (path: string) => string | undefined;

export const readSystemText: ReadText = (path) => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
};
