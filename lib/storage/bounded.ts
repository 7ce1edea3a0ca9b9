import { setMaxListeners } from 'node:events';
import { BlockwrightError } from '../errors.js';

/**
 * Does something for every item, a number of them at a time, in order. After the first failure no further item is begun and
 * `signal` is aborted; the promise settles when nothing is under way any more.
 *
 * @throws the first failure; ERR_CANCELLED when `signal` was aborted before all was done
 */
export async function forEachBounded<Item>(
  items: Iterable<Item>,
  limit: number,
  signal: AbortSignal | undefined,
  action: (item: Item, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const controller = new AbortController();
  // Every action may listen.
  setMaxListeners(0, controller.signal);
  const abort = () => controller.abort();
  if (signal?.aborted) abort();
  signal?.addEventListener('abort', abort);
  const iterator = items[Symbol.iterator]();
  let failure: { readonly error: unknown } | undefined;
  const work = async () => {
    while (!controller.signal.aborted) {
      const next = iterator.next();
      if (next.done) return;
      try {
        await action(next.value, controller.signal);
      } catch (error) {
        failure ??= { error };
        abort();
      }
    }
  };
  try {
    await Promise.all(Array.from({ length: limit }, work));
  } finally {
    signal?.removeEventListener('abort', abort);
  }
  if (failure !== undefined) throw (failure as { readonly error: unknown }).error;
  if (controller.signal.aborted) throw new BlockwrightError('ERR_CANCELLED', 'the read was cancelled');
}
