import { open, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { BlockwrightError } from '../errors.js';
import { isAddress } from '../storage/address.js';
import { isNpy, openArray } from '../storage/open-store.js';
import { type ArrayComparison, type ArrayOptions, compareArrays } from './compare-arrays.js';
import { compareGraphs, type GraphComparison } from './compare-graphs.js';
import { compareLuts, type LutComparison } from './compare-luts.js';
import { matchFragments } from './fragment-match.js';

export type Comparison = ArrayComparison | GraphComparison | LutComparison;
export interface StoreOptions extends ArrayOptions {
  /**
   * Of graphs and LUTs: the arrays of fragments of A and of B, whose ids may differ. Those that share most voxels are the same
   * fragment, and B's ids are translated.
   */
  readonly fragments?: readonly [string, string] | undefined;
  /**
   * Called before graphs or LUTs are compared: most of it is done on this thread without a pause, so from here on neither `signal`
   * nor a handler of the process's signals is heard. Who has such handlers takes them off.
   */
  readonly onWhole?: (() => void) | undefined;
}

type Kind = 'an array' | 'a graph' | 'a LUT';

/**
 * Compares what stands at two places: arrays (zarr, local or remote; .npy), graph stores of SQLite (ours or of
 * funlib.persistence), or LUTs (ours; volara's .npz; a .npy of shape [2, n] beside another LUT).
 *
 * @param a absolute path or address
 * @throws ERR_ARGUMENT for two kinds, or options that the kind does not have; what reading them throws;
 *   ERR_CANCELLED while arrays are read
 */
export async function compareStores(a: string, b: string, options: StoreOptions = {}): Promise<Comparison> {
  const kinds = [await kindOf(a), await kindOf(b)];
  const isLut = kinds.includes('a LUT');
  const [one, other] = kinds.map((kind, i) => (isLut && kind === 'an array' && isNpy([a, b][i]) ? 'a LUT' : kind));
  if (one !== other) {
    throw new BlockwrightError('ERR_ARGUMENT', `expected two of a kind, found ${one} (${a}) and ${other} (${b})`);
  }
  const others: Readonly<Record<Kind, readonly (keyof StoreOptions)[]>> = {
    'an array': ['fragments'],
    'a graph': ['partition', 'roi', 'byIndex', 'blockShape'],
    'a LUT': ['tolerance', 'roi', 'byIndex', 'blockShape'],
  };
  refuse(options, others[one], one);
  if (one === 'an array') return compareArrays(await openArray(a), await openArray(b), options);
  const { fragments } = options;
  const match =
    fragments === undefined
      ? undefined
      : await matchFragments(await openArray(fragments[0]), await openArray(fragments[1]), options);
  if (options.signal?.aborted) throw new BlockwrightError('ERR_CANCELLED', `comparing ${a} was cancelled`, { path: a });
  options.onWhole?.();
  return one === 'a graph' ? compareGraphs(a, b, { ...options, match }) : compareLuts(a, b, { ...options, match });
}

function refuse(options: StoreOptions, names: readonly (keyof StoreOptions)[], kind: Kind): void {
  for (const name of names) {
    const given = options[name] !== undefined && options[name] !== false && options[name] !== 0;
    if (given) throw new BlockwrightError('ERR_ARGUMENT', `${name}: expected nothing, for ${kind} has no use for it`);
  }
}

async function kindOf(path: string): Promise<Kind> {
  if (isAddress(path)) return 'an array';
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) {
    throw new BlockwrightError('ERR_ARRAY_MISSING', `${path}: expected an array, graph or LUT, found nothing`, {
      path,
    });
  }
  if (found?.isFile() && !isNpy(path)) {
    if (/\.npz$/i.test(path)) return 'a LUT';
    if (await isSqlite(path)) return 'a graph';
    const expected = 'a folder of an array or LUT, .npy, .npz or SQLite';
    throw new BlockwrightError('ERR_UNSUPPORTED', `${path}: expected ${expected}, found another file`, { path });
  }
  if (found?.isDirectory() && (await isLut(path))) return 'a LUT';
  return 'an array';
}

async function isSqlite(path: string): Promise<boolean> {
  const file = await open(path, 'r');
  try {
    const start = Buffer.alloc(16);
    await file.read(start, 0, 16, 0);
    return start.toString('latin1') === 'SQLite format 3\0';
  } finally {
    await file.close();
  }
}

/** Whether a folder's group says that it is a LUT; what is wrong with it, opening it says. */
async function isLut(path: string): Promise<boolean> {
  try {
    const { attributes } = JSON.parse(await readFile(join(path, 'zarr.json'), 'utf8')) as {
      attributes?: { blockwright?: unknown };
    };
    return attributes?.blockwright === 'lut';
  } catch {
    return false;
  }
}
