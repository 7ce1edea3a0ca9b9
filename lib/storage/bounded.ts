/**
 * Does something for every item, a number of them at a time, in order. After the first failure no further item is begun and
 * `signal` is aborted; the promise settles when nothing is under way any more.
 *
 * @throws the first failure
 */
export async function forEachBounded<Item>(
  items: Iterable<Item>,
  limit: number,
  signal: AbortSignal | undefined,
  action: (item: Item, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const controller = new AbortController();
  const abort = () => controller.abort();
  if (signal?.aborted) abort();
  signal?.addEventListener('abort', abort);
  const iterator = items[Symbol.iterator]();
  let failure: { readonly error: unknown } | undefined;
  const work = async () => {
    for (let next = iterator.next(); !next.done && failure === undefined; next = iterator.next()) {
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
}
