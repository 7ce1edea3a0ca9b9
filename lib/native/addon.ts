import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BlockwrightError, isBlockwrightError, messageOf } from '../errors.js';

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

/**
 * Calls a native function and awaits it. Its errors are rethrown with a JavaScript stack and their code. `signal` stops
 * the kernel at its next check (ERR_CANCELLED).
 */
export async function callNative<Result>(
  name: string,
  options: Record<string, unknown>,
  signal?: AbortSignal,
): Promise<Result> {
  let onAbort: (() => void) | undefined;
  if (signal !== undefined) {
    const cancel = new Uint8Array(1);
    onAbort = () => {
      cancel[0] = 1;
    };
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort);
    options = { ...options, cancel };
  }
  try {
    return (await loadAddon()[name](options)) as Result;
  } catch (error) {
    const code = isBlockwrightError(error) ? error.code : 'ERR_NATIVE';
    const details = typeof error === 'object' && error !== null ? { ...error, code: undefined } : {};
    throw new BlockwrightError(code, `${name}: ${messageOf(error)}`, details, { cause: error });
  } finally {
    if (onAbort !== undefined) signal?.removeEventListener('abort', onAbort);
  }
}
