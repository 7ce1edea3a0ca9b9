import { callNative } from './addon.js';
import { argumentError, checkThreads, checkType, checkWholeNumber, labelsOutput } from './checks.js';
import { newOutput } from './output-memory.js';

/** Fragment id -> segment id as columns; may be views of a mapped file (see mapFile). */
export interface LookupTable {
  /** Ascending, each once. */
  readonly fragments: BigUint64Array;
  readonly segments: BigUint64Array;
  /** Voxels of the segment of each entry; needed for `minSegmentSize`. */
  readonly sizes?: BigUint64Array;
}

export interface RelabelOptions {
  /**
   * What becomes of an id without an entry: it is kept, becomes background 0, or is an ERR_ARGUMENT that names the first one.
   * Background stays 0 unless the table has an entry for it.
   * @default 'keep'
   */
  readonly missing?: 'keep' | 'background' | 'error';
  /** Ids whose segment has fewer voxels become 0. @default 0 */
  readonly minSegmentSize?: number;
  /** Threads of this call; the result does not depend on them. @default 1 */
  readonly threads?: number;
  /**
   * Where the result goes; may be `labels` itself. A large new array cannot be transferred to another thread.
   * @default new
   */
  readonly output?: BigUint64Array;
  readonly signal?: AbortSignal;
}

/**
 * Replaces every id by its segment.
 *
 * Peak memory beside labels and result, for each thread: 40 kB; 512 kB for each 32,768 of its labels, no more than 32 MB, for
 * what whole windows of 65,536 ids become (not with `missing: 'error'`); and 130 bytes a distinct id that is in no such window.
 *
 * @param labels uint64, any shape
 * @param table looked up once a distinct id and thread, or once a window. It is checked to ascend where that is cheap (no more
 *   entries than labels); a larger one is trusted
 * @throws ERR_ARGUMENT, ERR_CANCELLED
 */
export async function relabel(
  labels: BigUint64Array,
  table: LookupTable,
  options: RelabelOptions = {},
): Promise<BigUint64Array> {
  checkType('labels', labels, 'BigUint64Array');
  const { fragments, segments, sizes } = table;
  checkType('fragments', fragments, 'BigUint64Array');
  for (const [name, column] of Object.entries({ segments, ...(sizes === undefined ? {} : { sizes }) })) {
    checkType(name, column, 'BigUint64Array');
    if (column.length !== fragments.length) {
      throw argumentError(name, `${fragments.length} entries, one a fragment`, column.length);
    }
  }
  const missing = options.missing ?? 'keep';
  if (!['keep', 'background', 'error'].includes(missing)) {
    throw argumentError('missing', 'keep, background or error', missing);
  }
  const minimumSize = checkWholeNumber('minSegmentSize', options.minSegmentSize ?? 0, 0);
  if (minimumSize > 0 && sizes === undefined) {
    throw argumentError('sizes', 'the voxels of each segment, as minSegmentSize is given', 'none');
  }
  const threads = checkThreads(options.threads);
  const output =
    options.output === undefined
      ? await newOutput(BigUint64Array, labels.length)
      : labelsOutput(options.output, labels.length);
  await callNative<void>(
    'relabel',
    { labels, output, fragments, segments, sizes: minimumSize > 0 ? sizes : undefined, missing, minimumSize, threads },
    options.signal,
  );
  return output;
}
