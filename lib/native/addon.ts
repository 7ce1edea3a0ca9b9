import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BlockwrightError, type ErrorCode, isBlockwrightError, messageOf } from '../errors.js';
import { argumentError } from './checks.js';

/** What the kernels addon exports: each function takes one options object and returns a promise (see native/addon.cc). */
export type NativeFunction = (options: Record<string, unknown>) => Promise<unknown>;

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
let loaded: Record<string, NativeFunction> | undefined;

/** Loads the addon once: a prebuilt binary where there is one, else the one that was built here. */
export function loadAddon(): Record<string, NativeFunction> {
  if (loaded === undefined) {
    const require = createRequire(import.meta.url);
    try {
      loaded = require('node-gyp-build')(root) as Record<string, NativeFunction>;
    } catch (error) {
      throw new BlockwrightError(
        'ERR_NATIVE',
        `the kernels addon could not be loaded (${messageOf(error).split('\n', 1)[0]}); build it with: npm run build:native`,
        {},
        { cause: error },
      );
    }
  }
  return loaded;
}

/** More entries than any list of options has. */
const LONGEST_LIST = 2 ** 24;
/** Lists and objects inside each other. */
const DEEPEST = 40;

/**
 * The same options with lists and objects copied: while native code reads them nothing of the caller's may run, which could detach
 * memory that was read already, and what native code works on is held, whatever a getter gave. Views stay as they are.
 */
function plainCopy(name: string, value: unknown, depth = 0): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (ArrayBuffer.isView(value)) {
    // it may be cut short while it is worked on
    if ((value.buffer as { readonly resizable?: boolean }).resizable === true) {
      throw argumentError(name, 'memory of a fixed size', 'a view of a resizable ArrayBuffer');
    }
    return value;
  }
  if (depth === DEEPEST) throw argumentError(name, `at most ${DEEPEST} lists or objects inside each other`, 'more');
  if (!Array.isArray(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, plainCopy(key, entry, depth + 1)]));
  }
  const { length } = value;
  if (length > LONGEST_LIST) throw argumentError(name, `a list of at most ${LONGEST_LIST} entries`, length);
  const copy: unknown[] = [];
  for (let index = 0; index < length; index++) copy.push(plainCopy(name, value[index], depth + 1));
  return copy;
}

/** These name a file and what is wrong with it: whose function found it says nothing to users. It is in the stack. */
const ABOUT_FILES: readonly ErrorCode[] = ['ERR_IO', 'ERR_CHUNK_CORRUPT', 'ERR_METADATA', 'ERR_UNSUPPORTED'];

/**
 * Calls a native function and awaits it. Its errors are rethrown with a JavaScript stack and their code. `signal` stops
 * the kernel at its next check (ERR_CANCELLED).
 */
export async function callNative<Result>(
  name: string,
  options: Record<string, unknown>,
  signal?: AbortSignal,
): Promise<Result> {
  const plain = plainCopy('options', options) as Record<string, unknown>;
  let onAbort: (() => void) | undefined;
  if (signal !== undefined) {
    const cancel = new Uint8Array(1);
    onAbort = () => {
      cancel[0] = 1;
    };
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort);
    plain.cancel = cancel;
  }
  try {
    return (await loadAddon()[name](plain)) as Result;
  } catch (error) {
    const code = isBlockwrightError(error) ? error.code : 'ERR_NATIVE';
    const details = typeof error === 'object' && error !== null ? { ...error, code: undefined } : {};
    const message = ABOUT_FILES.includes(code) ? messageOf(error) : `${name}: ${messageOf(error)}`;
    throw new BlockwrightError(code, message, details, { cause: error });
  } finally {
    if (onAbort !== undefined) signal?.removeEventListener('abort', onAbort);
  }
}
