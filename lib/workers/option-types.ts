import { z } from 'zod';

/** What the text of an option names: an array or graph of the pipeline file, or the path of a LUT, file or folder. */
export type ReferenceKind = 'array' | 'graph' | 'lut' | 'file';

/** Marks option schemas whose text is a reference. Kept apart from zod's global metadata, so JSON Schema stays clean. */
export const references = z.registry<{ readonly kind: ReferenceKind }>();

/** An option that names an array of the pipeline's `arrays`. A name that is not there is refused when the file is read. */
export function arrayName() {
  return z.string().min(1).register(references, { kind: 'array' });
}

/** An option that names a graph of the pipeline's `graphs`. */
export function graphName() {
  return z.string().min(1).register(references, { kind: 'graph' });
}

/** An option that is the path of a LUT, relative to the pipeline file. */
export function lutPath() {
  return z.string().min(1).register(references, { kind: 'lut' });
}

/** An option that is the path of a file or folder, relative to the pipeline file. */
export function filePath() {
  return z.string().min(1).register(references, { kind: 'file' });
}
