import { callNative } from './addon.js';

/** Smaller results come from the ordinary memory of JavaScript, which costs them little. */
const SMALLEST_BYTES = 2 ** 20;
/** So long after the last result was asked for no memory is kept. */
const IDLE_MS = 10_000;

type Output = BigUint64Array | Uint32Array | Float32Array | Uint8Array;

let rest: NodeJS.Timeout | undefined;

/**
 * A new array for a result that is written all over: what is in it before is not zeros. Where it is large it has the memory of
 * an earlier result that nobody holds any more, if there is one of its size.
 */
export async function newOutput<Result extends Output>(
  Type: { new (length: number): Result; new (buffer: ArrayBuffer): Result; readonly BYTES_PER_ELEMENT: number },
  length: number,
): Promise<Result> {
  const bytes = length * Type.BYTES_PER_ELEMENT;
  if (bytes < SMALLEST_BYTES) return new Type(length);
  rest ??= setTimeout(() => {
    rest = undefined;
    callNative('outputMemory', { bytes: 0 }).catch(() => undefined);
  }, IDLE_MS).unref();
  rest.refresh();
  const memory = await callNative<ArrayBuffer | undefined>('outputMemory', { bytes });
  return memory === undefined ? new Type(length) : new Type(memory);
}
