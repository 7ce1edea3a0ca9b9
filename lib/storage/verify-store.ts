import { join } from 'node:path';
import { BlockwrightError, messageOf } from '../errors.js';
import { exists } from './array-folder.js';
import { ChunkedArray } from './chunked-array.js';
import { type HierarchyNode, listHierarchy } from './hierarchy.js';
import { storedFiles } from './stored-files.js';
import { type Finding, type Verification, type VerifyOptions, verifyArray } from './verify-array.js';

/** What was found in a store: of its arrays as {@link Finding}, and arrays and groups that cannot be opened. */
export type StoreFinding =
  | Finding
  | { readonly kind: 'unreadable' /** Path of the folder. */; readonly array: string; readonly message: string };

export interface StoreProgress {
  readonly files: number;
  /** Chunk files in all; undefined until they are counted. */
  readonly expected: number | undefined;
  readonly bytes: number;
  readonly damaged: number;
}

export interface VerifyStoreOptions extends Pick<VerifyOptions, 'signal' | 'threads'> {
  readonly onFinding?: (finding: StoreFinding) => void;
  readonly onProgress?: (progress: StoreProgress) => void;
  /** Called when an array was read to its end. */
  readonly onArray?: (path: string, result: Verification) => void;
}

/** What became of all arrays of a store. */
export interface StoreVerification extends Verification {
  readonly arrays: number;
  /** Arrays and groups that cannot be opened. */
  readonly unreadable: number;
}

/**
 * Reads every chunk of an array, or of all arrays in a group or image, as {@link verifyArray}.
 *
 * @param path absolute path of a folder
 * @throws as {@link ChunkedArray.open} when what stands there is no array or group that can be opened; as {@link verifyArray}
 */
export async function verifyStore(path: string, options: VerifyStoreOptions = {}): Promise<StoreVerification> {
  const { onFinding, onProgress, onArray, ...rest } = options;
  const nodes = await nodesOf(path);
  const sum = { arrays: 0, unreadable: 0, files: 0, bytes: 0, damaged: 0, beyondGrid: 0, temporaries: 0, strays: 0 };
  const unreadable = (folder: string, error: unknown) => {
    sum.unreadable += 1;
    onFinding?.({ kind: 'unreadable', array: folder, message: messageOf(error) });
  };

  const arrays: ChunkedArray[] = [];
  for (const node of nodes) {
    const folder = join(path, node.path);
    if (node.kind === 'array')
      await ChunkedArray.open(folder).then(
        (array) => arrays.push(array),
        (error) => unreadable(folder, error),
      );
    else if (node.kind === 'damaged') unreadable(folder, node.error);
    else
      for (const level of await missingLevels(folder, node))
        unreadable(level, new Error(`${level}: a level of the image ${folder}, and no array is there`));
  }

  const counted = new AbortController();
  let expected: number | undefined;
  const counting = countFiles(arrays, counted.signal).then((count) => {
    expected = count;
  });
  try {
    for (const array of arrays) {
      const result = await verifyArray(array, {
        ...rest,
        ...(onFinding === undefined ? {} : { onFinding }),
        onProgress: ({ files, bytes, damaged }) =>
          onProgress?.({
            expected,
            files: sum.files + files,
            bytes: sum.bytes + bytes,
            damaged: sum.damaged + damaged,
          }),
      });
      for (const key of Object.keys(result) as (keyof Verification)[]) sum[key] += result[key];
      sum.arrays += 1;
      onArray?.(array.path, result);
    }
  } finally {
    counted.abort();
    await counting;
  }
  return sum;
}

async function nodesOf(path: string): Promise<readonly HierarchyNode[]> {
  const { nodes, complete } = await listHierarchy(path, { maxDepth: 64, maxFolders: 1_000_000 });
  const [first] = nodes;
  if (first === undefined || (first.path === '' && first.kind !== 'group')) {
    await ChunkedArray.open(path); // says what is wrong with it
    if (first?.kind === 'damaged') throw first.error;
  }
  if (!complete)
    throw new BlockwrightError('ERR_LIMIT', `${path}: more than 1,000,000 folders, or deeper than 64`, { path });
  return nodes;
}

async function missingLevels(folder: string, { images }: HierarchyNode & { kind: 'group' }): Promise<string[]> {
  const paths = images.flatMap((image) => image.levels.map((level) => join(folder, level.path)));
  const there = await Promise.all(
    paths.map(async (level) => (await exists(join(level, 'zarr.json'))) || (await exists(join(level, '.zarray')))),
  );
  return paths.filter((_, index) => !there[index]);
}

/** Chunk files of all arrays; undefined when it was stopped, or a folder cannot be listed (which the one who reads it will tell). */
async function countFiles(arrays: readonly ChunkedArray[], signal: AbortSignal): Promise<number | undefined> {
  let count = 0;
  try {
    for (const array of arrays) {
      for await (const { kind } of storedFiles(array)) {
        if (signal.aborted) return undefined;
        if (kind === 'chunk') count += 1;
      }
    }
    return count;
  } catch {
    return undefined;
  }
}
